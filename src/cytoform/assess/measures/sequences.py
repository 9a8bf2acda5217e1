"""Everything measured on single frames, and on pairs of frames; one sequence at a time, in bounded memory."""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Bool

from cytoform.assess.measures.descriptors import EMPTY, Descriptor, Descriptors, describe
from cytoform.assess.measures.dynamics import Bodies, Dynamics, FrameState, FrameStep, dynamics, step
from cytoform.assess.measures.masks import Topology, dice_of, jaccard, topology
from cytoform.assess.measures.surface_distance import surface_distance
from cytoform.errors import InputError
from cytoform.shapes.mesh import Mesh, mesh_from_distance
from cytoform.shapes.store import ShapeSequence, ShapeStore

# Background kept around a cell when it is cut out: marching cubes needs one voxel, Euler numbers one.
MARGIN = 2
PAIR_MEASURES = {
    "jaccard": Descriptor("Jaccard index", "", "voxels in both masks over those in either", "Jaccard 1901"),
    "dice": Descriptor("Dice coefficient", "", "twice the voxels in both masks over those of each", "Dice 1945"),
    "assd_um": Descriptor(
        "Mean surface distance (ASSD)",
        "µm",
        "mean distance between the zero levels, both ways, by area",
        "Heimann et al. 2009",
    ),
    "hd95_um": Descriptor(
        "95 % Hausdorff distance", "µm", "larger of the two directed 95th percentiles", "Taha and Hanbury 2015"
    ),
    "normal_consistency": Descriptor(
        "Normal consistency", "", "mean absolute cosine between normals of nearest faces", "Mescheder et al. 2019"
    ),
}


@dataclass(frozen=True)
class Frame:
    """What is measured on one frame."""

    descriptors: Descriptors
    topology: Topology


@dataclass(frozen=True)
class Pair:
    """What is measured on a frame and its counterpart, a field for each of PAIR_MEASURES.

    Of two empty frames the distances are 0 and normal consistency is NaN; where just one is empty all three are NaN.
    """

    jaccard: float
    dice: float
    assd_um: float
    hd95_um: float
    normal_consistency: float


@dataclass(frozen=True)
class Sequence:
    """All frames of one sequence, and the steps between them."""

    name: str
    frames: tuple[Frame, ...]
    steps: tuple[FrameStep, ...] = ()
    n_bodies: tuple[int, ...] = ()
    time_step_s: float | None = None

    @property
    def dynamics(self) -> Dynamics:
        """How the sequence changes over time."""
        return dynamics(self.steps, self.n_bodies, self.time_step_s)


@dataclass(frozen=True)
class PairedSequence:
    """A sequence of the reference, its counterpart, and what was measured between the two."""

    reference: Sequence
    other: Sequence
    pairs: tuple[Pair, ...]


@dataclass(frozen=True)
class Shape:
    """One frame as it is stored, its surface (None where it is empty), and what is measured on it."""

    mask: Bool[np.ndarray, "z y x"]
    mesh: Mesh | None
    frame: Frame


class Record:
    """A sequence in the making: frames come one by one, and only the last is kept whole."""

    def __init__(self, sequence: ShapeSequence) -> None:
        self._info = sequence.info
        self._frames: list[Frame] = []
        self._steps: list[FrameStep] = []
        self._stills: list[FrameState] = []
        self._n_bodies: list[int] = []

    def add(self, shape: Shape) -> None:
        """Note the next frame and the step to it."""
        still = FrameState(shape.frame.descriptors, shape.mask, Bodies.of(shape.mask))
        self._steps += [step(last, still) for last in self._stills]
        self._stills = [still]
        self._frames.append(shape.frame)
        self._n_bodies.append(still.bodies.n)

    @property
    def sequence(self) -> Sequence:
        """All of it."""
        parts = tuple(self._frames), tuple(self._steps), tuple(self._n_bodies)
        return Sequence(self._info.name, *parts, self._info.time_step_s)


def measure_sequence(store: Path, name: str) -> Sequence:
    """Descriptors, topology and dynamics of a sequence."""
    sequence = ShapeStore.open(store)[name]
    record = Record(sequence)
    for frame in range(sequence.info.n_frames):
        record.add(measure_frame(store, sequence, frame))
    return record.sequence


def measure_pair(reference: Path, other: Path, name: str) -> PairedSequence:
    """Both sequences called `name` in two stores of the same cube, and what lies between them."""
    stores = reference, other
    sequences = [ShapeStore.open(store)[name] for store in stores]
    records, pairs = [Record(sequence) for sequence in sequences], []
    for t in range(sequences[0].info.n_frames):
        a, b = (measure_frame(store, sequence, t) for store, sequence in zip(stores, sequences, strict=True))
        for record, shape in zip(records, (a, b), strict=True):
            record.add(shape)
        pairs.append(_compare(a, b))
    return PairedSequence(records[0].sequence, records[1].sequence, tuple(pairs))


def measure_frame(store: Path, sequence: ShapeSequence, t: int) -> Shape:
    """One frame and what is measured on it alone. Raises InputError where distances are NaN."""
    field, spacing_um = sequence.box(t), sequence.grid.spacing_um
    n_undefined = int(np.isnan(field.box_sdf_um).sum())
    if n_undefined:
        raise InputError(
            f"{store}, sequence {sequence.info.name!r}, frame {t}: {n_undefined} distances are NaN; "
            "make the store anew, or leave the sequence out with --sequences"
        )
    if field.is_empty:
        return Shape(field.mask(), None, Frame(EMPTY, Topology(0, 0)))
    cut = field.tight(MARGIN)
    # Described where it is nearest to 0: descriptors keep their digits wherever the cell lies.
    mesh = mesh_from_distance(cut.box_sdf_um, spacing_um)
    described = Frame(describe(cut.box_sdf_um, mesh, spacing_um), topology(cut.inside))
    corner_xyz_um = np.array(cut.corner_zyx[::-1], np.float32) * spacing_um
    return Shape(field.mask(), Mesh((mesh.vertices_xyz_um + corner_xyz_um).astype(np.float32), mesh.faces), described)


def _compare(a: Shape, b: Shape) -> Pair:
    overlap = jaccard(a.mask, b.mask)
    if a.mesh is None or b.mesh is None:
        apart = 0.0 if a.mesh is b.mesh else math.nan
        return Pair(overlap, dice_of(overlap), apart, apart, math.nan)
    distance = surface_distance(a.mesh, b.mesh)
    return Pair(overlap, dice_of(overlap), distance.assd_um, distance.hd95_um, distance.normal_consistency)

"""Measures of whole sequences, frame by frame, so that memory holds one frame of each."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from cytoform.assess.measures.descriptors import Descriptor
from cytoform.assess.measures.dynamics import Bodies, Dynamics, FrameState, FrameStep, dynamics, step
from cytoform.assess.measures.kinds import MEASURES, AnyDescriptors
from cytoform.assess.measures.masks import Topology, dice_of, jaccard, topology
from cytoform.assess.measures.protrusion_tracks import TakenApart, TrackedProtrusions
from cytoform.assess.measures.surface_distance import surface_distance
from cytoform.assess.measures.thin_parts import THIN_MEASURES, ThinParts, compare_thin_parts
from cytoform.protrusions.parts import PartsOfFrame
from cytoform.shapes.boundary import Boundary, boundary_from_distance
from cytoform.shapes.box import BoxedField
from cytoform.shapes.store import SequenceInfo, ShapeSequence, ShapeStore

# Voxels of background around a cell that is cut out: marching cubes and Euler numbers need one.
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
class MeasuredFrame:
    """Measures of a single frame."""

    descriptors: AnyDescriptors
    topology: Topology


@dataclass(frozen=True)
class MeasuredPair:
    """Measures of a frame against its counterpart, a field for each of PAIR_MEASURES.

    Two empty frames have distances of 0 and no normal consistency (NaN). Where one frame is empty, all three are NaN.
    `thin` is None where cells are not taken apart.
    """

    jaccard: float
    dice: float
    assd_um: float
    hd95_um: float
    normal_consistency: float
    thin: ThinParts | None = None

    def value(self, name: str) -> float:
        """One of PAIR_MEASURES or THIN_MEASURES; NaN where it is not measured."""
        return float(getattr(self.thin if name in THIN_MEASURES else self, name, math.nan))


@dataclass(frozen=True)
class MeasuredSequence:
    """Measures of all frames of a sequence, and of the steps between them; protrusions where cells are taken apart."""

    name: str
    frames: tuple[MeasuredFrame, ...]
    steps: tuple[FrameStep, ...] = ()
    n_bodies: tuple[int, ...] = ()
    time_step_s: float | None = None
    protrusions: TrackedProtrusions | None = None

    @property
    def dynamics(self) -> Dynamics:
        """Changes over time, splits, merges, division and autocorrelation."""
        described = [frame.descriptors for frame in self.frames]
        return dynamics(described, self.steps, self.n_bodies, time_step_s=self.time_step_s)


@dataclass(frozen=True)
class MeasuredCell:
    """The sequences of one name in several stores, and the pairs of each but the first with the first."""

    name: str
    sequences: tuple[MeasuredSequence, ...]
    pairs: tuple[tuple[MeasuredPair, ...], ...]


@dataclass(frozen=True)
class Shape:
    """A frame: its field in a box around the cell (one voxel where it is empty), its boundary, its measures, its parts."""

    field: BoxedField
    boundary: Boundary | None
    frame: MeasuredFrame
    apart: TakenApart | None = None


def measure_sequence(store: Path, name: str, radius_um: float | None = None) -> MeasuredSequence:
    """Descriptors, topology and dynamics of a sequence, and with `radius_um` its protrusions."""
    return measure_cell([store], name, radius_um).sequences[0]


def measure_cell(stores: Sequence[Path], name: str, radius_um: float | None = None) -> MeasuredCell:
    """Measure the sequence `name` of every store, and compare those of all others with that of the first.

    The stores have the same grid, and their sequences the same number of frames. Every frame is read and meshed once.
    With `radius_um`, of the ball that opens a cell, cells are taken apart into body and protrusions.
    """
    sequences = [ShapeStore.open(store)[name] for store in stores]
    records = [_Record(sequence.info) for sequence in sequences]
    pairs: list[list[MeasuredPair]] = [[] for _ in stores[1:]]
    for t in range(sequences[0].info.n_frames):
        shapes = [measure_frame(sequence, t) for sequence in sequences]
        if radius_um is not None:
            shapes = [replace(shape, apart=TakenApart.of(shape.field, radius_um)) for shape in shapes]
        for record, shape in zip(records, shapes, strict=True):
            record.add(shape)
        for found, other in zip(pairs, shapes[1:], strict=True):
            found.append(compare_shapes(shapes[0], other))
    return MeasuredCell(name, tuple(record.sequence for record in records), tuple(map(tuple, pairs)))


def measure_frame(sequence: ShapeSequence, t: int) -> Shape:
    """Read a frame and measure it. Raises InputError for a damaged frame."""
    field, spacing_um = sequence.box(t), sequence.grid.spacing_um
    measures, n_dims = MEASURES[field.grid.n_dims], field.grid.n_dims
    if field.is_empty:
        voxel = BoxedField(field.grid, (0,) * n_dims, np.full((1,) * n_dims, field.band_um, np.float32), field.band_um)
        return Shape(voxel, None, MeasuredFrame(measures.empty, Topology(0, 0)))
    cut = field.tight(MARGIN)
    # Described where it is nearest to 0: descriptors keep their digits wherever the cell lies.
    boundary = boundary_from_distance(cut.box_sdf_um, spacing_um)
    described = MeasuredFrame(measures.describe(cut.box_sdf_um, boundary, spacing_um), topology(cut.inside))
    corner_xyz_um = np.array(cut.corner_zyx[::-1], np.float32) * spacing_um
    return Shape(cut, boundary.moved(corner_xyz_um), described)


def compare_shapes(a: Shape, b: Shape) -> MeasuredPair:
    """Measures of a frame `b` against its counterpart `a` on the same grid."""
    overlap = jaccard(*_in_one_box((a.field, a.field.inside), (b.field, b.field.inside)))
    thin = None
    if a.apart is not None and b.apart is not None:
        thin = compare_thin_parts((a.field, a.apart), (b.field, b.apart))
    if a.boundary is None or b.boundary is None:
        apart = 0.0 if a.boundary is b.boundary else math.nan
        return MeasuredPair(overlap, dice_of(overlap), apart, apart, math.nan, thin)
    found = surface_distance(a.boundary, b.boundary)
    return MeasuredPair(overlap, dice_of(overlap), found.assd_um, found.hd95_um, found.normal_consistency, thin)


class _Record:
    """A sequence being measured: frames are added one by one, and only the last is kept whole."""

    def __init__(self, info: SequenceInfo) -> None:
        self._info = info
        self._frames: list[MeasuredFrame] = []
        self._steps: list[FrameStep] = []
        self._n_bodies: list[int] = []
        self._parts: list[PartsOfFrame] = []
        self._last: tuple[Shape, Bodies] | None = None

    def add(self, shape: Shape) -> None:
        """Note the next frame and the step to it."""
        bodies = Bodies.of(shape.field.inside)
        if self._last is not None:
            self._steps.append(_step(*self._last, shape, bodies))
        self._last = shape, bodies
        self._frames.append(shape.frame)
        self._n_bodies.append(bodies.n)
        if shape.apart is not None:
            self._parts.append(shape.apart.parts)

    @property
    def sequence(self) -> MeasuredSequence:
        """The measures of all frames."""
        step_s = self._info.time_step_s
        tracked = TrackedProtrusions.of(self._parts, time_step_s=step_s) if self._parts else None
        found = tuple(self._frames), tuple(self._steps), tuple(self._n_bodies)
        return MeasuredSequence(self._info.name, *found, step_s, tracked)


def _step(before: Shape, bodies_before: Bodies, after: Shape, bodies_after: Bodies) -> FrameStep:
    masks = _in_one_box((before.field, before.field.inside), (after.field, after.field.inside))
    labels = _in_one_box((before.field, bodies_before.labels), (after.field, bodies_after.labels))
    return step(
        FrameState(before.frame.descriptors, masks[0], Bodies(labels[0], bodies_before.n)),
        FrameState(after.frame.descriptors, masks[1], Bodies(labels[1], bodies_after.n)),
    )


def _in_one_box(*placed: tuple[BoxedField, np.ndarray]) -> list[np.ndarray]:
    """Values of the voxels of boxes of one grid, padded with 0 to the smallest box that holds all of them."""
    starts = np.array([field.corner_zyx for field, _ in placed])
    stops = starts + [field.box_sdf_um.shape for field, _ in placed]
    before, after = starts - starts.min(axis=0), stops.max(axis=0) - stops
    return [
        np.pad(values, list(zip(*widths, strict=True)))
        for (_, values), *widths in zip(placed, before, after, strict=True)
    ]

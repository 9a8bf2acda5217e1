"""Everything measured on single frames, and on pairs of frames; one sequence at a time, in bounded memory."""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float

from cytoform.assess.descriptors import EMPTY, Descriptors, describe
from cytoform.assess.overlap import dice_of, jaccard
from cytoform.assess.surface_distance import surface_distance
from cytoform.assess.topology import Topology, topology
from cytoform.shapes.mesh import Mesh, mesh_from_distance
from cytoform.shapes.store import ShapeSequence, ShapeStore

# Background kept around a cell when it is cut out: marching cubes needs one voxel, Euler numbers one.
MARGIN = 2


@dataclass(frozen=True)
class Frame:
    """What is measured on one frame."""

    descriptors: Descriptors
    topology: Topology


@dataclass(frozen=True)
class Pair:
    """What is measured on a frame and its counterpart; distances are NaN where just one of them is empty."""

    jaccard: float
    dice: float
    assd_um: float
    hd95_um: float


@dataclass(frozen=True)
class Sequence:
    """All frames of one sequence."""

    name: str
    frames: tuple[Frame, ...]


@dataclass(frozen=True)
class PairedSequence:
    """A sequence of the reference, its counterpart, and what was measured between the two."""

    reference: Sequence
    other: Sequence
    pairs: tuple[Pair, ...]


def measure_sequence(store: Path, name: str) -> Sequence:
    """Descriptors and topology of every frame of a sequence."""
    sequence = ShapeStore.open(store)[name]
    return Sequence(name, tuple(_measure(_Shape.read(sequence, t))[0] for t in range(sequence.info.n_frames)))


def measure_pair(reference: Path, other: Path, name: str) -> PairedSequence:
    """Descriptors and topology of the sequence `name` in two stores of the same cube, and what lies between them."""
    sequences = ShapeStore.open(reference)[name], ShapeStore.open(other)[name]
    rows = []
    for t in range(sequences[0].info.n_frames):
        shapes = [_Shape.read(sequence, t) for sequence in sequences]
        (frame_a, mesh_a), (frame_b, mesh_b) = (_measure(shape) for shape in shapes)
        rows.append((frame_a, frame_b, _compare(shapes[0].mask, shapes[1].mask, mesh_a, mesh_b)))
    frames_a, frames_b, pairs = zip(*rows, strict=True)
    return PairedSequence(Sequence(name, frames_a), Sequence(name, frames_b), pairs)


@dataclass(frozen=True)
class _Shape:
    """One frame as it is stored."""

    mask: Bool[np.ndarray, "z y x"]
    sdf_um: Float[np.ndarray, "z y x"]
    spacing_um: float

    @classmethod
    def read(cls, sequence: ShapeSequence, frame: int) -> "_Shape":
        return cls(sequence.mask(frame), sequence.sdf_um(frame), sequence.grid.spacing_um)


def _measure(shape: _Shape) -> tuple[Frame, Mesh | None]:
    if not shape.mask.any():
        return Frame(EMPTY, Topology(0, 0)), None
    box = bounding_box(shape.mask, margin=MARGIN)
    corner_xyz_um = np.array([axis.start for axis in reversed(box)], np.float32) * shape.spacing_um
    cut = mesh_from_distance(shape.sdf_um[box], shape.spacing_um)
    mesh = Mesh((cut.vertices_xyz_um + corner_xyz_um).astype(np.float32), cut.faces)
    mask = shape.mask[box]
    return Frame(describe(mask, mesh, shape.spacing_um), topology(mask)), mesh


def _compare(
    a: Bool[np.ndarray, "z y x"], b: Bool[np.ndarray, "z y x"], mesh_a: Mesh | None, mesh_b: Mesh | None
) -> Pair:
    overlap = jaccard(a, b)
    if mesh_a is None or mesh_b is None:
        apart = 0.0 if mesh_a is mesh_b else math.nan
        return Pair(overlap, dice_of(overlap), apart, apart)
    distance = surface_distance(mesh_a, mesh_b)
    return Pair(overlap, dice_of(overlap), distance.assd_um, distance.hd95_um)


def bounding_box(mask: Bool[np.ndarray, "z y x"], *, margin: int) -> tuple[slice, slice, slice]:
    """The box of a mask that is not empty, `margin` voxels wider on each side where the volume has room."""
    planes = [np.flatnonzero(mask.any(axis=others)) for others in ((1, 2), (0, 2), (0, 1))]
    z, y, x = (
        slice(max(int(inside[0]) - margin, 0), min(int(inside[-1]) + margin + 1, size))
        for inside, size in zip(planes, mask.shape, strict=True)
    )
    return z, y, x

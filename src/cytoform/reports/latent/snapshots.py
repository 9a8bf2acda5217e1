"""One cell at a few times, seen coarsely: what is needed to describe it and to find cells alike."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, UInt8

from cytoform.assess.measures.descriptors import Descriptor
from cytoform.assess.measures.kinds import MEASURES
from cytoform.assess.measures.sequence_descriptors import ROUNDNESS
from cytoform.assess.statistics.distributions import summarise
from cytoform.shapes.box import BoxedField


def cell_descriptors(n_dims: int) -> dict[str, Descriptor]:
    """Descriptors of a sequence: means over its frames of size, extent and roundness, and how it grows."""
    measures = MEASURES[n_dims]
    main = {name: measures.descriptors[name] for name in measures.main}
    return {**main, "growth": Descriptor("Growth", "last / first size")}


@dataclass(frozen=True)
class Snapshots:
    """Occupancy and boundaries of one cell, a value a time; an empty frame has size and extent 0, and no roundness (NaN)."""

    occupied: UInt8[np.ndarray, "times bytes"]  # eight voxels a byte
    sizes: Float[np.ndarray, " times"]
    extents: Float[np.ndarray, " times"]
    roundness: Float[np.ndarray, " times"]

    @property
    def values(self) -> tuple[float, float, float, float]:
        """The values of `cell_descriptors`; NaN where there is none."""
        sizes = self.sizes
        growth = float(sizes[-1] / sizes[0]) if len(sizes) > 1 and sizes[0] > 0 else math.nan
        return float(sizes.mean()), float(self.extents.mean()), summarise(self.roundness).mean, growth


@dataclass(frozen=True)
class CellSet:
    """Cells of one kind, learned or generated: where they lie along the principal components, and what they look like."""

    kind: str
    names: Sequence[str]
    coordinates: Float[np.ndarray, "n components"]
    looks: Sequence[Snapshots]

    @property
    def values(self) -> Float[np.ndarray, "n descriptors"]:
        """The values of `cell_descriptors`, a column each."""
        return np.array([look.values for look in self.looks])


def snapshots(frames: Iterable[BoxedField]) -> Snapshots:
    """Snapshots of rendered frames."""
    occupied, measured = [], []
    for frame in frames:
        occupied.append(np.packbits(frame.mask()))
        boundary, roundness = frame.boundary(), ROUNDNESS[frame.grid.n_dims]
        size, extent = (0.0, 0.0) if boundary is None else (boundary.size, boundary.extent)
        measured.append((size, extent, roundness(extent, size) if size > 0 else math.nan))
    return Snapshots(np.stack(occupied), *np.array(measured).T)


def shape_distances(a: Sequence[Snapshots], b: Sequence[Snapshots]) -> Float[np.ndarray, "a b"]:
    """1 - Jaccard index, averaged over the times, between cells seen on one grid at the same times."""
    return np.array([[_shape_distance(one.occupied, other.occupied) for other in b] for one in a]).reshape(
        len(a), len(b)
    )


def _shape_distance(a: UInt8[np.ndarray, "times bytes"], b: UInt8[np.ndarray, "times bytes"]) -> float:
    both, either = (np.bitwise_count(bits).sum(axis=1, dtype=np.int64) for bits in (a & b, a | b))
    # Two empty frames are alike.
    return float(np.mean(1 - np.where(either == 0, 1.0, both / np.maximum(either, 1))))

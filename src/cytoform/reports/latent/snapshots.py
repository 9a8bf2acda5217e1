"""One cell at a few times, seen coarsely: what is needed to describe it and to find cells alike."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, UInt8

from cytoform.assess.measures.descriptors import DESCRIPTORS, Descriptor, sphericity
from cytoform.assess.statistics.distributions import summarise
from cytoform.shapes.mesh import Mesh

# Descriptors of a sequence: means over its frames, and how it grows.
CELL_DESCRIPTORS = {
    **{name: DESCRIPTORS[name] for name in ("size_um3", "surface_um2", "sphericity")},
    "growth": Descriptor("Growth", "last / first size"),
}


@dataclass(frozen=True)
class Snapshots:
    """Occupancy and descriptors of one cell, a value a time; an empty frame has size 0 and no sphericity (NaN)."""

    occupied: UInt8[np.ndarray, "times bytes"]  # eight voxels a byte
    sizes_um3: Float[np.ndarray, " times"]
    surfaces_um2: Float[np.ndarray, " times"]

    @property
    def descriptors(self) -> dict[str, float]:
        """The values of CELL_DESCRIPTORS; NaN where there is none."""
        sizes, surfaces = self.sizes_um3, self.surfaces_um2
        round_ = [sphericity(a, v) if v > 0 else math.nan for a, v in zip(surfaces, sizes, strict=True)]
        return {
            "size_um3": float(sizes.mean()),
            "surface_um2": float(surfaces.mean()),
            "sphericity": summarise(np.array(round_)).mean,
            "growth": float(sizes[-1] / sizes[0]) if len(sizes) > 1 and sizes[0] > 0 else math.nan,
        }


@dataclass(frozen=True)
class CellSet:
    """Cells of one kind, learned or generated: where they lie along the principal components, and what they look like."""

    kind: str
    names: Sequence[str]
    coordinates: Float[np.ndarray, "n components"]
    looks: Sequence[Snapshots]

    @property
    def values(self) -> Float[np.ndarray, "n descriptors"]:
        """The CELL_DESCRIPTORS, a column each."""
        return np.array([list(look.descriptors.values()) for look in self.looks])


def snapshots(frames: Iterable[tuple[Bool[np.ndarray, "z y x"], Mesh | None]]) -> Snapshots:
    """Snapshots of frames given as mask and surface; None for an empty frame."""
    occupied, sizes, surfaces = [], [], []
    for mask, mesh in frames:
        occupied.append(np.packbits(mask))
        sizes.append(0.0 if mesh is None else mesh.volume_um3)
        surfaces.append(0.0 if mesh is None else mesh.area_um2)
    return Snapshots(np.stack(occupied), np.array(sizes), np.array(surfaces))


def shape_distances(a: Sequence[Snapshots], b: Sequence[Snapshots]) -> Float[np.ndarray, "a b"]:
    """1 - Jaccard index, averaged over the times, between cells seen on one grid at the same times."""
    return np.array([[_shape_distance(one.occupied, other.occupied) for other in b] for one in a]).reshape(
        len(a), len(b)
    )


def _shape_distance(a: UInt8[np.ndarray, "times bytes"], b: UInt8[np.ndarray, "times bytes"]) -> float:
    both, either = (np.bitwise_count(bits).sum(axis=1, dtype=np.int64) for bits in (a & b, a | b))
    # Two empty frames are alike.
    return float(np.mean(1 - np.where(either == 0, 1.0, both / np.maximum(either, 1))))

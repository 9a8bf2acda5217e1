"""Voxel count, bounding box and centroid of every label in a frame."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import cc3d
import numpy as np

from cytoform.base.triples import IntTriple, Slices, Triple, triple
from cytoform.movies.movie import Labels


@dataclass(frozen=True)
class LabelExtent:
    """A label in one frame."""

    box_zyx: Slices
    n_voxels: int
    centroid_voxels: Triple


LabelExtents = Mapping[int, LabelExtent]


def measure(labels: Labels) -> dict[int, LabelExtent]:
    """Extents of all labels but 0."""
    names = np.arange(int(labels.max()) + 1)
    if len(names) >= labels.size:
        # cc3d refuses labels beyond the number of voxels, which small crops of large movies have.
        names, numbers = np.unique(labels, return_inverse=True)
        labels = numbers.reshape(labels.shape).astype(np.uint16)
    statistics: Mapping[str, Any] = cc3d.statistics(labels, no_slice_conversion=True)
    counts, boxes, centroids = (statistics[key] for key in ("voxel_counts", "bounding_boxes", "centroids"))
    return {
        int(names[i]): LabelExtent(box_from_bounds(boxes[i]), int(counts[i]), triple(centroids[i]))
        for i in np.flatnonzero(counts)
        if names[i]
    }


def box_from_bounds(bounds: np.ndarray) -> Slices:
    """Slices from inclusive bounds (z, z, y, y, x, x)."""
    z0, z1, y0, y1, x0, x1 = (int(bound) for bound in bounds)
    return slice(z0, z1 + 1), slice(y0, y1 + 1), slice(x0, x1 + 1)


def cut_axes(extent: LabelExtent, shape_zyx: IntTriple) -> tuple[int, ...]:
    """The axes along which a label touches the border of the volume; the only plane of an image cuts nothing."""
    return cut_axes_of_box(extent.box_zyx, shape_zyx)


def cut_axes_of_box(box_zyx: Slices, shape_zyx: IntTriple) -> tuple[int, ...]:
    """The same for a bounding box."""
    sides = enumerate(zip(box_zyx, shape_zyx, strict=True))
    return tuple(axis for axis, (side, size) in sides if size > 1 and (side.start == 0 or side.stop == size))


def fingerprint(extents: LabelExtents) -> int:
    """A number that is the same for two frames with the same shapes at the same places, whatever their labels."""
    # Hashes of numbers are the same in every process.
    shapes = [
        (extent.n_voxels, *((side.start, side.stop) for side in extent.box_zyx), extent.centroid_voxels)
        for extent in extents.values()
    ]
    return hash(tuple(sorted(shapes)))

"""The body of a cell as what lasts: for thick protrusions that come and go, which no ball tells from the lobes of a body.

A place belongs to the body at a time if it is inside the cell in most frames around that time.
"""

from collections.abc import Sequence
from dataclasses import replace

import edt
import numpy as np
from scipy.spatial import cKDTree

from cytoform.base.triples import int_triple
from cytoform.protrusions.body import BAND_VOXELS, edge, large_pieces
from cytoform.shapes.box import BoxedField

# Frames around a time, at most half of the movie, and the share of them in which a place of the body is inside the cell.
MOST_FRAMES, FEWEST_FRAMES, SHARE = 15, 5, 0.7


def window_of(n_frames: int) -> int | None:
    """Number of frames over which the body is what lasts; None where a movie is too short for it."""
    window = min(MOST_FRAMES, n_frames // 2)
    return window if window >= FEWEST_FRAMES else None


def around(frame: int, n_frames: int, window: int) -> range:
    """The frames around a frame, moved into the movie at its ends."""
    first = min(max(frame - window // 2, 0), n_frames - window)
    return range(first, first + window)


def on_one_box(fields: Sequence[BoxedField], margin: int) -> list[BoxedField]:
    """The fields on the box that holds all of them, with a margin where the grid has room; no field is empty."""
    bounds = [field.bounds for field in fields]
    low = np.maximum(np.min([[side.start for side in each] for each in bounds], axis=0) - margin, 0)
    high = np.minimum(np.max([[side.stop for side in each] for each in bounds], axis=0) + margin, fields[0].grid.size)
    box = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
    return [replace(field, corner_zyx=int_triple(low), box_sdf_um=field.sdf_um()[box]) for field in fields]


def lasting_body(fields: Sequence[BoxedField], band_um: float) -> BoxedField:
    """The body from the frames around a time, all on one box: distances exact to a fraction of a voxel within `band_um`."""
    spacing_um = fields[0].grid.spacing_um
    rank = int(np.ceil(SHARE * len(fields))) - 1
    level = np.partition(np.stack([field.box_sdf_um for field in fields]), rank, axis=0)[rank]
    inside = large_pieces(level <= 0) if (level <= 0).any() else level <= 0
    band_um = max(band_um, BAND_VOXELS * spacing_um)
    distance = np.full(level.shape, band_um, np.float32)
    if inside.any():
        outer = (edt.edt(side.astype(np.uint8), parallel=1) for side in (inside, ~inside))
        near = np.maximum(*outer) * spacing_um < band_um + spacing_um
        to_edge, _ = cKDTree(edge(inside, np.where(inside, -level, -np.abs(level)))).query(np.argwhere(near))
        distance[near] = np.minimum(to_edge * spacing_um, band_um)
        distance[inside] *= -1
        distance[inside & ~near] = -band_um
    return replace(fields[0], box_sdf_um=distance, band_um=band_um)

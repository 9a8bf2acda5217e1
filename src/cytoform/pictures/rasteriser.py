"""An orthographic z-buffer in NumPy: the visible face in each sample of a picture."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

# Samples on an edge count for the faces on both sides, so that rounding leaves no gap.
TOLERANCE_PX = 1e-6

# For each corner of a face, its barycentric weight: change per column, change per row, value at the picture's corner.
WeightPlanes = Float[np.ndarray, "faces 3 3"]


@dataclass(frozen=True)
class Visible:
    """Covered samples of a picture; for each, the nearest face and the barycentric weights of its corners."""

    row: Int[np.ndarray, " n"]
    column: Int[np.ndarray, " n"]
    face: Int[np.ndarray, " n"]
    weights: Float[np.ndarray, "n 3"]


@dataclass(frozen=True)
class _Spans:
    """Runs of samples in a row, covered by a face."""

    face: Int[np.ndarray, " spans"]
    row: Int[np.ndarray, " spans"]
    first: Int[np.ndarray, " spans"]
    length: Int[np.ndarray, " spans"]


def visible(
    points_px: Float[np.ndarray, "vertices 3"], faces: Int[np.ndarray, "faces 3"], shape: tuple[int, int]
) -> Visible:
    """Visible surface of a mesh in a picture of `shape` rows and columns of samples.

    Points are column, row and nearness to the viewer, measured from the upper left corner. Only faces that are
    counter-clockwise to the viewer are visible.
    """
    corners = points_px[faces]
    area = _area(corners)
    # Rows grow downward, which turns counter-clockwise into clockwise.
    front = np.flatnonzero(area < -1e-9)
    corners = corners[front]
    planes = _weight_planes(corners, area[front])
    spans = _spans(corners, planes, shape)

    # One fragment per sample of each span.
    span = np.repeat(np.arange(len(spans.face), dtype=np.int32), spans.length)
    start = np.cumsum(spans.length) - spans.length
    column = np.arange(len(span)) + (spans.first - start)[span]
    depth_plane = np.einsum("fk,fkc->fc", corners[..., 2], planes)[spans.face]
    at_first_column = depth_plane[:, 1] * (spans.row + 0.5) + depth_plane[:, 2] + 0.5 * depth_plane[:, 0]
    depth = at_first_column[span] + depth_plane[span, 0] * column
    chosen = _nearest(spans.row[span] * shape[1] + column, depth, shape[0] * shape[1])

    span, column = span[chosen], column[chosen]
    face, row = spans.face[span], spans.row[span]
    along_row = planes[..., 1][spans.face] * (spans.row[:, None] + 0.5) + planes[..., 2][spans.face]
    weights = along_row[span] + planes[..., 0][face] * (column[:, None] + 0.5)
    return Visible(row, column, front[face], weights)


def _area(corners_px: Float[np.ndarray, "faces 3 3"]) -> Float[np.ndarray, " faces"]:
    """Twice the signed area of each face."""
    (bx, by), (cx, cy) = ((corners_px[:, i, :2] - corners_px[:, 0, :2]).T for i in (1, 2))
    return bx * cy - by * cx


def _weight_planes(corners_px: Float[np.ndarray, "faces 3 3"], area: Float[np.ndarray, " faces"]) -> WeightPlanes:
    x, y = corners_px[..., 0], corners_px[..., 1]
    next_x, next_y, last_x, last_y = (np.roll(v, shift, axis=1) for shift in (-1, 1) for v in (x, y))
    planes = np.stack([next_y - last_y, last_x - next_x, next_x * last_y - next_y * last_x], axis=2)
    return planes / area[:, None, None]


def _spans(corners_px: Float[np.ndarray, "faces 3 3"], planes: WeightPlanes, shape: tuple[int, int]) -> _Spans:
    low, high = corners_px[..., 1].min(axis=1), corners_px[..., 1].max(axis=1)
    top = np.clip(np.ceil(low - 0.5 - TOLERANCE_PX), 0, shape[0]).astype(np.int64)
    bottom = np.clip(np.floor(high - 0.5 + TOLERANCE_PX), -1, shape[0] - 1).astype(np.int64)
    n_rows = np.maximum(bottom - top + 1, 0)
    face = np.repeat(np.arange(len(planes)), n_rows)
    row = np.arange(len(face)) + (top - np.cumsum(n_rows) + n_rows)[face]

    # A span starts at the zero of a weight that grows along the row, and ends at the zero of one that falls.
    slope = planes[face, :, 0]
    at_left = planes[face, :, 1] * (row[:, None] + 0.5) + planes[face, :, 2]
    with np.errstate(divide="ignore", invalid="ignore"):
        zero = -at_left / slope
    begin = np.where(slope > 0, zero, -np.inf).max(axis=1, initial=-np.inf)
    end = np.where(slope < 0, zero, np.inf).min(axis=1, initial=np.inf)
    first = np.clip(np.ceil(begin - 0.5 - TOLERANCE_PX), 0, shape[1]).astype(np.int64)
    last = np.clip(np.floor(end - 0.5 + TOLERANCE_PX), -1, shape[1] - 1).astype(np.int64)
    some = last >= first
    return _Spans(face[some], row[some], first[some], (last - first + 1)[some])


def _nearest(sample: Int[np.ndarray, " n"], depth: Float[np.ndarray, " n"], n_samples: int) -> Int[np.ndarray, " seen"]:
    """Indices of the nearest fragment of each sample; the last one of a tie (on a shared edge)."""
    nearest = np.full(n_samples, -np.inf)
    np.maximum.at(nearest, sample, depth)
    winner = np.full(n_samples, -1)
    won = np.flatnonzero(depth == nearest[sample])
    winner[sample[won]] = won
    return winner[winner >= 0]

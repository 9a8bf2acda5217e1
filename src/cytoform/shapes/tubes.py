"""Bent, tapered tubes with round tips, such as filopodia, with their distance, and unions of solids with a fillet.

Points, radii and distances are in one unit of length and one order of axes, whichever they are.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float, Int

from cytoform.base.triples import Ints, ints

Points = Float[np.ndarray, "n dims"]
PointValues = Float[np.ndarray, " n"]
Voxels = Int[np.ndarray, "n dims"]
CHUNK = 1 << 15  # points
# The box around a solid, its lowest and highest corner, and its signed distance.
Solid = tuple[Float[np.ndarray, "2 dims"], Callable[[Points], PointValues]]


@runtime_checkable
class OnGrid(Protocol):
    """A solid in the cube [-1, 1]³ of a grid, points in (x, y, z)."""

    def distance(self, points: Points) -> PointValues:
        """Signed distance."""
        ...

    def voxels_near(self, reach: float, grid_size: int) -> Voxels:
        """Voxels (z, y, x) of the grid that the solid covers or comes within `reach` of."""
        ...


@dataclass(frozen=True)
class Tube:
    """A chain of round cones: balls along a centre line, and their pairwise hulls."""

    line: Float[np.ndarray, "n dims"]
    radii: Float[np.ndarray, " n"]

    @property
    def bounds(self) -> Float[np.ndarray, "2 dims"]:
        """Box around the tube."""
        radii = self.radii[:, None]
        return np.stack([(self.line - radii).min(axis=0), (self.line + radii).max(axis=0)])

    def distance(self, points: Points) -> PointValues:
        """Signed distance; exact for a slight taper and bends wider than the tube."""
        found = [self._distance(points[first : first + CHUNK]) for first in range(0, len(points), CHUNK)]
        return np.concatenate(found) if found else np.zeros(0)

    def _distance(self, points: Points) -> PointValues:
        line, points, radii = self.line - self.line[0], points - self.line[0], self.radii  # exact far from 0 as well
        axes, tapers = np.diff(line, axis=0), -np.diff(radii)
        lengths2 = np.maximum(np.einsum("ij,ij->i", axes, axes), 1e-24)
        # Few balls: their products with all points are faster than a tree.
        to_balls2 = np.einsum("ij,ij->i", line, line) - 2 * points @ line.T
        nearest = to_balls2.argmin(axis=1)
        to_balls2 += np.einsum("ij,ij->i", points, points)[:, None]
        alongs = points @ axes.T - np.einsum("ij,ij->i", line[:-1], axes)
        rows, best = np.arange(len(points)), np.full(len(points), np.inf)
        # Because of the taper, the nearest flank is slightly closer to the root than the nearest point of the line.
        for shift in (-2, -1, 0):
            cone = np.clip(nearest + shift, 0, len(axes) - 1)
            along, to_start2 = alongs[rows, cone], to_balls2[rows, cone]
            found = _to_cone(along, to_start2, lengths2[cone], tapers[cone], radii[cone])
            np.minimum(best, found, out=best)
        return best

    def voxels_near(self, reach: float, grid_size: int) -> Voxels:
        """Voxels (z, y, x) of a grid on [-1, 1]³ that the tube covers or comes within `reach` of; its line is (x, y, z)."""
        voxel = 2 / grid_size
        radius = float(self.radii.max()) + reach
        steps = np.linalg.norm(np.diff(self.line, axis=0), axis=1)
        arc = np.concatenate([[0.0], np.cumsum(steps)])
        stops = np.linspace(0, arc[-1], max(math.ceil(arc[-1] / (2 * voxel)), 1) + 1)
        line = np.stack([np.interp(stops, arc, places) for places in self.line.T[::-1]], axis=1)
        n_dims = line.shape[1]
        # Half a step to the nearest stop, and half a diagonal to the centre of the voxel that it lies in.
        far = math.hypot(radius, voxel) + math.sqrt(n_dims) / 2 * voxel
        n = math.ceil(far / voxel)
        ball = np.stack(np.meshgrid(*[np.arange(-n, n + 1)] * n_dims, indexing="ij"), axis=-1).reshape(-1, n_dims)
        ball = ball[np.linalg.norm(ball, axis=1) * voxel <= far]
        centres = np.unique(np.floor((line + 1) / voxel).astype(int), axis=0)
        low = centres.min(axis=0) - n
        shape = tuple((centres.max(axis=0) + n + 1 - low).tolist())
        is_near = np.zeros(math.prod(shape), bool)
        starts, steps_to = (np.ravel_multi_index(tuple(each.T), shape) for each in (centres - n - low, ball + n))
        is_near[starts[:, None] + steps_to] = True
        found = np.argwhere(is_near.reshape(shape)) + low
        return found[((found >= 0) & (found < grid_size)).all(axis=1)]


def tubes_distance(tubes: Sequence[Tube], points: Points, *, bound: PointValues) -> PointValues:
    """Distance to the union of tubes, capped at `bound`."""
    return union_distance([(tube.bounds, tube.distance) for tube in tubes], points, bound=bound)


def union_distance(solids: Sequence[Solid], points: Points, *, bound: PointValues) -> PointValues:
    """Distance to the union of solids, capped at `bound`."""
    best = bound.copy()
    for (low, high), distance in solids:
        # The distance to the bounding box is a lower bound of the distance to the solid.
        outside = np.maximum(np.maximum(low - points, points - high), 0)
        near = np.einsum("ij,ij->i", outside, outside) <= np.maximum(best, 0) ** 2
        # Points inside the box are always compared, even if their bound is negative.
        chosen = np.flatnonzero(near)
        if len(chosen):
            best[chosen] = np.minimum(best[chosen], distance(points[chosen]))
    return best


def smooth_union(first: PointValues, second: PointValues, width: float) -> PointValues:
    """Distance to a union with a fillet along its crease; at most the smaller of both distances.

    The quadratic smooth minimum (Quilez, iquilezles.org/articles/smin): if the distances differ by less than
    `width`, it is up to width/4 smaller. The width shrinks to 0 at `width` outside the surface, so that the distance
    farther away is unchanged. The gradient never exceeds 1.25.
    """
    nearer = np.minimum(first, second)
    widths = np.clip(width - np.maximum(nearer, 0), 1e-12, None)
    overlap = np.maximum(widths - np.abs(first - second), 0)
    return nearer - overlap**2 / (4 * widths)


def round_cone(
    points: Points, starts: Points, ends: Points, start_radii: PointValues, end_radii: PointValues
) -> PointValues:
    """Signed distance of each point to its own round cone (convex hull of two balls), exact outside.

    After Quilez (iquilezles.org/articles/distfunctions). Inside, it is the depth below the nearest flank or ball.
    """
    axis, offset = ends - starts, points - starts
    length2 = np.maximum(np.einsum("ij,ij->i", axis, axis), 1e-24)
    along, to_start2 = np.einsum("ij,ij->i", offset, axis), np.einsum("ij,ij->i", offset, offset)
    return _to_cone(along, to_start2, length2, start_radii - end_radii, start_radii)


def _to_cone(
    along: PointValues, to_start2: PointValues, length2: PointValues, taper: PointValues, start_radii: PointValues
) -> PointValues:
    """Distance to a round cone from the scalar product with its axis and the squared distance to where the axis starts."""
    flank2 = np.maximum(length2 - taper**2, 0)
    across2 = np.maximum(to_start2 * length2 - along**2, 0)
    # Point on the axis (as a share of its length) on the perpendicular to the flank through the query point.
    share = (along + np.sqrt(across2 / np.maximum(flank2, 1e-24)) * -taper) / length2
    share = np.clip(np.where(flank2 > 0, share, np.where(taper > 0, 0, 1)), 0, 1)
    to_axis2 = np.maximum(to_start2 - share * (2 * along - share * length2), 0)
    return np.asarray(np.sqrt(to_axis2) - (start_radii - share * taper))


def add_solids(
    solids: Sequence[OnGrid],
    distances: Float[np.ndarray, "*zyx"],
    corner_zyx: Ints,
    grid_size: int,
    *,
    band: float,
    fillet: float,
) -> tuple[Float[np.ndarray, "*box"], Ints]:
    """Unite solids with a field on a box of a grid, on a box that holds the solids as well.

    Solids are (x, y, z) in [-1, 1]³ of the grid, distances in the same unit. `band` is how far from the surface distances are
    wanted; they are at most this far wrong beyond.
    """
    voxel = 2 / grid_size
    near = [solid.voxels_near(band + voxel, grid_size) for solid in solids]
    filled = [voxels for voxels in near if len(voxels)]
    if not filled:
        return distances, corner_zyx
    low = np.minimum(np.min([voxels.min(axis=0) for voxels in filled], axis=0), corner_zyx)
    high = np.maximum(
        np.max([voxels.max(axis=0) + 1 for voxels in filled], axis=0), np.add(corner_zyx, distances.shape)
    )
    outside = max(band, fillet) + voxel
    whole = np.full(high - low, outside)
    start = np.subtract(corner_zyx, low)
    whole[tuple(slice(s, s + n) for s, n in zip(start, distances.shape, strict=True))] = distances
    found = np.full(whole.shape, np.inf)
    for solid, voxels in zip(solids, near, strict=True):
        if len(voxels):
            at = tuple((voxels - low).T)
            points = (voxels[:, ::-1] + 0.5) * voxel - 1
            found[at] = np.minimum(found[at], solid.distance(points))
    where = np.isfinite(found)
    whole[where] = smooth_union(whole[where], found[where], fillet)
    return whole, ints(low)

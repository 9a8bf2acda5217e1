"""Signed distance to the smooth surface behind a mask, or to the smooth outline behind a mask of pixels."""

import edt
import numpy as np
from jaxtyping import Bool, Float32

from cytoform.base.triples import Floats, Slices
from cytoform.errors import EmptyFrame
from cytoform.shapes.grid import Grid
from cytoform.shapes.level import Level, level_of
from cytoform.shapes.surface import Axes, Surface, points_at

# Half-width of the band of exact distances: the larger of a share of the half extent and a number of voxels. Training
# interpolates within four voxels; the share makes stores of the same cells similar on any grid.
BAND_SHARE, BAND_VOXELS = 0.1, 4
# In wider bands, distances beyond four voxels are bounded from every second voxel, and measured only where these bounds
# differ by more than the tolerance.
WIDE_VOXELS, TOLERANCE_VOXELS = 8, 0.1


def band_um(grid: Grid) -> float:
    """Half-width in µm of the band of stored distances."""
    return max(BAND_SHARE * grid.half_extent_um, BAND_VOXELS * grid.spacing_um)


def signed_distance(
    mask: Bool[np.ndarray, "*zyx"], spacing_zyx_um: Floats, grid: Grid, centre_zyx_um: Floats
) -> Float32[np.ndarray, "*grid"]:
    """Signed distance in µm at the voxel centres of `grid`, negative inside; the cube is centred at `centre_zyx_um`.

    Within four voxels of the surface it is the exact distance to the zero of the mask's level function; up to
    `band_um(grid)` it is exact to a tenth of a voxel, beyond that an estimate. Voxel (k, j, i) of the mask has its centre
    at ((k, j, i) + 0.5) · spacing; all outside the array is background. On the mask's own grid, `distance ≤ 0` is the
    mask. Raises EmptyFrame for an empty mask.
    """
    if not mask.any():
        raise EmptyFrame("no voxel is inside the cell, so there is no surface to measure from")
    return distance_of_level(level_of(mask, np.array(spacing_zyx_um, float)), grid, centre_zyx_um)


def distance_of_level(level: Level, grid: Grid, centre_zyx_um: Floats) -> Float32[np.ndarray, "*grid"]:
    """Signed distance in µm to the zero of a level function, at the voxel centres of `grid` centred at `centre_zyx_um`.

    The level needs both signs. At its nodes the distance has its sign.
    """
    surface = Surface.of_level(level)
    positions_um = [grid.centres_um - grid.half_extent_um + centre for centre in centre_zyx_um]
    sdf_um, block = _around(surface, positions_um, band_um(grid) + 2 * grid.spacing_um)
    if sdf_um[block].size:
        near_um = [axis[side] for axis, side in zip(positions_um, block, strict=True)]
        sdf_um[block] = measured(_estimate(resample(level, near_um), grid), near_um, surface, grid)
    return sdf_um


def _around(surface: Surface, positions_um: Axes, reach_um: float) -> tuple[Float32[np.ndarray, "*grid"], Slices]:
    """Distance to the surface's bounding box, and the block of voxels within `reach_um` of that box."""
    beyond_um, block = [], []
    for along_um, low, high in zip(positions_um, *surface.box_zyx_um, strict=True):
        beyond_um.append(np.maximum(np.maximum(low - along_um, along_um - high), 0))
        block.append(slice(*np.searchsorted(along_um, (low - reach_um, high + reach_um))))
    return _length(beyond_um), tuple(block)


def measured(
    estimate_um: Float32[np.ndarray, "*zyx"],
    positions_um: Axes,
    surface: Surface,
    grid: Grid,
) -> Float32[np.ndarray, "*zyx"]:
    """An estimate accurate to about a voxel, replaced within the band by the distance to the surface."""
    spacing_um = grid.spacing_um
    size_um = np.abs(estimate_um)
    exact = size_um <= band_um(grid) + spacing_um
    if band_um(grid) > WIDE_VOXELS * spacing_um:
        far = exact & (size_um > BAND_VOXELS * spacing_um)
        lower, upper = surface.bounds(far, positions_um)
        size_um[far] = (lower + upper) / 2
        uncertain = (upper - lower) / 2 > TOLERANCE_VOXELS * spacing_um
        exact[far] = (lower <= BAND_VOXELS * spacing_um) | (uncertain & (lower <= band_um(grid)))
    squared, _ = surface.nearest(points_at(exact, positions_um))
    size_um[exact] = np.sqrt(squared)
    # A distance of 0 would count as inside.
    size_um = np.maximum(size_um, 1e-6 * spacing_um)
    return np.where(estimate_um <= 0, -size_um, size_um)


def _estimate(level_um: Float32[np.ndarray, "*zyx"], grid: Grid) -> Float32[np.ndarray, "*zyx"]:
    """Distance accurate to about a voxel: the transform of the sign, or the level where the level is nearer to 0."""
    inside = level_um <= 0
    if not inside.any():
        return level_um
    # Beside thick slices the level itself is off by half a slice; but it knows of parts too thin for the grid.
    transform_um = -edt.sdf(inside.astype(np.uint8), anisotropy=(grid.spacing_um,) * grid.n_dims, parallel=1)
    return np.where(np.abs(level_um) < np.abs(transform_um), level_um, transform_um)


def resample(level: Level, positions_um: Axes) -> Float32[np.ndarray, "*zyx"]:
    """Interpolate linearly, one axis after the other; beyond its border the level grows with the distance to it."""
    values = level.values_um
    beyond_um = []
    for axis, along_um in enumerate(positions_um):
        last = level.values_um.shape[axis] - 1
        # Rounded, so that positions which are nodes give exactly the value of the node.
        index = np.round((along_um - level.origin_zyx_um[axis]) / level.spacing_zyx_um[axis], 6)
        beyond_um.append((index - np.clip(index, 0, last)) * level.spacing_zyx_um[axis])
        low = np.clip(np.floor(index).astype(int), 0, last - 1)
        weight = (
            np.clip(index - low, 0, 1)
            .astype(np.float32)
            .reshape([-1 if i == axis else 1 for i in range(len(positions_um))])
        )
        values = np.take(values, low, axis) * (1 - weight) + np.take(values, low + 1, axis) * weight
    return values + _length(beyond_um)


def _length(sides_um: Axes) -> Float32[np.ndarray, "*zyx"]:
    """Length of the vectors of a grid, from their components along each axis."""
    first, *others = (side.astype(np.float32) ** 2 for side in sides_um)
    for other in others:
        first = first[..., None] + other
    return np.sqrt(first)

"""From a mask of labelled voxels to the signed distance of the surface behind it."""

import edt
import igl
import numpy as np
from jaxtyping import Bool, Float, Float32, Int64
from skimage.measure import marching_cubes

from cytoform.errors import EmptyFrame
from cytoform.shapes.grid import Grid
from cytoform.shapes.level import Level, level_of

Triple = tuple[float, float, float]

# Distances are exact within this share of the half extent, and within this many voxels, whichever is wider: training
# interpolates within four voxels, and a share makes stores of the same cells alike whatever their grid.
BAND_SHARE, BAND_VOXELS = 0.1, 4


def band_um(grid: Grid) -> float:
    """How far from the surface distances are exact and stored."""
    return max(BAND_SHARE * grid.half_extent_um, BAND_VOXELS * grid.spacing_um)


def signed_distance(
    mask: Bool[np.ndarray, "z y x"], spacing_zyx_um: Triple, grid: Grid, centre_zyx_um: Triple
) -> Float32[np.ndarray, "n n n"]:
    """Signed distance in µm at the voxel centres of `grid`, whose middle lies at `centre_zyx_um` of the mask.

    Negative inside. Within `band_um(grid)` it is the exact distance to the zero of the mask's level function, beyond
    it an estimate. The mask's voxel (k, j, i) has its centre at ((k, j, i) + 0.5) · spacing; everything outside the
    array is background. On the mask's own grid, `distance ≤ 0` is the mask. Raises EmptyFrame.
    """
    if not mask.any():
        raise EmptyFrame("no voxel is inside the cell, so there is no surface to measure from")
    level = level_of(mask, np.array(spacing_zyx_um, float))
    positions_um = [grid.centres_um - grid.half_extent_um + centre for centre in centre_zyx_um]
    sdf_um = _estimate(_resample(level, positions_um), grid)
    near = np.nonzero(np.abs(sdf_um) <= band_um(grid) + grid.spacing_um)
    points_um = np.stack([axis[index] for axis, index in zip(positions_um, near, strict=True)], axis=1)
    squared, _, _ = igl.point_mesh_squared_distance(points_um, *_surface(level))
    # A distance of 0 would count as inside.
    exact_um = np.maximum(np.sqrt(squared), 1e-6 * grid.spacing_um)
    sdf_um[near] = np.where(sdf_um[near] <= 0, -exact_um, exact_um)
    return sdf_um


def _estimate(level_um: Float32[np.ndarray, "n n n"], grid: Grid) -> Float32[np.ndarray, "n n n"]:
    """Distance to within about a voxel: the transform of the sign, or the level where that is nearer to 0."""
    inside = level_um <= 0
    if not inside.any():
        return level_um
    # Beside thick slices the level itself is off by half a slice; but it knows of parts too thin for the grid.
    transform_um = -edt.sdf(inside.astype(np.uint8), anisotropy=(grid.spacing_um,) * 3, parallel=1)
    return np.where(np.abs(level_um) < np.abs(transform_um), level_um, transform_um)


def _surface(level: Level) -> tuple[Float[np.ndarray, "vertices 3"], Int64[np.ndarray, "faces 3"]]:
    """The zero of the level as a mesh (Lorensen and Cline 1987), vertices as zyx in µm."""
    # At exactly 0, marching cubes would collapse triangles.
    values = np.where(level.values_um == 0, np.float32(-1e-6 * level.spacing_zyx_um.min()), level.values_um)
    vertices, faces, _, _ = marching_cubes(values, 0.0)
    return level.origin_zyx_um + vertices.astype(float) * level.spacing_zyx_um, faces.astype(np.int64)


def _resample(level: Level, positions_um: list[Float[np.ndarray, " n"]]) -> Float32[np.ndarray, "n n n"]:
    """Interpolate linearly, one axis after the other; beyond its border the level grows with the distance to it."""
    values = level.values_um
    beyond_um = []
    for axis, along_um in enumerate(positions_um):
        last = level.values_um.shape[axis] - 1
        # Rounded, so that positions which are nodes give exactly the value of the node.
        index = np.round((along_um - level.origin_zyx_um[axis]) / level.spacing_zyx_um[axis], 6)
        beyond_um.append((index - np.clip(index, 0, last)) * level.spacing_zyx_um[axis])
        low = np.clip(np.floor(index).astype(int), 0, last - 1)
        weight = np.clip(index - low, 0, 1).astype(np.float32).reshape([-1 if i == axis else 1 for i in range(3)])
        values = np.take(values, low, axis) * (1 - weight) + np.take(values, low + 1, axis) * weight
    z, y, x = (side.astype(np.float32) ** 2 for side in beyond_um)
    return values + np.sqrt(z[:, None, None] + y[:, None] + x)

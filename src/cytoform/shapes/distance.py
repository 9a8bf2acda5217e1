"""From a mask of labelled voxels to the signed distance of the surface behind it."""

from dataclasses import dataclass

import edt
import igl
import numpy as np
from jaxtyping import Bool, Float, Float32
from skimage.measure import marching_cubes

from cytoform.errors import EmptyFrame
from cytoform.shapes.grid import Grid

Triple = tuple[float, float, float]

# Distances are exact within this share of the half extent, and within this many voxels, whichever is wider: training
# interpolates within four voxels, and a share makes stores of the same cells comparable whatever their grid.
BAND_SHARE, BAND_VOXELS = 0.1, 4


def band_um(grid: Grid) -> float:
    """How far from the surface distances are exact and stored."""
    return max(BAND_SHARE * grid.half_extent_um, BAND_VOXELS * grid.spacing_um)


def signed_distance(
    mask: Bool[np.ndarray, "z y x"], spacing_zyx_um: Triple, grid: Grid, centre_zyx_um: Triple
) -> Float32[np.ndarray, "n n n"]:
    """Signed distance in µm at the voxel centres of `grid`, whose middle lies at `centre_zyx_um` of the mask.

    Negative inside. Exact for the surface found within `band_um(grid)`, rougher beyond. The mask's voxel (k, j, i) has
    its centre at ((k, j, i) + 0.5) · spacing; everything outside the array is background. Raises EmptyFrame.
    """
    if not mask.any():
        raise EmptyFrame("no voxel is inside the cell, so there is no surface to measure from")
    level = _level(mask, np.array(spacing_zyx_um, float))
    points_um = [grid.centres_um - grid.half_extent_um + centre for centre in centre_zyx_um]
    sdf_um = _resample(level, points_um)
    reach_um = band_um(grid) + float(np.linalg.norm(level.spacing_zyx_um))
    near = np.nonzero(np.abs(sdf_um) <= reach_um)
    vertices_um, faces = _surface(level)
    points = np.stack([axis[index] for axis, index in zip(points_um, near, strict=True)], axis=1)
    squared, _, _ = igl.point_mesh_squared_distance(points, vertices_um, faces)
    sdf_um[near] = np.copysign(np.sqrt(squared), sdf_um[near])
    return sdf_um


@dataclass(frozen=True)
class _Level:
    """A function that is negative inside, about the distance in µm, on a grid of its own."""

    values_um: Float32[np.ndarray, "z y x"]
    spacing_zyx_um: Float[np.ndarray, " 3"]
    # Position of the first voxel's centre.
    origin_zyx_um: Float[np.ndarray, " 3"]


def _level(mask: Bool[np.ndarray, "z y x"], spacing_zyx_um: Float[np.ndarray, " 3"]) -> _Level:
    """Euclidean distance transform of the mask's bounding box and a margin of two voxels."""
    where = np.nonzero(mask)
    low = np.array([axis.min() for axis in where])
    high = np.array([axis.max() + 1 for axis in where])
    crop = np.pad(mask[tuple(slice(a, b) for a, b in zip(low, high, strict=True))], 2)
    values_um = -edt.sdf(crop.astype(np.uint8), anisotropy=tuple(spacing_zyx_um), parallel=1)
    return _Level(values_um, spacing_zyx_um, (low - 2 + 0.5) * spacing_zyx_um)


def _surface(level: _Level) -> tuple[Float[np.ndarray, "v 3"], np.ndarray]:
    vertices, faces, _, _ = marching_cubes(level.values_um, 0.0)
    vertices_um = level.origin_zyx_um + vertices.astype(float) * level.spacing_zyx_um
    return vertices_um, np.ascontiguousarray(faces, dtype=np.int64)


def _resample(level: _Level, points_um: list[Float[np.ndarray, " n"]]) -> Float32[np.ndarray, "n n n"]:
    """Interpolate linearly, one axis after the other; beyond its border the level grows with the distance to it."""
    values = level.values_um
    beyond = []
    for axis, positions_um in enumerate(points_um):
        last = level.values_um.shape[axis] - 1
        index = (positions_um - level.origin_zyx_um[axis]) / level.spacing_zyx_um[axis]
        beyond.append(((index - np.clip(index, 0, last)) * level.spacing_zyx_um[axis]) ** 2)
        low = np.clip(np.floor(index).astype(int), 0, last - 1)
        weight = np.clip(index - low, 0, 1).astype(np.float32)
        weight = weight.reshape([-1 if i == axis else 1 for i in range(3)])
        values = np.take(values, low, axis) * (1 - weight) + np.take(values, low + 1, axis) * weight
    outside = np.sqrt(beyond[0][:, None, None] + beyond[1][:, None] + beyond[2], dtype=np.float32)
    return values + outside

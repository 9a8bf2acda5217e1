"""The distance to the zero level of a volume whose values are not distances in µm."""

import edt
import igl
import numpy as np
from jaxtyping import Float, Float32

from cytoform.shapes.distance import band_um
from cytoform.shapes.grid import Grid
from cytoform.shapes.mesh import mesh_from_distance


def distance_to_zero(level: Float[np.ndarray, "n n n"], grid: Grid) -> Float32[np.ndarray, "n n n"]:
    """Signed distance in µm to where `level`, given at the voxel centres of `grid`, is 0; negative inside.

    The surface is that of marching cubes, between the voxels; within `band_um(grid)` the distance to it is exact, beyond
    it is the distance transform. `distance ≤ 0` is `level ≤ 0`. Raises EmptyFrame.
    """
    # Marching cubes takes any unit; a cube of about the same size as its values keeps its small numbers apart.
    scale = grid.half_extent_um / max(float(np.abs(level).max()), 1e-30)
    mesh = mesh_from_distance(np.asarray(level * scale, np.float32), grid.spacing_um)
    inside = level <= 0
    sdf_um = -edt.sdf(inside.astype(np.uint8), anisotropy=(grid.spacing_um,) * 3, parallel=1)
    near = np.nonzero(np.abs(sdf_um) <= band_um(grid) + grid.spacing_um)
    points_zyx_um = (np.stack(near, axis=1) + 0.5) * grid.spacing_um
    vertices_zyx_um = np.ascontiguousarray(mesh.vertices_xyz_um[:, ::-1], float)
    squared, _, _ = igl.point_mesh_squared_distance(points_zyx_um, vertices_zyx_um, mesh.faces.astype(np.int64))
    # A distance of 0 would count as inside.
    exact_um = np.maximum(np.sqrt(squared), 1e-6 * grid.spacing_um)
    sdf_um[near] = np.where(inside[near], -exact_um, exact_um)
    return np.asarray(sdf_um, np.float32)

"""The distance to the zero level of a volume whose values are not distances in µm."""

import edt
import numpy as np
from jaxtyping import Float, Float32

from cytoform.shapes.distance import measured
from cytoform.shapes.grid import Grid
from cytoform.shapes.mesh import mesh_from_distance
from cytoform.shapes.surface import Surface


def distance_to_zero(level: Float[np.ndarray, "n n n"], grid: Grid) -> Float32[np.ndarray, "n n n"]:
    """Signed distance in µm to where `level`, given at the voxel centres of `grid`, is 0; negative inside.

    The surface is that of marching cubes, between the voxels; the distance to it is as exact as that of
    `signed_distance`. `distance ≤ 0` is `level ≤ 0`. Raises EmptyFrame.
    """
    # Marching cubes takes any unit; a cube of about the same size as its values keeps its small numbers apart.
    scale = grid.half_extent_um / max(float(np.abs(level).max()), 1e-30)
    mesh = mesh_from_distance(np.asarray(level * scale, np.float32), grid.spacing_um)
    inside = level <= 0
    sdf_um = -edt.sdf(inside.astype(np.uint8), anisotropy=(grid.spacing_um,) * 3, parallel=1)
    vertices_zyx_um = np.ascontiguousarray(mesh.vertices_xyz_um[:, ::-1], float)
    return measured(sdf_um, [grid.centres_um] * 3, Surface(vertices_zyx_um, mesh.faces.astype(np.int64)), grid)

"""Signed distance of one surface from another at every vertex."""

import numpy as np
from jaxtyping import Float

from cytoform.shapes.mesh import Mesh


def signed_errors_um(mesh: Mesh, reference: Mesh) -> Float[np.ndarray, " vertices"]:
    """Signed distance of every vertex of `mesh` to the surface of `reference` in µm, positive outside, negative inside.

    Distances to triangles are exact (libigl), signs are from angle-weighted normals (Baerentzen and Aanaes 2005), so the
    reference must be closed.
    """
    import igl

    points = np.ascontiguousarray(mesh.vertices_xyz_um, np.float64)
    surface = (
        np.ascontiguousarray(reference.vertices_xyz_um, np.float64),
        np.ascontiguousarray(reference.faces, np.int64),
    )
    distances, *_ = igl.signed_distance(points, *surface, sign_type=igl.SIGNED_DISTANCE_TYPE_PSEUDONORMAL)
    return np.asarray(distances)

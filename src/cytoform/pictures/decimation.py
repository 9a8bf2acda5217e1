"""Mesh decimation for display."""

import numpy as np
from jaxtyping import Shaped
from scipy.spatial import KDTree

from cytoform.shapes.mesh import Mesh


def decimated(mesh: Mesh, n_faces: int) -> Mesh:
    """Reduce a mesh to about `n_faces` faces, if it has more, by quadric error metrics (Garland and Heckbert 1997)."""
    import fast_simplification

    if len(mesh.faces) <= n_faces:
        return mesh
    points, faces = fast_simplification.simplify(
        mesh.vertices_xyz_um.astype(np.float32), mesh.faces.astype(np.int32), target_count=n_faces
    )
    return Mesh(points, faces.astype(np.int64))


def nearest_values(values: Shaped[np.ndarray, " vertices"], mesh: Mesh, to: Mesh) -> Shaped[np.ndarray, " others"]:
    """Transfer vertex values to another mesh: each vertex of `to` gets the value of the nearest vertex of `mesh`."""
    if to is mesh:
        return values
    return values[KDTree(mesh.vertices_xyz_um).query(to.vertices_xyz_um)[1]]

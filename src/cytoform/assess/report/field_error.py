"""How far the points of a surface lie from the cell that they are to reproduce, and on which side."""

import numpy as np
from jaxtyping import Float
from scipy.ndimage import map_coordinates

from cytoform.shapes.mesh import Mesh


def field_errors_um(
    mesh: Mesh, original_sdf_um: Float[np.ndarray, "z y x"], spacing_um: float, *, band_um: float
) -> Float[np.ndarray, " vertices"]:
    """Signed distance of every vertex to the original's surface in µm: + outside of it, no more than ± `band_um`.

    The original's stored distances are interpolated linearly between voxels; beyond the band they say no more than
    that they are.
    """
    # Voxel k has its centre at (k + 0.5) times the spacing.
    places_zyx = mesh.vertices_xyz_um[:, ::-1].T.astype(np.float64) / spacing_um - 0.5
    errors = map_coordinates(original_sdf_um.astype(np.float32), places_zyx, order=1, mode="nearest")
    return np.clip(errors, -band_um, band_um).astype(np.float32)

"""Meshes of simulated cells, for pictures and for measuring."""

import numpy as np
from scipy.ndimage import binary_dilation

from cytoform.shapes.mesh import Mesh, mesh_from_distance
from cytoform.simulate.cell import Part
from cytoform.simulate.sampling import inside_voxels


def mesh_of_part(part: Part, *, spacing_um: float) -> Mesh:
    """Surface of a part by marching cubes of its distance, in the family's own coordinates.

    Distances are evaluated at the voxels on both sides of the surface only, which is all that marching cubes reads.
    """
    low, high = part.bounds_zyx_um
    corner = low - 2 * spacing_um
    n_z, n_y, n_x = (int(n) for n in np.ceil((high - low) / spacing_um) + 4)
    spacing = (spacing_um, spacing_um, spacing_um)
    inside = inside_voxels(part, shape=(n_z, n_y, n_x), spacing_zyx_um=spacing, corner_zyx_um=corner)
    cube = np.ones((3, 3, 3), dtype=bool)
    voxels = np.argwhere(binary_dilation(inside, cube) & binary_dilation(~inside, cube))
    sdf = np.where(inside, -spacing_um, spacing_um).astype(np.float32)
    sdf[tuple(voxels.T)] = part.distance_um(corner + (voxels + 0.5) * spacing_um)
    mesh = mesh_from_distance(sdf, spacing_um)
    return Mesh((mesh.vertices_xyz_um + corner[::-1]).astype(np.float32), mesh.faces)

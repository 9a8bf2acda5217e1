"""How long a body is for its width, and how much of its convex hull it fills; both from its closed mesh."""

import math

import numpy as np

from cytoform.shapes.mesh import Mesh


def elongation(mesh: Mesh) -> float:
    """Longest over second longest axis of the ellipsoid with the same second moments; 1 for a ball and for a disc."""
    a, b, c = (mesh.vertices_xyz_um[mesh.faces[:, corner]].astype(float) for corner in range(3))
    middle = mesh.vertices_xyz_um.mean(axis=0, dtype=float)
    a, b, c = a - middle, b - middle, c - middle
    # Tetrahedra from the middle to every face; their signed volumes and moments add up to those of the body.
    volumes = np.einsum("ij,ij->i", a, np.cross(b, c)) / 6
    total = volumes.sum()
    if total <= 0:
        return math.nan
    corners_sum = a + b + c
    centroid = volumes @ corners_sum / 4 / total
    moments = sum(np.einsum("n,ni,nj->ij", volumes, p, p) for p in (a, b, c, corners_sum)) / 20
    _, second, longest = np.linalg.eigvalsh(moments / total - np.outer(centroid, centroid))
    return float(np.sqrt(longest / second)) if second > 0 else math.nan


def solidity(mesh: Mesh) -> float:
    """Volume over that of the convex hull; 1 for a convex body, less with protrusions, hollows or several pieces."""
    from scipy.spatial import ConvexHull, QhullError

    try:
        return mesh.volume_um3 / float(ConvexHull(mesh.vertices_xyz_um).volume)
    except QhullError:
        return math.nan  # flat: a mesh without volume

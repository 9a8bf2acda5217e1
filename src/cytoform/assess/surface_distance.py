"""How far two surfaces lie apart, in µm."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from cytoform.shapes.mesh import Mesh


@dataclass(frozen=True)
class SurfaceDistance:
    """Symmetric distances: the mean over both surfaces (ASSD), and the 95th percentile Hausdorff distance (HD95)."""

    assd_um: float
    hd95_um: float


def surface_distance(a: Mesh, b: Mesh) -> SurfaceDistance:
    """Distances from every face of each mesh to the other mesh, weighted by the area of the face.

    Points are the centroids of faces, distances are exact ones to the other triangles (libigl), so that neither the
    density nor the place of vertices matters. ASSD is the mean over the area of both; HD95 is the larger of the two
    directed 95th percentiles.
    """
    from_a, area_a = _directed(a, b)
    from_b, area_b = _directed(b, a)
    total = float(from_a @ area_a + from_b @ area_b)
    return SurfaceDistance(
        assd_um=total / float(area_a.sum() + area_b.sum()),
        hd95_um=max(_percentile(from_a, area_a, 0.95), _percentile(from_b, area_b, 0.95)),
    )


def _directed(a: Mesh, b: Mesh) -> tuple[Float[np.ndarray, " faces"], Float[np.ndarray, " faces"]]:
    """Distance of each face of `a` to `b` in µm, and the area of the face in µm²."""
    import igl

    corners = a.vertices_xyz_um[a.faces].astype(np.float64)
    areas = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1) / 2
    surface = np.ascontiguousarray(b.vertices_xyz_um, np.float64), np.ascontiguousarray(b.faces, np.int64)
    squared, _, _ = igl.point_mesh_squared_distance(corners.mean(axis=1), *surface)
    return np.sqrt(np.maximum(squared, 0)), areas


def _percentile(values: Float[np.ndarray, " n"], weights: Float[np.ndarray, " n"], share: float) -> float:
    """The smallest value that at least `share` of the weight does not exceed."""
    order = np.argsort(values)
    reached = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(reached, share * reached[-1]).clip(max=len(values) - 1)])

"""Distance between two surfaces or outlines in µm, and consistency of their normals."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from cytoform.shapes.boundary import Boundary, in_space, normals_of_faces


@dataclass(frozen=True)
class SurfaceDistance:
    """Symmetric distances: mean over both surfaces (ASSD), 95th percentile Hausdorff (HD95); and normal consistency."""

    assd_um: float
    hd95_um: float
    normal_consistency: float


def surface_distance(a: Boundary, b: Boundary) -> SurfaceDistance:
    """Distance from every face of each mesh to the other mesh, weighted by the area of the face.

    Distances are exact, from centroids of faces to triangles (libigl), so that density and position of vertices do not
    matter. ASSD is the mean over the area of both surfaces. HD95 is the larger of the two directed 95th percentiles (Taha
    and Hanbury 2015). Normal consistency is the mean over both areas of the absolute cosine between a face's normal and
    the nearest face's normal (Mescheder et al. 2019): 1 for equal surfaces, 0.5 for unrelated ones.
    """
    faces_a, faces_b = _Faces.of(a), _Faces.of(b)
    from_a, cosines_a = _directed(faces_a, faces_b)
    from_b, cosines_b = _directed(faces_b, faces_a)
    area = float(faces_a.areas_um2.sum() + faces_b.areas_um2.sum())
    return SurfaceDistance(
        assd_um=float(from_a @ faces_a.areas_um2 + from_b @ faces_b.areas_um2) / area,
        hd95_um=max(_percentile(from_a, faces_a.areas_um2, 0.95), _percentile(from_b, faces_b.areas_um2, 0.95)),
        normal_consistency=float(cosines_a @ faces_a.areas_um2 + cosines_b @ faces_b.areas_um2) / area,
    )


@dataclass(frozen=True)
class _Faces:
    """The triangles of a surface, or the segments of an outline."""

    vertices_xyz_um: Float[np.ndarray, "vertices dims"]
    faces: Int[np.ndarray, "faces dims"]
    centroids_xyz_um: Float[np.ndarray, "faces dims"]
    areas_um2: Float[np.ndarray, " faces"]
    normals_xyz: Float[np.ndarray, "faces dims"]

    @classmethod
    def of(cls, boundary: Boundary) -> "_Faces":
        vertices = np.ascontiguousarray(boundary.vertices_um, np.float64)
        normals = normals_of_faces(boundary)
        lengths = np.linalg.norm(normals, axis=1)
        return cls(
            vertices,
            np.ascontiguousarray(boundary.faces, np.int64),
            vertices[boundary.faces].mean(axis=1),
            lengths / (vertices.shape[1] - 1),
            normals / np.maximum(lengths, 1e-30)[:, None],
        )


def _directed(a: _Faces, b: _Faces) -> tuple[Float[np.ndarray, " faces"], Float[np.ndarray, " faces"]]:
    """For each face of `a`, its distance to `b` in µm, and the absolute cosine between the normals."""
    import igl

    squared, nearest, _ = igl.point_mesh_squared_distance(
        in_space(a.centroids_xyz_um), in_space(b.vertices_xyz_um), b.faces
    )
    cosines = np.abs(np.einsum("ij,ij->i", a.normals_xyz, b.normals_xyz[nearest]))
    return np.sqrt(np.maximum(squared, 0)), cosines


def _percentile(values: Float[np.ndarray, " n"], weights: Float[np.ndarray, " n"], share: float) -> float:
    """Weighted quantile: the smallest value with at least `share` of the weight at or below it."""
    order = np.argsort(values)
    reached = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(reached, share * reached[-1]).clip(max=len(values) - 1)])

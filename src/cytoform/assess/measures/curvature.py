"""Mean curvature of a cell's surface in 1/µm: mean of the two principal curvatures, positive for convex surfaces.

An outline has one curvature.

Its mean over the area is exact for the mesh: the integral of mean curvature of a polyhedron is half the sum of edge
length times dihedral angle (Steiner; Santaló 1976). Its spread needs local values, which are dominated by the steps of
voxels in a mesh or a distance measured from voxels; so the distance is smoothed first, with a Gaussian of a tenth of the
cell's equivalent radius. Fits of quadrics (libigl) were tested: on exact shapes, their errors were 5 to 20 times larger,
and their values no smoother.
"""

import numpy as np
from jaxtyping import Float

from cytoform.shapes.boundary import Boundary, ball_radius, normals_of_faces
from cytoform.shapes.mesh import Mesh
from cytoform.shapes.outline import Outline

# Width of the Gaussian: share of the radius of a ball with the cell's volume, and minimum in voxels.
SMOOTHING_SHARE, SMOOTHING_VOXELS = 0.1, 1.5


def mean_curvature_per_um(mesh: Mesh) -> float:
    """Mean curvature averaged over the area of a closed mesh; 1/r for a ball."""
    vertices, faces = mesh.vertices_xyz_um.astype(float), mesh.faces
    across = np.cross(vertices[faces[:, 1]] - vertices[faces[:, 0]], vertices[faces[:, 2]] - vertices[faces[:, 0]])
    normals = across / np.maximum(np.linalg.norm(across, axis=1, keepdims=True), 1e-30)
    edges = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    # In this order, the two faces of an edge are adjacent.
    order = np.argsort(edges.min(axis=1).astype(np.int64) * len(vertices) + edges.max(axis=1), kind="stable")
    first, second = order[0::2], order[1::2]
    one, other = normals[first % len(faces)], normals[second % len(faces)]
    along = vertices[edges[first, 1]] - vertices[edges[first, 0]]
    lengths = np.linalg.norm(along, axis=1)
    sines = np.einsum("ij,ij->i", np.cross(one, other), along) / np.maximum(lengths, 1e-30)
    angles = np.arctan2(sines, np.einsum("ij,ij->i", one, other))
    return float(lengths @ angles / 2 / mesh.area_um2)


def curvature_spread_per_um(sdf_um: Float[np.ndarray, "*zyx"], boundary: Boundary, spacing_um: float) -> float:
    """Standard deviation of the smoothed mean curvature over the boundary; 0 for a ball. `boundary` is the zero
    level of `sdf_um`.
    """
    from scipy.ndimage import gaussian_filter, map_coordinates

    radius_um = ball_radius(max(boundary.size, 0.0), sdf_um.ndim)
    width = max(SMOOTHING_SHARE * radius_um / spacing_um, SMOOTHING_VOXELS)
    smooth_um = gaussian_filter(sdf_um.astype(np.float32), width, mode="nearest", truncate=3)
    slopes = np.gradient(smooth_um, spacing_um)
    slope_norm = np.maximum(np.sqrt(sum(slope**2 for slope in slopes)), 1e-6)
    divergence = sum(np.gradient(slope / slope_norm, spacing_um, axis=axis) for axis, slope in enumerate(slopes))
    places_zyx = boundary.vertices_um[:, ::-1].T / spacing_um - 0.5
    curvature = map_coordinates(divergence / (sdf_um.ndim - 1), places_zyx, order=1, mode="nearest")
    weights = _vertex_extents(boundary)
    mean = np.average(curvature, weights=weights)
    return float(np.sqrt(np.average((curvature - mean) ** 2, weights=weights)))


def turning_per_um(outline: Outline) -> float:
    """Curvature averaged over the length of an outline, from the angles between its segments; 1/r for a disc."""
    start, end = outline.ends
    # The segments of a polygon follow one another; from its last one the next is its first.
    follows = np.empty(len(outline.vertices_xy_um), int)
    follows[outline.segments[:, 0]] = np.arange(len(outline.segments))
    after = (end - start)[follows[outline.segments[:, 1]]]
    along = end - start
    sines = along[:, 0] * after[:, 1] - along[:, 1] * after[:, 0]
    angles = np.arctan2(sines, np.einsum("ij,ij->i", along, after))
    return float(angles.sum() / outline.perimeter_um)


def _vertex_extents(boundary: Boundary) -> Float[np.ndarray, " vertices"]:
    """Total area of the faces around each vertex, of outlines the length of its segments."""
    n_corners = boundary.faces.shape[1]
    extents = np.linalg.norm(normals_of_faces(boundary), axis=1) / (n_corners - 1)
    return np.bincount(boundary.faces.ravel(), np.repeat(extents, n_corners), len(boundary.vertices_um))

"""The surface of a body over its movie, on which protrusions stand."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.spatial import cKDTree

from cytoform.errors import EmptyFrame
from cytoform.representations.parts.representation import there_and_back
from cytoform.shapes.boundary import Boundary, normals_of_faces
from cytoform.synthesis.field import Field

# Grid on which the surface of a new body is found, and moments at which its volume is measured.
COARSE_GRID, MOMENTS = 64, 9


@dataclass(frozen=True)
class Surface:
    """The surface of a body at some moments of its movie, and its volume."""

    vertices: Sequence[Float[np.ndarray, "_ dims"]]  # (x, y, z) in Ω, in images (x, y)
    normals: Sequence[Float[np.ndarray, "_ dims"]]
    weights: Sequence[Float[np.ndarray, " _"]]  # share of the area at each vertex
    volumes: Float[np.ndarray, " moments"]
    centres: Float[np.ndarray, "moments dims"]  # centroids of the body

    @classmethod
    def of(cls, body: Field, span: float) -> "Surface":
        """The surface of a field at equal moments over a movie of `span` learned movies."""
        try:
            boundaries = [boundary_of(body, 2 * there_and_back(moment) - 1) for moment in np.linspace(0, span, MOMENTS)]
        except EmptyFrame:
            raise EmptyFrame(
                "a new body is empty in some frame; train longer, or draw with a smaller --sigma"
            ) from None
        vertices, normals, weights = zip(*(_weighted(each, body.half_extent_um) for each in boundaries), strict=True)
        volumes = np.array([each.size for each in boundaries]) / body.half_extent_um**body.n_dims
        centres = np.stack([each.centroid_um for each in boundaries]) / body.half_extent_um - 1
        return cls(vertices, normals, weights, volumes, centres)

    def at(
        self, shares: Float[np.ndarray, " n"], values: Float[np.ndarray, "moments ..."]
    ) -> Float[np.ndarray, "n ..."]:
        """Values of the moments at shares of the movie, by linear interpolation."""
        from scipy.interpolate import make_interp_spline

        return np.asarray(make_interp_spline(np.linspace(0, 1, len(values)), values, k=1)(shares))

    def draw(self, n: int, share: float, rng: np.random.Generator) -> Float[np.ndarray, "n dims"]:
        """Random points, uniform over the area, at a share of the movie."""
        moment = self._moment(share)
        return self.vertices[moment][rng.choice(len(self.weights[moment]), n, p=self.weights[moment])]

    def follow(
        self, point: Float[np.ndarray, " dims"], start: float, end: float
    ) -> tuple[Float[np.ndarray, "2 dims"], Float[np.ndarray, "2 dims"]]:
        """A point of the surface and the normal there, at two shares of the movie."""
        roots, axes = [], []
        for share in (start, end):
            moment = self._moment(share)
            nearest = int(cKDTree(self.vertices[moment]).query(point)[1])
            roots.append(self.vertices[moment][nearest])
            axes.append(self.normals[moment][nearest])
        return np.stack(roots), np.stack(axes)

    def distance(self, points: Float[np.ndarray, "n dims"], share: float) -> Float[np.ndarray, " n"]:
        """Signed distance from the nearest vertex, negative in the body, at a share of the movie."""
        moment = self._moment(share)
        distance, nearest = cKDTree(self.vertices[moment]).query(points)
        outwards = np.sum((points - self.vertices[moment][nearest]) * self.normals[moment][nearest], axis=1)
        return np.asarray(np.copysign(distance, outwards))

    def directions(self, points: Float[np.ndarray, "n dims"]) -> Float[np.ndarray, "n dims"]:
        """Unit vectors from the centre of the cube."""
        return points / np.maximum(np.linalg.norm(points, axis=1, keepdims=True), 1e-9)

    def _moment(self, share: float) -> int:
        return round(min(max(share, 0), 1) * (len(self.vertices) - 1))


def boundary_of(body: Field, time: float) -> Boundary:
    """The surface or the outline of a cell on the coarse grid."""
    return body.boundary(time, 2 * body.half_extent_um / COARSE_GRID)


def volume_of(cell: Field, time: float, grid_size: int) -> float:
    """Volume of a cell on a grid, in cubed half extents."""
    return cell.boundary(time, 2 * cell.half_extent_um / grid_size).size / cell.half_extent_um**cell.n_dims


def _weighted(boundary: Boundary, half_extent_um: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Vertices in Ω, their normals, and their shares of the area or the perimeter."""
    vertices, across = boundary.vertices_um.astype(float), normals_of_faces(boundary)
    normals, areas = np.zeros_like(vertices), np.zeros(len(vertices))
    for corners in boundary.faces.T:
        np.add.at(normals, corners, across)
        np.add.at(areas, corners, np.linalg.norm(across, axis=1))
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)
    return vertices / half_extent_um - 1, normals, areas / areas.sum()

"""The boundary of a cell: a closed surface in space, or a closed outline in an image.

Either has `vertices_um`, `faces` (triangles or segments), a `size` (volume or area inside) and an `extent` (surface area
or perimeter). What depends on the number of dimensions is in the tables below.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from cytoform.base.triples import Ints
from cytoform.shapes.mesh import Mesh, mesh_from_distance, surface_points
from cytoform.shapes.outline import Outline, outline_from_distance, outline_points, zero_level

Boundary = Mesh | Outline
UNIT_BALLS = {3: 4 / 3 * math.pi, 2: math.pi, 1: 2.0}  # volume, area, length
BALL_NAMES = {3: "ball", 2: "disc"}


@dataclass(frozen=True)
class BoundaryFiles:
    """What boundaries are called, their folder and the ending of their files."""

    title: str
    folder: str
    ending: str


BOUNDARY_FILES = {3: BoundaryFiles("Surfaces", "meshes", ".ply"), 2: BoundaryFiles("Outlines", "outlines", ".csv")}


def ball_radius(size: float, n_dims: int) -> float:
    """Radius of the ball with a volume, or of the disc with an area."""
    return math.cbrt(3 * size / (4 * math.pi)) if n_dims == 3 else math.sqrt(size / math.pi)


def in_space(points: Float[np.ndarray, "n dims"]) -> Float[np.ndarray, "n 3"]:
    """Points of a plane as points in space, for libraries that know no others."""
    return np.pad(points, ((0, 0), (0, 3 - points.shape[1])))


def normals_of_faces(boundary: Boundary) -> Float[np.ndarray, "faces dims"]:
    """Outward normals, as long as the face is wide: twice the area of a triangle, the length of a segment."""
    corners = boundary.vertices_um.astype(float)[boundary.faces]
    along = corners[:, 1:] - corners[:, :1]
    if along.shape[1] == 1:
        return along[:, 0, ::-1] * (1, -1)
    return np.cross(along[:, 0], along[:, 1])


def cones(
    boundary: Boundary, apex_um: Float[np.ndarray, " dims"]
) -> tuple[Float[np.ndarray, "faces dims dims"], Float[np.ndarray, " faces"]]:
    """Corners of every face from `apex_um`, and the signed size of the tetrahedron or triangle between them and it.

    The sizes of all faces add up to the size of the body.
    """
    corners = boundary.vertices_um.astype(float)[boundary.faces] - apex_um
    if corners.shape[1] == 2:
        start, end = corners[:, 0], corners[:, 1]
        return corners, (start[:, 0] * end[:, 1] - start[:, 1] * end[:, 0]) / 2
    return corners, np.einsum("ij,ij->i", corners[:, 0], np.cross(corners[:, 1], corners[:, 2])) / 6


def boundary_from_distance(
    sdf_um: Float[np.ndarray, "*zyx"], spacing_um: float, *, corner_zyx: Ints | None = None
) -> Boundary:
    """The zero level of distances; closed, also where the cell touches the border.

    `corner_zyx` is the index of the first voxel in a larger grid. Raises EmptyFrame if no voxel is inside.
    """
    return _FROM_DISTANCE[sdf_um.ndim](sdf_um, spacing_um, corner_zyx=corner_zyx or (0,) * sdf_um.ndim)


def boundary_points(boundary: Boundary, n_points: int, rng: np.random.Generator) -> Float[np.ndarray, "points dims"]:
    """Random points in µm, x first, uniform over a surface or an outline."""
    return _POINTS[type(boundary)](boundary, n_points, rng)


def level_set(
    values: Float[np.ndarray, "*zyx"],
) -> tuple[Float[np.ndarray, "vertices dims"], Int[np.ndarray, "faces dims"]]:
    """Vertices in voxels from the centre of the first one, in the order of the axes, and faces of the zero level.

    By marching cubes (Lorensen and Cline 1987) or marching squares. No value is exactly 0, and the border is outside.
    """
    return _LEVEL_SETS[values.ndim](values)


def _by_marching_cubes(values: Float[np.ndarray, "z y x"]) -> tuple[np.ndarray, np.ndarray]:
    from skimage.measure import marching_cubes

    vertices, faces, _, _ = marching_cubes(values, 0.0)
    return vertices, faces


_FROM_DISTANCE: dict[int, Callable[..., Boundary]] = {3: mesh_from_distance, 2: outline_from_distance}
_POINTS: dict[type[Boundary], Callable[..., np.ndarray]] = {Mesh: surface_points, Outline: outline_points}
_LEVEL_SETS: dict[int, Callable[[np.ndarray], tuple[Any, Any]]] = {3: _by_marching_cubes, 2: zero_level}

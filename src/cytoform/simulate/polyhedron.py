"""Closed triangle meshes with exact signed distance: the bodies of simulated cells."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, cached_property

import igl
import numpy as np
from jaxtyping import Float, Int

from cytoform.shapes.mesh import Mesh

RINGS, SPOKES = 48, 64
# Takes points of the unit sphere to points of a surface.
SurfaceMap = Callable[[Float[np.ndarray, "n 3"]], Float[np.ndarray, "n 3"]]


@dataclass(frozen=True)
class Polyhedron:
    """A closed triangle mesh. It is the exact shape, not an approximation, because `distance_um` is exact for it."""

    vertices_zyx_um: Float[np.ndarray, "vertices 3"]
    faces: Int[np.ndarray, "faces 3"]

    @cached_property
    def mesh(self) -> Mesh:
        """The same surface as a mesh in x, y, z with outward normals."""
        # Reversing the axes mirrors space, so the orientation of the faces is reversed too.
        return Mesh(np.ascontiguousarray(self.vertices_zyx_um[:, ::-1]), np.ascontiguousarray(self.faces[:, ::-1]))

    @property
    def volume_um3(self) -> float:
        """Exact volume."""
        return self.mesh.volume_um3

    @property
    def size(self) -> float:
        """The volume, as the size in any number of dimensions."""
        return self.volume_um3

    @property
    def area_um2(self) -> float:
        """Exact surface area."""
        return self.mesh.area_um2

    @property
    def bounds_zyx_um(self) -> Float[np.ndarray, "2 3"]:
        """Lowest and highest corner of the box around the shape."""
        return np.stack([self.vertices_zyx_um.min(axis=0), self.vertices_zyx_um.max(axis=0)])

    def distance_um(self, points_zyx_um: Float[np.ndarray, "n 3"]) -> Float[np.ndarray, " n"]:
        """Exact signed distance, negative inside; sign from the angle-weighted pseudonormal (Bærentzen 2005)."""
        if not len(points_zyx_um):
            return np.zeros(0)
        found = igl.signed_distance(
            np.ascontiguousarray(points_zyx_um, dtype=np.float64),
            self.vertices_zyx_um,
            self.faces,
            sign_type=igl.SIGNED_DISTANCE_TYPE_PSEUDONORMAL,
        )
        return np.asarray(found[0], dtype=np.float64)

    def placed(self, place: SurfaceMap) -> "Polyhedron":
        """The polyhedron whose vertices are where `place` takes those of this one."""
        return Polyhedron(place(self.vertices_zyx_um), self.faces)

    def resized(self, volume_um3: float, centre_zyx_um: Float[np.ndarray, " 3"]) -> "Polyhedron":
        """The same shape scaled about `centre_zyx_um` to exactly this volume."""
        scale = (volume_um3 / self.volume_um3) ** (1 / 3)
        return Polyhedron(centre_zyx_um + scale * (self.vertices_zyx_um - centre_zyx_um), self.faces)


@cache
def _sphere_faces(rings: int, spokes: int) -> Int[np.ndarray, "faces 3"]:
    """Faces of a sphere with rings of `spokes` vertices and a vertex at each pole, facing outward."""
    ring = np.arange(rings * spokes).reshape(rings, spokes)
    nxt = np.roll(ring, -1, axis=1)
    south, north = rings * spokes, rings * spokes + 1
    low, low_nxt, high, high_nxt = ring[:-1].ravel(), nxt[:-1].ravel(), ring[1:].ravel(), nxt[1:].ravel()
    parts = [
        np.stack([low, low_nxt, high], axis=1),
        np.stack([low_nxt, high_nxt, high], axis=1),
        np.stack([np.full(spokes, south), nxt[0], ring[0]], axis=1),
        np.stack([np.full(spokes, north), ring[-1], nxt[-1]], axis=1),
    ]
    return np.ascontiguousarray(np.concatenate(parts), dtype=np.int64)


def ring_angles(rings: int = RINGS) -> Float[np.ndarray, " angles"]:
    """Polar angles of the poles and rings, from the south pole (0) to the north pole (π)."""
    return np.linspace(0, np.pi, rings + 2)


def revolve(
    heights: Float[np.ndarray, " rings"],
    radii: Float[np.ndarray, " rings"],
    basis: Float[np.ndarray, "3 3"],
    *,
    spokes: int = SPOKES,
) -> Polyhedron:
    """Surface of revolution: heights along basis[2] and radii around it; both ends lie on the axis."""
    turn = 2 * np.pi * np.arange(spokes) / spokes
    circle = np.cos(turn)[:, None] * basis[0] + np.sin(turn)[:, None] * basis[1]
    rings = heights[1:-1, None, None] * basis[2] + radii[1:-1, None, None] * circle
    poles = np.stack([heights[0] * basis[2], heights[-1] * basis[2]])
    return Polyhedron(np.concatenate([rings.reshape(-1, 3), poles]), _sphere_faces(len(heights) - 2, spokes))


def unit_sphere(*, rings: int = RINGS, spokes: int = SPOKES) -> Polyhedron:
    """A triangulated unit sphere."""
    angles = ring_angles(rings)
    return revolve(-np.cos(angles), np.sin(angles), np.eye(3), spokes=spokes)


def surface_at(place: SurfaceMap, direction: Float[np.ndarray, " 3"]) -> tuple[Float[np.ndarray, " 3"], ...]:
    """Point of a deformed unit sphere in a direction, and the outward normal there."""
    helper = np.eye(3)[np.argmin(np.abs(direction))]
    first = np.cross(direction, helper)
    second = np.cross(direction, first)
    near = np.stack([direction, direction + 1e-4 * first, direction + 1e-4 * second])
    point, one, two = place(near / np.linalg.norm(near, axis=1, keepdims=True))
    normal = np.cross(one - point, two - point)
    return point, normal / np.linalg.norm(normal)

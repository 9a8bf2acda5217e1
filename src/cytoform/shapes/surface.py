"""A surface or an outline, and distances to it: measured at points, or bounded from measurements at fewer points."""

from itertools import product

import igl
import numpy as np
from jaxtyping import Bool, Float, Float64, Int64
from scipy.ndimage import maximum_filter

from cytoform.shapes.boundary import level_set
from cytoform.shapes.level import Level

# Positions along z, y and x of the voxels of a grid.
Axes = list[Float64[np.ndarray, " _"]]


class Surface:
    """A closed surface of triangles, or an outline of segments, with a tree for fast distance queries."""

    def __init__(
        self, vertices_zyx_um: Float64[np.ndarray, "vertices dims"], faces: Int64[np.ndarray, "faces dims"]
    ) -> None:
        self._n_dims = vertices_zyx_um.shape[1]
        self._vertices_zyx_um, self._faces = _padded(vertices_zyx_um), faces
        self._tree = igl.AABB()
        self._tree.init(self._vertices_zyx_um, self._faces)

    @classmethod
    def of_level(cls, level: Level) -> "Surface":
        """The zero of a level function."""
        # At exactly 0, triangles would collapse.
        values = np.where(level.values_um == 0, np.float32(-1e-6 * level.spacing_zyx_um.min()), level.values_um)
        vertices, faces = level_set(values)
        return cls(level.origin_zyx_um + vertices.astype(float) * level.spacing_zyx_um, faces.astype(np.int64))

    @property
    def box_zyx_um(self) -> tuple[Float[np.ndarray, " dims"], Float[np.ndarray, " dims"]]:
        """Lowest and highest corner of the bounding box."""
        vertices = self._vertices_zyx_um[:, -self._n_dims :]
        return vertices.min(axis=0), vertices.max(axis=0)

    def nearest(
        self, points_zyx_um: Float[np.ndarray, "n dims"]
    ) -> tuple[Float[np.ndarray, " n"], Float[np.ndarray, "n dims"]]:
        """Squared distance in µm² of each point, and its nearest point on the surface."""
        if not len(points_zyx_um):
            return np.empty(0), np.empty((0, self._n_dims))
        squared, _, nearest_zyx_um = self._tree.squared_distance(
            self._vertices_zyx_um, self._faces, _padded(points_zyx_um)
        )
        return squared, nearest_zyx_um[:, -self._n_dims :]

    def bounds(
        self, where: Bool[np.ndarray, "*zyx"], axes_um: Axes
    ) -> tuple[Float[np.ndarray, " n"], Float[np.ndarray, " n"]]:
        """Lower and upper bounds in µm of the distance of marked voxels of an isotropic grid, in C order.

        Distances are measured only at every second voxel, the nodes. Upper bound: the distance to the surface points
        nearest to the neighbouring nodes. Lower bound: |p|² - distance(p)² is convex in p, as the maximum over surface
        points q of 2 p·q - |q|², so linear interpolation between nodes is never below it.
        """
        nodes = maximum_filter(np.pad(where, (0, 2)), 3)[(slice(None, None, 2),) * where.ndim]
        spacing_um = float(axes_um[0][1] - axes_um[0][0])
        node_axes_um = [axis[0] + 2 * spacing_um * np.arange(n) for axis, n in zip(axes_um, nodes.shape, strict=True)]
        squared, nearest_um = self.nearest(points_at(nodes, node_axes_um))
        row = np.zeros(nodes.shape, np.int32)
        row[nodes] = np.arange(len(squared), dtype=np.int32)
        points_um, index = points_at(where, axes_um), np.nonzero(where)
        beside = [(i // 2, (i + 1) // 2) for i in index]
        # Mean |node|² minus |point|²: a squared spacing for each axis along which the point lies between nodes.
        lower = -(spacing_um**2) * np.sum([i % 2 for i in index], axis=0)
        upper = np.full(len(points_um), np.inf)
        for corner in product(*beside):
            node = row[corner]
            lower += squared[node] / 2**where.ndim
            to_place_um = points_um - nearest_um[node]
            np.minimum(upper, np.einsum("ij,ij->i", to_place_um, to_place_um), out=upper)
        return np.sqrt(np.maximum(lower, 0)), np.sqrt(upper)


def _padded(points: Float64[np.ndarray, "n dims"]) -> Float64[np.ndarray, "n 3"]:
    """Points of a plane as points in space, which the tree is made for."""
    return np.ascontiguousarray(np.pad(points, ((0, 0), (3 - points.shape[1], 0))))


def points_at(where: Bool[np.ndarray, "*zyx"], axes_um: Axes) -> Float64[np.ndarray, "n dims"]:
    """Positions of the marked voxels of a grid, in C order."""
    return np.stack([axis[index] for axis, index in zip(axes_um, np.nonzero(where), strict=True)], axis=1)

"""The protrusions of a cell in one frame, as centre lines with a radius and branches.

Voxels outside the body form a graph. Shortest ways from the body to the farthest voxels are the centre lines, farthest
first, each up to the ways already found, as in TEASAR (Sato et al. 2000, Pacific Graphics). Ways are cheaper in the middle
of a protrusion. The radius comes from the volume, in images the area, of the voxels nearest to each place of a line: for
tubes of two or three voxels across, the depth of the distance field is too small by half.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.ndimage import gaussian_filter1d, maximum_filter
from scipy.spatial import cKDTree

from cytoform.protrusions.body import depth_um, shares
from cytoform.shapes.box import BoxedField
from cytoform.shapes.components import components

# How far outside the body a voxel belongs to a protrusion, and how far a protrusion reaches at least, in voxels.
OUTSIDE_VOXELS, LEAST_VOXELS = 0.6, 2.4
# A voxel at the edge of a protrusion costs up to so many times as much as one in its middle.
EDGE_COST = 3.0
# A way covers the voxels around it, in depths of its voxels and beyond that in voxels.
COVER_DEPTHS, COVER_VOXELS = 1.5, 1.2
LEAST_RADIUS_VOXELS = 0.4  # of any place of a line
STEP_VOXELS = 1.0  # between the places of a line
SMOOTHING = 1.5  # places: standard deviation of the weights that smooth a line and its radius


def _root_mean_square(values: Float[np.ndarray, " n"]) -> float:
    return float(np.sqrt(np.mean(values**2)))


# Of radii along a line, by the number of dimensions.
_MEANS: dict[int, Callable[[np.ndarray], Any]] = {3: _root_mean_square, 2: np.mean}


@dataclass(frozen=True)
class Curve:
    """A protrusion or a branch in one frame. Points are in µm from the corner of the cube, the root first."""

    line_zyx_um: Float[np.ndarray, "n dims"]
    radii_um: Float[np.ndarray, " n"]
    normal_zyx: Float[np.ndarray, " dims"]  # of the body at the root; for a branch the direction of its parent there
    parent: int | None = None  # place of the parent in the list of the frame; None: it starts on the body
    at_um: float = 0.0  # arc length along the parent at which a branch starts

    @cached_property
    def arc_um(self) -> Float[np.ndarray, " n"]:
        """Arc length from the root at every point."""
        return np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(self.line_zyx_um, axis=0), axis=1))])

    @property
    def length_um(self) -> float:
        """Length from root to tip."""
        return float(self.arc_um[-1])

    @property
    def radius_um(self) -> float:
        """Mean radius, so that a tube of it has the same volume, or a strip of twice its width the same area."""
        return float(_MEANS[self.line_zyx_um.shape[1]](self.radii_um))


def curves_of(field: BoxedField, body: BoxedField) -> list[Curve]:
    """The protrusions of a frame, each parent before its branches. `body` is on the same box as `field`."""
    outside = field.inside & (body.box_sdf_um > OUTSIDE_VOXELS * field.grid.spacing_um)
    graph = _Graph.of(field, body, _reaching(outside, body))
    ways = graph.ways() if len(graph.voxels_zyx) else []
    return _Lines(field, body, graph, ways).curves() if ways else []


def _reaching(outside: Bool[np.ndarray, "*zyx"], body: BoxedField) -> Bool[np.ndarray, "*zyx"]:
    """The pieces that reach far enough from the body."""
    pieces = components(outside)
    reach = np.zeros(int(pieces.max()) + 1)
    where = outside.nonzero()
    np.maximum.at(reach, pieces[where], body.box_sdf_um[where])
    return (reach >= LEAST_VOXELS * body.grid.spacing_um)[pieces] & outside


@dataclass(frozen=True)
class _Way:
    """Voxels from root to tip, by their numbers in the graph; a branch begins with a voxel of its parent."""

    nodes: Int[np.ndarray, " n"]
    parent: int | None


@dataclass(frozen=True)
class _Graph:
    """Voxels outside the body and the tree of shortest ways from the body; lengths in voxels."""

    voxels_zyx: Int[np.ndarray, "n dims"]
    depths: Float[np.ndarray, " n"]  # to the surface of the cell, the largest around a voxel
    before: Int[np.ndarray, " n"]  # the next voxel on the way to the body; -1 at the body
    lengths: Float[np.ndarray, " n"]  # of the way to the body

    @classmethod
    def of(cls, field: BoxedField, body: BoxedField, where: Bool[np.ndarray, "*zyx"]) -> "_Graph":
        spacing_um = field.grid.spacing_um
        voxels = np.argwhere(where)
        at = tuple(voxels.T)
        depth = np.maximum(depth_um(field), 0) / spacing_um
        largest = maximum_filter(depth, size=3)[at]
        edge = 1 - depth[at] / np.maximum(largest, 1e-6)
        before, lengths = _shortest_ways(voxels, edge, body.box_sdf_um[at] / spacing_um)
        return cls(voxels, largest, before, lengths)

    def ways(self) -> list[_Way]:
        """Ways from the farthest voxels, each up to the body or a way already found."""
        covered = ~np.isfinite(self.lengths)
        way_of: dict[int, int] = {}  # of a voxel on a way: the number of the way
        tree = cKDTree(self.voxels_zyx)
        found: list[_Way] = []
        for tip in np.argsort(-self.lengths, kind="stable"):
            if covered[tip]:
                continue
            nodes = [int(tip)]
            while nodes[-1] not in way_of and self.before[nodes[-1]] >= 0:
                nodes.append(int(self.before[nodes[-1]]))
            parent = way_of.get(nodes[-1])
            way = np.array(nodes[::-1])
            radii = COVER_DEPTHS * self.depths[way] + COVER_VOXELS
            for near in tree.query_ball_point(self.voxels_zyx[way], radii):
                covered[near] = True
            beyond = self.lengths[tip] - (0 if parent is None else self.lengths[way[0]] + self.depths[way[0]])
            if beyond < LEAST_VOXELS:
                continue
            for node in way.tolist():
                way_of.setdefault(node, len(found))
            found.append(_Way(way, parent))
        return found


def _shortest_ways(
    voxels: Int[np.ndarray, "n dims"], edge: Float[np.ndarray, " n"], from_body: Float[np.ndarray, " n"]
) -> tuple[Int[np.ndarray, " n"], Float[np.ndarray, " n"]]:
    """The next voxel of each one's cheapest way to the body, and the length of this way."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import dijkstra

    n = len(voxels)
    if not n:
        return np.empty(0, int), np.empty(0)
    links = cKDTree(voxels).query_pairs(1.8, output_type="ndarray")
    steps = np.linalg.norm(voxels[links[:, 0]] - voxels[links[:, 1]], axis=1)
    cost = 1 + (EDGE_COST - 1) * edge
    roots = np.flatnonzero(from_body <= OUTSIDE_VOXELS + 1.1)
    # A node for the body, next to all voxels at it.
    weights = np.concatenate([steps * (cost[links[:, 0]] + cost[links[:, 1]]) / 2, from_body[roots]])
    ends = np.concatenate([links, np.stack([roots, np.full(len(roots), n)], axis=1)]).T
    graph = coo_array((weights, tuple(ends)), shape=(n + 1, n + 1)).tocsr()
    found = dijkstra(graph, directed=False, indices=[n], return_predecessors=True)
    costs, before = (values[0] for values in found)
    before = np.where(before[:n] == n, -1, before[:n])
    lengths = np.full(n, np.inf)
    for node in np.argsort(costs[:n], kind="stable"):
        if np.isfinite(costs[node]):
            last = before[node]
            lengths[node] = from_body[node] if last < 0 else lengths[last] + np.linalg.norm(voxels[node] - voxels[last])
    return before, lengths


@dataclass(frozen=True)
class _Lines:
    """Smooth centre lines of ways, and radii from the volume around them."""

    field: BoxedField
    body: BoxedField
    graph: _Graph
    ways: list[_Way]

    def curves(self) -> list[Curve]:
        lines = [self._smooth(way) for way in self.ways]
        places = np.concatenate(lines)
        starts = np.cumsum([0, *(len(line) for line in lines)])
        volumes, centroids = self._volumes(places)
        found: list[Curve] = []
        for number, way in enumerate(self.ways):
            own = slice(starts[number], starts[number + 1])
            line = self._centred(places[own], volumes[own], centroids[own])
            found.append(self._curve(way, line, volumes[own], found))
        return found

    def _smooth(self, way: _Way) -> Float[np.ndarray, "n dims"]:
        """The way without the steps of the voxels, in voxels of the box, at equal distances."""
        line = gaussian_filter1d(self.graph.voxels_zyx[way.nodes].astype(float), SMOOTHING, axis=0, mode="nearest")
        line[0], line[-1] = self.graph.voxels_zyx[way.nodes[[0, -1]]]
        return _resampled(line, STEP_VOXELS)

    def _volumes(
        self, places: Float[np.ndarray, "places dims"]
    ) -> tuple[Float[np.ndarray, " places"], Float[np.ndarray, "places dims"]]:
        """Volume in voxels nearest to each place, and its centroid; voxels at the surface count in part."""
        spacing_um = self.field.grid.spacing_um
        inside = shares(self.field.box_sdf_um, spacing_um)
        chosen = (inside > 0) & (self.body.box_sdf_um > OUTSIDE_VOXELS * spacing_um)
        voxels, weights = np.argwhere(chosen), inside[chosen]
        reach = 1.5 * self.graph.depths.max() + 2
        distances, nearest = (np.asarray(found) for found in cKDTree(places).query(voxels, distance_upper_bound=reach))
        near = np.isfinite(distances)
        volumes = np.bincount(nearest[near], weights[near], len(places))
        sums = [
            np.bincount(nearest[near], weights[near] * voxels[near, axis], len(places))
            for axis in range(voxels.shape[1])
        ]
        return volumes, np.stack(sums, axis=1) / np.maximum(volumes, 1e-9)[:, None]

    def _centred(
        self,
        line: Float[np.ndarray, "n dims"],
        volumes: Float[np.ndarray, " n"],
        centroids: Float[np.ndarray, "n dims"],
    ) -> Float[np.ndarray, "n dims"]:
        """The line moved sideways into the middle of the volume around it; its ends keep their place along it."""
        moves = np.where(volumes[:, None] > 0, centroids - line, 0)
        tangents = np.gradient(line, axis=0) if len(line) > 1 else np.zeros_like(line)
        tangents /= np.maximum(np.linalg.norm(tangents, axis=1, keepdims=True), 1e-9)
        moves -= np.sum(moves * tangents, axis=1, keepdims=True) * tangents
        return np.asarray(line + gaussian_filter1d(moves, SMOOTHING, axis=0, mode="nearest"))

    def _curve(
        self, way: _Way, line: Float[np.ndarray, "n dims"], volumes: Float[np.ndarray, " n"], found: list[Curve]
    ) -> Curve:
        spacing_um = self.field.grid.spacing_um
        sections = gaussian_filter1d(volumes, 2 * SMOOTHING, mode="nearest") / STEP_VOXELS
        radii = np.maximum(_RADII[line.shape[1]](sections), LEAST_RADIUS_VOXELS) * spacing_um
        points = (line + np.array(self.field.corner_zyx) + 0.5) * spacing_um
        # From the centre of the last voxel to the surface.
        ahead = max(float(-self.field.box_sdf_um[tuple(self.graph.voxels_zyx[way.nodes[-1]])]), 0.0)
        points[-1] += ahead * _unit(points[-1] - points[max(len(points) - 3, 0)])
        if way.parent is None:
            root, normal = self._root(line[0])
            points, radii = np.vstack([root, points]), np.concatenate([radii[:1], radii])
            return Curve(points, radii, normal)
        parent = found[way.parent]
        at = int(np.argmin(np.linalg.norm(parent.line_zyx_um - points[0], axis=1)))
        points[0] = parent.line_zyx_um[at]
        around = parent.line_zyx_um[[max(at - 2, 0), min(at + 2, len(parent.line_zyx_um) - 1)]]
        return Curve(points, radii, _unit(around[1] - around[0]), way.parent, float(parent.arc_um[at]))

    def _root(self, start: Float[np.ndarray, " dims"]) -> tuple[Float[np.ndarray, " dims"], Float[np.ndarray, " dims"]]:
        """The point of the body's surface below the first voxel of a way, in µm, and the normal there."""
        spacing_um, box = self.field.grid.spacing_um, self.body.box_sdf_um
        voxel = np.array([int(np.clip(round(c), 1, n - 2)) for c, n in zip(start, box.shape, strict=True)])
        steps = np.eye(box.ndim, dtype=int)
        normal = _unit(np.array([box[tuple(voxel + step)] - box[tuple(voxel - step)] for step in steps], float))
        point = (start + np.array(self.field.corner_zyx) + 0.5) * spacing_um
        return point - box[tuple(voxel)] * normal, normal


def _resampled(line: Float[np.ndarray, "n dims"], step: float) -> Float[np.ndarray, "m dims"]:
    """Points at equal distances of about `step` along a line, its ends included."""
    arc = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(line, axis=0), axis=1))])
    stops = np.linspace(0, arc[-1], max(round(float(arc[-1]) / step), 1) + 1)
    return np.stack([np.interp(stops, arc, line[:, axis]) for axis in range(line.shape[1])], axis=1)


def _radius_of_area(voxels: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    """Radius of a round section. Voxels that count in part make that of a thin tube larger, by π/12 of a voxel's face."""
    return np.sqrt(np.maximum(voxels / np.pi - 1 / 12, 0))


def _radius_of_width(pixels: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    return pixels / 2


_RADII: dict[int, Callable[[np.ndarray], np.ndarray]] = {3: _radius_of_area, 2: _radius_of_width}


def _unit(vector: Float[np.ndarray, " dims"]) -> Float[np.ndarray, " dims"]:
    return vector / max(float(np.linalg.norm(vector)), 1e-9)

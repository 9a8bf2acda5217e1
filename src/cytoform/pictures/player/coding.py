"""Compact coding of meshes: integer points, and faces in the order of a walk over the surface; both compress well.

The walk visits faces through gates, the edges of coded faces, in first-in-first-out order (after Touma and Gotsman 1998).
Behind a gate u→v is the face v→u→x, and only x is coded: almost always a new point, or the neighbour of u or v along the
boundary of the coded faces. A new point is coded as its difference from the fourth corner of the parallelogram over the gate.
Points are numbered in order of their first visit, so that faces need no indices.

A sequence is the concatenation of these byte streams (decoded by `decoder.js` and tests/support/player_decoding.py). Of
two-byte numbers, all low bytes come first:

    counts      number of points, symbols and far references of every frame (uint32, little endian); 0 for empty frames
    symbols     one for each gate without a coded face behind it
    far         two bytes: number of points since x was first visited, for FAR and for corners of a first face; 0: a new point
    x, y, z     two bytes each: differences in lattice steps, zigzag-coded (0, -1, 1, -2, ...)
    errors      optional: differences from the mean over the gate, modulo 256; ±127 is the largest error
    paint       optional: differences from the start u of the gate, modulo 256; places in a palette, from 0
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from cytoform.shapes.mesh import Mesh

NEW, AFTER, BEFORE, NOTHING, FAR = range(5)
ERROR_LEVELS = 127


@dataclass(frozen=True)
class Lattice:
    """Quantisation: points at `origin_um` + n · `step_um` along each axis, errors of n/127 of the largest error."""

    origin_um: float
    step_um: float
    largest_error_um: float = 1.0


def encode_frames(
    meshes: Sequence[Mesh | None],
    errors_um: Sequence[Float[np.ndarray, " _"] | None] | None,
    lattice: Lattice,
    paint: Sequence[Int[np.ndarray, " _"] | None] | None = None,
) -> bytes:
    """Encode the meshes of a sequence, uncompressed; `errors_um` and `paint` have one value per vertex of each mesh."""
    counts = np.zeros((len(meshes), 3), "<u4")
    symbols, far, places = [], [], [np.zeros((0, 3), np.int64)]
    errors, paints = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    for frame, mesh in enumerate(meshes):
        if mesh is None:
            continue
        faces, copied_from = _with_own_edges(mesh.faces, len(mesh.vertices_xyz_um))
        walk = SurfaceWalk(faces)
        counts[frame] = len(walk.points), len(walk.symbols), len(walk.far)
        symbols += walk.symbols
        far += walk.far
        met, gates = copied_from[walk.points], np.array(walk.gates, np.int64).reshape(-1, 3)
        whole = np.rint((mesh.vertices_xyz_um[met].astype(np.float64) - lattice.origin_um) / lattice.step_um)
        places.append(_beyond_parallelogram(whole.astype(np.int64), gates))
        of_frame = None if errors_um is None else errors_um[frame]
        errors.append(_beyond_mean(_levels(of_frame, met, lattice.largest_error_um), gates))
        painted = None if paint is None else paint[frame]
        paints.append(_beyond_start(np.zeros(len(met), np.int64) if painted is None else painted[met], gates))
    streams = [counts.tobytes(), np.array(symbols, np.uint8).tobytes(), _low_then_high(np.array(far, np.int64))]
    differences = np.concatenate(places)
    zigzag = np.where(differences < 0, -2 * differences - 1, 2 * differences)
    streams += [_low_then_high(along_axis) for along_axis in zigzag.T]
    if errors_um is not None:
        streams.append((np.concatenate(errors) & 255).astype(np.uint8).tobytes())
    if paint is not None:
        streams.append((np.concatenate(paints) & 255).astype(np.uint8).tobytes())
    return b"".join(streams)


class SurfaceWalk:
    """A walk over all components of a surface; no directed edge may be shared by two faces.

    symbols, far    the coded streams
    points          points in order of their first visit
    gates           for each of `points`, the gate of its first visit as u, v and the opposite corner, numbered in `points`
                    from 1; without a gate, three times the previously visited point
    """

    def __init__(self, faces: Int[np.ndarray, "faces 3"]) -> None:
        self.symbols: list[int] = []
        self.far: list[int] = []
        self.points: list[int] = []
        self.gates: list[tuple[int, int, int]] = []
        self._corners: list[int] = faces.ravel().tolist()
        self._behind: list[int] = _edges_behind(faces).tolist()
        self._following = [edge - 2 if edge % 3 == 2 else edge + 1 for edge in range(3 * len(faces))]
        self._number: dict[int, int] = {}  # of visited points, from 1
        self._coded = [False] * len(faces)
        # Known part of the boundary of the coded faces: from a point to the next, and back.
        self._after: dict[int, int] = {}
        self._before: dict[int, int] = {}
        self._waiting: deque[int] = deque()  # edges of coded faces, future gates
        for face in range(len(faces)):
            if not self._coded[face]:
                self._walk_from(3 * face)

    def _walk_from(self, edge: int) -> None:
        for point in self._corners[edge : edge + 3]:
            if point in self._number:
                self._refer(point)
            else:
                self.far.append(0)
                self._meet(point, (len(self.points),) * 3)
        self._enter(edge)
        while self._waiting:
            self._pass(self._waiting.popleft())

    def _meet(self, point: int, gate: tuple[int, int, int]) -> None:
        self.points.append(point)
        self.gates.append(gate)
        self._number[point] = len(self.points)

    def _refer(self, point: int) -> None:
        self.far.append(len(self.points) + 1 - self._number[point])

    def _enter(self, edge: int) -> None:
        """Code the face of an edge; its edges become gates, starting with this one."""
        self._coded[edge // 3] = True
        for rim in (edge, self._following[edge], self._following[self._following[edge]]):
            if self._behind[rim] < 0 or not self._coded[self._behind[rim] // 3]:
                u, v = self._corners[rim], self._corners[self._following[rim]]
                self._after[v], self._before[u] = u, v
                self._waiting.append(rim)

    def _pass(self, edge: int) -> None:
        """Code the face behind a gate."""
        other = self._behind[edge]
        if other < 0:
            self.symbols.append(NOTHING)
            return
        if self._coded[other // 3]:
            return
        following, corners, number = self._following, self._corners, self._number
        w, x = corners[following[following[edge]]], corners[following[following[other]]]
        u, v = corners[edge], corners[other]
        if x not in number:
            self.symbols.append(NEW)
            self._meet(x, (number[u], number[v], number[w]))
        elif self._after.get(u) == x:
            self.symbols.append(AFTER)
        elif self._before.get(v) == x:
            self.symbols.append(BEFORE)
        else:
            self.symbols.append(FAR)
            self._refer(x)
        self._enter(other)


def _edges_behind(faces: Int[np.ndarray, "faces 3"]) -> Int[np.ndarray, " edges"]:
    """For edge i % 3 of face i // 3, the reversed edge in the adjacent face; -1 at a boundary."""
    start, end = faces.ravel().astype(np.int64), np.roll(faces, -1, axis=1).ravel().astype(np.int64)
    n = int(faces.max(initial=0)) + 1
    forth, back = start * n + end, end * n + start
    order = np.argsort(forth)
    found = order[np.searchsorted(forth, back, sorter=order).clip(max=max(len(order) - 1, 0))]
    return np.where(forth[found] == back, found, -1)


def _with_own_edges(
    faces: Int[np.ndarray, "faces 3"], n_points: int
) -> tuple[Int[np.ndarray, "own 3"], Int[np.ndarray, " points"]]:
    """Remove degenerate faces and split points so that no two faces share a directed edge.

    Returns the faces and the original index of each point. Edges are shared where a surface touches itself.
    """
    distinct = (faces != np.roll(faces, 1, axis=1)).all(axis=1)
    faces = faces[distinct].astype(np.int64)
    edges = faces * n_points + np.roll(faces, -1, axis=1)
    _, which, times = np.unique(edges.ravel(), return_inverse=True, return_counts=True)
    shared = (times[which].reshape(-1, 3) > 1).any(axis=1)
    originals = np.concatenate([np.arange(n_points), faces[shared].ravel()])
    faces[shared] = np.arange(n_points, len(originals)).reshape(-1, 3)
    return faces, originals


def _beyond_parallelogram(
    places: Int[np.ndarray, "points 3"], gates: Int[np.ndarray, "points 3"]
) -> Int[np.ndarray, "points 3"]:
    known = np.vstack([np.zeros((1, 3), np.int64), places])
    return places - (known[gates[:, 0]] + known[gates[:, 1]] - known[gates[:, 2]])


def _beyond_mean(levels: Int[np.ndarray, " points"], gates: Int[np.ndarray, "points 3"]) -> Int[np.ndarray, " points"]:
    known = np.concatenate([[0], levels])
    return levels - (known[gates[:, 0]] + known[gates[:, 1]] >> 1)


def _beyond_start(values: Int[np.ndarray, " points"], gates: Int[np.ndarray, "points 3"]) -> Int[np.ndarray, " points"]:
    return values - np.concatenate([[0], values])[gates[:, 0]]


def _levels(
    errors_um: Float[np.ndarray, " _"] | None, met: Int[np.ndarray, " points"], largest_um: float
) -> Int[np.ndarray, " points"]:
    values = np.zeros(len(met)) if errors_um is None else errors_um[met]
    return np.rint(values * (ERROR_LEVELS / largest_um)).clip(-ERROR_LEVELS, ERROR_LEVELS).astype(np.int64)


def _low_then_high(numbers: Int[np.ndarray, " n"]) -> bytes:
    return (numbers & 255).astype(np.uint8).tobytes() + (numbers >> 8).astype(np.uint8).tobytes()

"""Meshes in few bytes: points as whole numbers, faces by a walk over the surface, both left to deflate.

The walk goes from face to face through gates, the edges of coded faces, first in first out (after Touma and Gotsman 1998).
Behind a gate u→v lies the face v→u→x, and what has to be said is x: nearly always a point not met before, or the
neighbour of u or v along the rim of what has been coded. A new point is told as its difference from the fourth corner of the
parallelogram over the gate. Points are numbered as they are met, so that faces need no indices.

A sequence is these streams of bytes, one after the other (`player.js` and tests/support/player_decoding.py read them);
where a number has two bytes, the low bytes of all come first:

    counts      points, symbols and far references of every frame (uint32, little endian); an empty frame has none
    symbols     one a gate behind which no coded face lies
    far         two bytes: how many points ago x was met, for FAR and the corners of a first face; 0 is a new point
    x, y, z     two bytes each: differences in steps, zigzag (0, -1, 1, -2, ...)
    errors      where there are any: differences from the mean over the gate, modulo 256; ±127 is the largest error
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
    """What whole numbers stand for: points at `origin_um` + n · `step_um` along each axis, errors of n/127 of the largest."""

    origin_um: float
    step_um: float
    largest_error_um: float = 1.0


@dataclass(frozen=True)
class Walk:
    """How a surface was walked over: what was said, the points in the order met, and the gate that each was met through."""

    symbols: list[int]
    far: list[int]
    points: list[int]
    # Counted in `points` from 1: u, v, and the corner behind the gate. Where there was no gate, three times the point before.
    gates: list[tuple[int, int, int]]


def encode_frames(
    meshes: Sequence[Mesh | None], errors_um: Sequence[Float[np.ndarray, " _"] | None] | None, lattice: Lattice
) -> bytes:
    """The streams of a sequence, not yet deflated; `errors_um` has a value a point of each mesh."""
    counts = np.zeros((len(meshes), 3), "<u4")
    symbols, far, places, errors = [], [], [np.zeros((0, 3), np.int64)], [np.zeros(0, np.int64)]
    for frame, mesh in enumerate(meshes):
        if mesh is None:
            continue
        faces, copied_from = _with_own_edges(mesh.faces, len(mesh.vertices_xyz_um))
        walk = walk_over(faces)
        counts[frame] = len(walk.points), len(walk.symbols), len(walk.far)
        symbols += walk.symbols
        far += walk.far
        met, gates = copied_from[walk.points], np.array(walk.gates, np.int64).reshape(-1, 3)
        whole = np.rint((mesh.vertices_xyz_um[met].astype(np.float64) - lattice.origin_um) / lattice.step_um)
        places.append(_beyond_parallelogram(whole.astype(np.int64), gates))
        of_frame = None if errors_um is None else errors_um[frame]
        errors.append(_beyond_mean(_levels(of_frame, met, lattice.largest_error_um), gates))
    streams = [counts.tobytes(), np.array(symbols, np.uint8).tobytes(), _low_then_high(np.array(far, np.int64))]
    differences = np.concatenate(places)
    zigzag = np.where(differences < 0, -2 * differences - 1, 2 * differences)
    streams += [_low_then_high(along_axis) for along_axis in zigzag.T]
    if errors_um is not None:
        streams.append((np.concatenate(errors) & 255).astype(np.uint8).tobytes())
    return b"".join(streams)


def walk_over(faces: Int[np.ndarray, "faces 3"]) -> Walk:
    """Walk over every component of a surface, of which no two faces share a directed edge."""
    walk = Walk([], [], [], [])
    corners, behind = faces.ravel().tolist(), _edges_behind(faces).tolist()
    following = [edge - 2 if edge % 3 == 2 else edge + 1 for edge in range(len(corners))]
    number: dict[int, int] = {}  # of a point that was met, from 1
    coded = [False] * len(faces)
    # The rim of what is coded, as far as it is known: from a point to the next, and back.
    after: dict[int, int] = {}
    before: dict[int, int] = {}
    gates: deque[int] = deque()

    def meet(point: int, gate: tuple[int, int, int]) -> None:
        walk.points.append(point)
        walk.gates.append(gate)
        number[point] = len(walk.points)

    def refer(point: int) -> None:
        walk.far.append(len(walk.points) + 1 - number[point])

    def enter(edge: int) -> None:
        coded[edge // 3] = True
        for rim in (edge, following[edge], following[following[edge]]):
            if behind[rim] < 0 or not coded[behind[rim] // 3]:
                u, v = corners[rim], corners[following[rim]]
                after[v], before[u] = u, v
                gates.append(rim)

    def pass_gate(edge: int) -> None:
        other = behind[edge]
        if other < 0:
            walk.symbols.append(NOTHING)
            return
        if coded[other // 3]:
            return
        w, x = corners[following[following[edge]]], corners[following[following[other]]]
        u, v = corners[edge], corners[other]
        if x not in number:
            walk.symbols.append(NEW)
            meet(x, (number[u], number[v], number[w]))
        elif after.get(u) == x:
            walk.symbols.append(AFTER)
        elif before.get(v) == x:
            walk.symbols.append(BEFORE)
        else:
            walk.symbols.append(FAR)
            refer(x)
        enter(other)

    for first in range(len(faces)):
        if coded[first]:
            continue
        for point in corners[3 * first : 3 * first + 3]:
            if point in number:
                refer(point)
            else:
                walk.far.append(0)
                meet(point, (len(walk.points),) * 3)
        enter(3 * first)
        while gates:
            pass_gate(gates.popleft())
    return walk


def _edges_behind(faces: Int[np.ndarray, "faces 3"]) -> Int[np.ndarray, " edges"]:
    """For edge i % 3 of face i // 3, the same edge of the face on its other side; -1 where there is none."""
    start, end = faces.ravel().astype(np.int64), np.roll(faces, -1, axis=1).ravel().astype(np.int64)
    n = int(faces.max(initial=0)) + 1
    forth, back = start * n + end, end * n + start
    order = np.argsort(forth)
    found = order[np.searchsorted(forth, back, sorter=order).clip(max=max(len(order) - 1, 0))]
    return np.where(forth[found] == back, found, -1)


def _with_own_edges(
    faces: Int[np.ndarray, "faces 3"], n_points: int
) -> tuple[Int[np.ndarray, "own 3"], Int[np.ndarray, " points"]]:
    """The faces without those of no area, and each point's original.

    Faces that share a directed edge (where a surface touches itself) get points of their own.
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


def _levels(
    errors_um: Float[np.ndarray, " _"] | None, met: Int[np.ndarray, " points"], largest_um: float
) -> Int[np.ndarray, " points"]:
    values = np.zeros(len(met)) if errors_um is None else errors_um[met]
    return np.rint(values * (ERROR_LEVELS / largest_um)).clip(-ERROR_LEVELS, ERROR_LEVELS).astype(np.int64)


def _low_then_high(numbers: Int[np.ndarray, " n"]) -> bytes:
    return (numbers & 255).astype(np.uint8).tobytes() + (numbers >> 8).astype(np.uint8).tobytes()

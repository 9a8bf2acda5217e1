"""Thick protrusions from the tracks of a sequence: their frames, boxes and distances over time."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.ndimage import map_coordinates

from cytoform.protrusions.bulges import NODES, PHASES, Bulges, Moments, frame_at, joined, life_of, nodes_of, size_of
from cytoform.protrusions.parts import PartsOfSequence
from cytoform.protrusions.pieces import Piece
from cytoform.protrusions.relief import Distance, over, raised, relief_of
from cytoform.protrusions.tracks import Track
from cytoform.protrusions.unit_fit import line_in_time
from cytoform.shapes.box import BoxedField

# A protrusion that is longer than so many of its radii is thin: a tube.
THIN_RADII = 5.0
MARGIN_VOXELS = 1.5  # of a box around a bulge
HIDDEN_VOXELS = 1.5  # how deep below the surface of the body a bulge is that is not there yet


@dataclass(frozen=True)
class Learned:
    """Bulges of some cells, and the moments of all of them."""

    cells: list[Bulges]
    moments: Moments


def is_thick(track: Track) -> bool:
    """Whether a protrusion is short for its width, in most of its frames."""
    return bool(np.median([c.length_um / max(c.radius_um, 1e-9) for c in track.curves.values()]) < THIN_RADII)


def bulges_of(sequences: Sequence[PartsOfSequence], half_extent_um: float) -> Learned:
    """The thick protrusions of taken-apart sequences."""
    cells: list[Bulges] = []
    moments: list[Moments] = []
    n_moments = 0
    for parts in sequences:
        own: list[Bulges] = []
        for track in parts.tracks:
            if is_thick(track):
                bulge, its = _fit(track, parts.n_frames, half_extent_um)
                bulge.moments[0] = n_moments, len(its)
                own.append(bulge)
                moments.append(its)
                n_moments += len(its)
        cells.append(joined(own))
    return Learned(cells, Moments.joined(moments))


def _fit(track: Track, n_frames: int, half_um: float) -> tuple[Bulges, Moments]:
    """One bulge and its moments. Its row numbers among all moments are set when bulges are joined."""
    frames = sorted(track.curves)
    pieces = [piece for frame in frames if isinstance(piece := track.curves[frame], Piece)]
    birth, end = life_of(frames, n_frames)
    phases = (np.array(frames) - birth) / (end - birth)
    root = line_in_time(phases, np.stack([p.line_zyx_um[0][::-1] / half_um - 1 for p in pieces]))
    axis = line_in_time(phases, np.stack([p.normal_zyx[::-1] for p in pieces]))
    axis /= np.maximum(np.linalg.norm(axis, axis=1, keepdims=True), 1e-9)
    insides = [_inside(piece, half_um) for piece in pieces]
    at_root = [
        points - ((1 - phase) * root[0] + phase * root[1]) for points, phase in zip(insides, phases, strict=True)
    ]
    across = _long_side(np.concatenate(at_root), axis.mean(axis=0))
    span = max(n_frames - 1, 1)
    bulge = Bulges(
        np.array([[birth, end]]) / span,
        root[None],
        axis[None],
        across[None],
        np.ones((1, 1)),
        np.zeros((1, PHASES)),
        np.zeros((1, 2)),
    )
    voxel = _known(pieces[0].patch).grid.spacing_um / half_um
    volumes: list[float] = []
    boxes: list[Float[np.ndarray, "3 2"]] = []
    values: list[Float[np.ndarray, " nodes"]] = []
    for piece, points, phase in zip(pieces, at_root, phases.tolist(), strict=True):
        turn = frame_at(bulge, 0, phase)
        origin = (1 - phase) * root[0] + phase * root[1]
        local = points @ turn.T
        sides = _box_around(local[:, 1:], MARGIN_VOXELS * voxel)
        relief = relief_of(_distance(piece.body, half_um), origin, turn, sides, NODES)
        box = _box_around(over(relief, sides, local), MARGIN_VOXELS * voxel)
        nodes = raised(nodes_of(box), relief) @ turn + origin
        boxes.append(box)
        values.append(_distance(piece.patch, half_um)(nodes) / size_of(box))
        volumes.append(piece.volume_um3 / half_um**3)
    # At birth and end it lies hidden under the surface of the body.
    if birth >= 0:
        phases, volumes = np.append(0.0, phases), [0.0, *volumes]
        boxes, values = [boxes[0], *boxes], [_hidden(values[0], boxes[0], HIDDEN_VOXELS * voxel), *values]
    if end <= n_frames - 1:
        phases, volumes = np.append(phases, 1.0), [*volumes, 0.0]
        boxes, values = [*boxes, boxes[-1]], [*values, _hidden(values[-1], boxes[-1], HIDDEN_VOXELS * voxel)]
    bulge.volume[0] = np.interp(np.linspace(0, 1, PHASES), phases, volumes)
    return bulge, Moments.of(np.stack(values).reshape(-1, NODES, NODES, NODES), np.stack(boxes), phases)


def _box_around(points: Float[np.ndarray, "n axes"], margin: float) -> Float[np.ndarray, "axes 2"]:
    return np.stack([points.min(axis=0) - margin, points.max(axis=0) + margin], axis=1)


def _hidden(
    values: Float[np.ndarray, " nodes"], box: Float[np.ndarray, "3 2"], depth: float
) -> Float[np.ndarray, " nodes"]:
    """Distances on the nodes of a box, in its sizes, to what lies `depth` below the surface of the body."""
    return np.maximum(values, (nodes_of(box)[:, 0] + depth) / size_of(box))


def _inside(piece: Piece, half_um: float) -> Float[np.ndarray, "n 3"]:
    """The voxels of a piece, as points in Ω."""
    patch = _known(piece.patch)
    voxels = np.argwhere(patch.inside)
    return ((voxels + patch.corner_zyx + 0.5) * patch.grid.spacing_um / half_um - 1)[:, ::-1]


def _long_side(points: Float[np.ndarray, "n 3"], axis: Float[np.ndarray, " 3"]) -> Float[np.ndarray, " 3"]:
    """The direction at right angles to the axis in which points are spread most."""
    axis = axis / np.maximum(np.linalg.norm(axis), 1e-9)
    flat = points - (points @ axis)[:, None] * axis
    _, vectors = np.linalg.eigh(flat.T @ flat + 1e-9 * np.outer(axis, -axis))
    return np.asarray(vectors[:, -1])


def _distance(patch: BoxedField | None, half_um: float) -> Distance:
    """The distance in Ω that a patch holds; beyond it at least the distance to that."""
    patch = _known(patch)
    voxel = patch.grid.spacing_um / half_um
    sdf, corner = patch.box_sdf_um.astype(np.float32) / half_um, np.array(patch.corner_zyx)

    def distance(points: Float[np.ndarray, "n 3"]) -> Float[np.ndarray, " n"]:
        places = (points[:, ::-1] + 1) / voxel - 0.5 - corner
        nearest = np.clip(places, 0, np.array(sdf.shape) - 1)
        beyond = np.linalg.norm(places - nearest, axis=1) * voxel
        return np.asarray(map_coordinates(sdf, nearest.T, order=1, mode="nearest") + beyond)

    return distance


def _known(patch: BoxedField | None) -> BoxedField:
    if patch is None:
        raise ValueError("a piece without a distance")
    return patch

"""Thick protrusions from the tracks of a sequence: their frames, boxes and distances over time."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.ndimage import map_coordinates

from cytoform.protrusions.bulges import (
    COMPONENTS,
    FAR,
    NODES,
    PHASES,
    Bulges,
    components_of,
    frame_at,
    joined,
    life_of,
    nodes_of,
    sizes,
)
from cytoform.protrusions.parts import PartsOfSequence
from cytoform.protrusions.pieces import Piece
from cytoform.protrusions.tracks import Track
from cytoform.protrusions.units import line_in_time
from cytoform.shapes.box import BoxedField

# A protrusion that is longer than so many of its radii is thin: a tube.
THIN_RADII = 5.0
MARGIN_VOXELS = 1.5  # of a box around a bulge
HIDDEN_VOXELS = 1.5  # how deep below the surface of the body a bulge is that is not there yet


@dataclass(frozen=True)
class Learned:
    """Bulges of some cells, and the mean and components of their distances."""

    cells: list[Bulges]
    basis: Float[np.ndarray, "components_1 phases nodes nodes nodes"]


def is_thick(track: Track) -> bool:
    """Whether a protrusion is short for its width, in most of its frames."""
    return bool(np.median([c.length_um / max(c.radius_um, 1e-9) for c in track.curves.values()]) < THIN_RADII)


def bulges_of(sequences: Sequence[PartsOfSequence], half_extent_um: float) -> Learned:
    """The thick protrusions of taken-apart sequences, in components that all share."""
    found = [
        [_fit(track, parts.n_frames, half_extent_um) for track in parts.tracks if is_thick(track)]
        for parts in sequences
    ]
    distances = [each for cell in found for _, each in cell]
    if not distances:
        return Learned([Bulges.none() for _ in sequences], np.zeros((1 + COMPONENTS, PHASES, NODES, NODES, NODES)))
    basis, weights = components_of(distances)
    starts = np.cumsum([0, *(len(cell) for cell in found)])
    cells = []
    for cell, start in zip(found, starts, strict=False):
        bulges = joined([each for each, _ in cell])
        bulges.weights[:] = weights[start : start + len(cell)]
        cells.append(bulges)
    return Learned(cells, basis)


def _fit(track: Track, n_frames: int, half_um: float) -> tuple[Bulges, Float[np.ndarray, "phases nodes nodes nodes"]]:
    """A bulge, without its weights, and its distances over its life."""
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
        np.zeros((1, 3, 2)),
        _over_time(phases, np.array([[p.volume_um3 / half_um**3] for p in pieces]), birth >= 0, end <= n_frames - 1).T,
        np.zeros((1, COMPONENTS)),
    )
    voxel = pieces[0].patch.grid.spacing_um / half_um if pieces[0].patch else 0.0
    local = [points @ frame_at(bulge, 0, float(phase)).T for points, phase in zip(at_root, phases, strict=True)]
    low, high = (pick([pick(points, axis=0) for points in local], axis=0) for pick in (np.min, np.max))
    bulge.box[0] = np.stack([low - MARGIN_VOXELS * voxel, high + MARGIN_VOXELS * voxel], axis=1)
    nodes, size = nodes_of(bulge.box[0]), float(sizes(bulge.box)[0])
    values = []
    for piece, phase in zip(pieces, phases, strict=True):
        origin = (1 - phase) * root[0] + phase * root[1]
        values.append(_sampled(piece, nodes @ frame_at(bulge, 0, float(phase)) + origin, half_um) / size)
    hidden = (nodes[:, 0] + HIDDEN_VOXELS * voxel) / size
    course = _over_time(phases, np.stack(values), birth >= 0, end <= n_frames - 1, hidden)
    return bulge, np.clip(course, -FAR, FAR).reshape(PHASES, NODES, NODES, NODES)


def _over_time(
    phases: Float[np.ndarray, " n"],
    values: Float[np.ndarray, "n m"],
    is_born: bool,
    is_gone: bool,
    hidden: Float[np.ndarray, " m"] | None = None,
) -> Float[np.ndarray, "phases m"]:
    """Values at equal phases, linear between those at `phases`.

    At its birth and end a distance is at least that to what is `hidden`; without it values begin and end with 0.
    """
    stops, found = phases, values
    if is_born:
        first = 0 * values[0] if hidden is None else np.maximum(values[0], hidden)
        stops, found = np.concatenate([[0.0], stops]), np.concatenate([first[None], found])
    if is_gone:
        last = 0 * values[-1] if hidden is None else np.maximum(values[-1], hidden)
        stops, found = np.concatenate([stops, [1.0]]), np.concatenate([found, last[None]])
    place = np.interp(np.linspace(0, 1, PHASES), stops, np.arange(len(stops)))
    low = np.minimum(place.astype(int), max(len(stops) - 2, 0))
    high = np.minimum(low + 1, len(stops) - 1)
    share = (place - low)[:, None]
    return np.asarray((1 - share) * found[low] + share * found[high])


def _patch(piece: Piece) -> BoxedField:
    if piece.patch is None:
        raise ValueError("a piece without a distance")
    return piece.patch


def _inside(piece: Piece, half_um: float) -> Float[np.ndarray, "n 3"]:
    """The voxels of a piece, as points in Ω."""
    patch = _patch(piece)
    voxels = np.argwhere(patch.inside)
    return ((voxels + patch.corner_zyx + 0.5) * patch.grid.spacing_um / half_um - 1)[:, ::-1]


def _long_side(points: Float[np.ndarray, "n 3"], axis: Float[np.ndarray, " 3"]) -> Float[np.ndarray, " 3"]:
    """The direction at right angles to the axis in which points are spread most."""
    axis = axis / np.maximum(np.linalg.norm(axis), 1e-9)
    flat = points - (points @ axis)[:, None] * axis
    _, vectors = np.linalg.eigh(flat.T @ flat + 1e-9 * np.outer(axis, -axis))
    return np.asarray(vectors[:, -1])


def _sampled(piece: Piece, points: Float[np.ndarray, "n 3"], half_um: float) -> Float[np.ndarray, " n"]:
    """The distance of a piece at points in Ω, beyond its patch at least the distance to that."""
    patch = _patch(piece)
    voxel = patch.grid.spacing_um / half_um
    places = (points[:, ::-1] + 1) / voxel - 0.5 - np.array(patch.corner_zyx)
    nearest = np.clip(places, 0, np.array(patch.box_sdf_um.shape) - 1)
    beyond = np.linalg.norm(places - nearest, axis=1) * voxel
    values = map_coordinates(patch.box_sdf_um.astype(np.float32), nearest.T, order=1, mode="nearest")
    return np.asarray(values / half_um + beyond)

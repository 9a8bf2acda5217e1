"""Tracks for labels without any: cells of neighbouring frames are linked by their overlap.

One assignment between two frames (scipy.optimize.linear_sum_assignment) maximises the summed intersection over union. A
cell that is left over begins a track, or is a daughter if two cells together take the place of one.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float, Int
from scipy.optimize import linear_sum_assignment

from cytoform.movies.movie import LabelMovie, Labels
from cytoform.movies.tracking.beside import tracked
from cytoform.movies.tracking.graph import TrackGraph

# Cells that overlap less are not linked.
LEAST_OVERLAP = 0.1
# Two daughters lie at least by this share of theirs in their mother's place; limits of the volume of one and of both, in
# volumes of the mother.
WITHIN_MOTHER = 0.1
DAUGHTER, DAUGHTERS = (0.2, 0.8), (0.5, 1.5)


@dataclass(frozen=True)
class _Overlap:
    """Labels and volumes of two frames, and the volume that each pair has in common, all in voxels."""

    labels: tuple[Int[np.ndarray, " before"], Int[np.ndarray, " after"]]
    sizes: tuple[Int[np.ndarray, " before"], Int[np.ndarray, " after"]]
    common: Int[np.ndarray, "before after"]

    @property
    def share(self) -> Float[np.ndarray, "before after"]:
        """Intersection over union."""
        before, after = self.sizes
        return self.common / (before[:, None] + after[None] - self.common)


def linked(movie: LabelMovie) -> LabelMovie:
    """The movie with tracks by overlap; reads all frames. `origin.lineage` counts tracks, divisions and lost cells."""
    nodes: dict[tuple[int, int], int] = {}
    edges: list[tuple[int, int]] = []
    for frame, overlap in _overlaps(movie):
        for side, at in ((0, frame), (1, frame + 1)):
            for label in overlap.labels[side]:
                nodes.setdefault((at, int(label)), len(nodes))
        pairs = [(overlap.labels[0][one], overlap.labels[1][other]) for one, other in _links(overlap)]
        edges += [(nodes[frame, int(one)], nodes[frame + 1, int(other)]) for one, other in pairs]
    if movie.n_frames == 1:
        return movie
    frames, labels = (np.array([node[column] for node in nodes], np.int64) for column in (0, 1))
    names = [f"label {movie.value(label)}" for _, label in nodes]
    graph = TrackGraph(movie.source, names, frames, np.array(edges, np.int64).reshape(-1, 2))
    found = tracked(movie, graph, labels)
    return replace(found, origin=replace(found.origin, lineage=_summary(found)))


def _overlaps(movie: LabelMovie) -> Iterator[tuple[int, _Overlap]]:
    before = movie.read(0)
    for frame in range(1, movie.n_frames):
        after = movie.read(frame)
        yield frame - 1, _overlap(before, after)
        before = after


def _overlap(before: Labels, after: Labels) -> _Overlap:
    (names, sizes), (other_names, other_sizes) = (_sizes(labels) for labels in (before, after))
    both = (before > 0) & (after > 0)
    rows, columns = np.searchsorted(names, before[both]), np.searchsorted(other_names, after[both])
    common = np.bincount(rows * len(other_names) + columns, minlength=len(names) * len(other_names))
    return _Overlap((names, other_names), (sizes, other_sizes), common.reshape(len(names), len(other_names)))


def _sizes(labels: Labels) -> tuple[Int[np.ndarray, " n"], Int[np.ndarray, " n"]]:
    """The labels of a frame and their volumes."""
    counts = np.bincount(labels.ravel())
    counts[0] = 0
    names = np.flatnonzero(counts)
    return names, counts[names]


def _links(overlap: _Overlap) -> list[tuple[int, int]]:
    """Pairs of a cell and the same cell, or a daughter, in the next frame."""
    share = overlap.share
    rows, columns = linear_sum_assignment(share, maximize=True)
    pairs = [(int(a), int(b)) for a, b in zip(rows, columns, strict=True) if share[a, b] >= LEAST_OVERLAP]
    sister = dict(pairs)
    taken = {b for _, b in pairs}
    before, after = overlap.sizes
    for daughter in (int(b) for b in np.argsort(-after) if b not in taken):
        mother = int(overlap.common[:, daughter].argmax()) if len(before) else -1
        if mother not in sister:
            continue
        both = [daughter, sister[mother]]
        inside = overlap.common[mother, both] / after[both]
        volumes = after[both] / before[mother]
        alike = _between(volumes, DAUGHTER) and _between(volumes.sum(), DAUGHTERS)
        if alike and inside.min() >= WITHIN_MOTHER:
            pairs.append((mother, daughter))
            del sister[mother]
    return pairs


def _between(values: Float[np.ndarray, " n"] | float, limits: tuple[float, float]) -> bool:
    return bool(np.all((np.asarray(values) >= limits[0]) & (np.asarray(values) <= limits[1])))


def _summary(movie: LabelMovie) -> str:
    tracks = movie.lineage.tracks if movie.lineage else ()
    mothers = {track.parent for track in tracks if track.parent}
    lost = sum(track.last < movie.n_frames - 1 and track.label not in mothers for track in tracks)
    divisions = f"{len(mothers)} division{'s' * (len(mothers) != 1)}"
    return f"linked by overlap (--link): {len(tracks)} tracks, {divisions}, {lost} that end before the last frame"

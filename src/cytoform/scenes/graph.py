"""Tracks as a GEFF graph (graph exchange file format): a node per cell and frame, edges forward in time."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from cytoform.base.geff import write_geff
from cytoform.scenes.compose import Seen, View
from cytoform.scenes.tracks import Tracked
from cytoform.shapes.grid import AXES


def write_graph(
    path: Path,
    tracked: Tracked,
    seen: Sequence[Sequence[Seen]],
    *,
    families: Sequence[int],
    time_step_s: float,
    view: View,
    labels: str | None,
) -> None:
    """Write the tracks; `families` holds the family of every body, `labels` the path of the label images.

    Nodes have a frame, a position in µm, a label, a size (µm³, or µm² in images) and a family.
    """
    nodes, edges = _nodes(tracked, seen), _edges(tracked, seen)
    frame, label, body = (np.array([node[column] for node in nodes]) for column in range(3))
    cells = [node[3] for node in nodes]
    places = np.array([cell.centroid_zyx_um for cell in cells]).reshape(-1, 3).T[-view.n_dims :]
    values = {
        "t": frame.astype(float),
        **dict(zip(AXES[-view.n_dims :], places, strict=True)),
        "label": label.astype(np.uint16),
        "tracklet": _tracklets(tracked, label),
        "lineage": _lineages(tracked, label),
        "family": np.array([families[number] for number in body], np.uint64),
        "size": np.array([cell.n_voxels * view.seen_voxel for cell in cells]),
    }
    write_geff(
        path,
        values,
        edges,
        time_step_s=time_step_s,
        tracks={"tracklet": "tracklet", "lineage": "lineage"},
        labels=(labels, "label") if labels else None,
    )


def _nodes(tracked: Tracked, seen: Sequence[Sequence[Seen]]) -> list[tuple[int, int, int, Seen]]:
    """Frame, label, body and visible part of every cell in every frame."""
    nodes = []
    for frame, cells in enumerate(seen):
        labels = tracked.labels_in(frame)
        nodes += [(frame, labels[cell.number], cell.number, cell) for cell in cells]
    return nodes


def _edges(tracked: Tracked, seen: Sequence[Sequence[Seen]]) -> np.ndarray:
    """Edges from a cell to itself in the next frame, and from mothers to daughters."""
    number_of = {(label, frame): number for number, (frame, label, _, _) in enumerate(_nodes(tracked, seen))}
    edges = []
    for track in tracked.tracks:
        edges += [(number_of[track.label, t], number_of[track.label, t + 1]) for t in range(track.first, track.last)]
        if track.parent:
            edges.append((number_of[track.parent, track.first - 1], number_of[track.label, track.first]))
    return np.array(edges, np.uint64).reshape(-1, 2)


def _tracklets(tracked: Tracked, labels: np.ndarray) -> np.ndarray:
    """Unbranched stretches; a daughter continues her mother's if her sister is out of view."""
    daughters = Counter(track.parent for track in tracked.tracks)
    tracklet: dict[int, int] = {}
    for track in tracked.tracks:  # mothers come before daughters
        tracklet[track.label] = tracklet[track.parent] if track.parent and daughters[track.parent] == 1 else track.label
    return np.array([tracklet[int(label)] for label in labels], np.uint64)


def _lineages(tracked: Tracked, labels: np.ndarray) -> np.ndarray:
    """The label of the first visible track of the family."""
    root = {track.label: family.root.label for family in tracked.lineage.families() for track in family.tracks}
    return np.array([root[int(label)] for label in labels], np.uint64)

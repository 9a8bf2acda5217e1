"""Tracks of the bodies of one cell over time, from its masks: a division gives both daughters their mother."""

from collections.abc import Iterable

import numpy as np

from cytoform.assess.measures.dynamics import Bodies
from cytoform.shapes.box import BoxedField
from cytoform_napari.following import SequenceTracks


def body_tracks(boxes: Iterable[BoxedField]) -> SequenceTracks:
    """Link every body to the one before with which it shares most voxels. Two bodies from one are new tracks.

    Places are centroids in µm from the corner of the cube.
    """
    rows: list[tuple[float, ...]] = []
    graph: dict[int, list[int]] = {}
    before: np.ndarray = np.zeros(0, np.uint16)
    track_of: np.ndarray = np.zeros(1, int)
    n_tracks, n_dims = 0, 3
    for frame, box in enumerate(boxes):
        found, n_dims = Bodies.of(box.inside), box.grid.n_dims
        now = np.zeros(box.grid.shape, np.uint16)
        now[box.slices] = found.labels
        mothers = [_most_shared(before, now, body) for body in range(1, found.n + 1)]
        tracks = np.zeros(found.n + 1, int)
        for body, mother in enumerate(mothers, start=1):
            if mother and mothers.count(mother) == 1:
                tracks[body] = track_of[mother]
            else:
                n_tracks += 1
                tracks[body] = n_tracks
                if mother:
                    graph[n_tracks] = [int(track_of[mother])]
            centre = (np.mean(np.nonzero(now == body), axis=1) + 0.5) * box.grid.spacing_um
            rows.append((tracks[body], frame, *centre))
        before, track_of = now, tracks
    return SequenceTracks(np.array(sorted(rows), float).reshape(-1, 2 + n_dims), graph)


def _most_shared(before: np.ndarray, now: np.ndarray, body: int) -> int:
    """The body of the frame before that shares most voxels; 0 where none does."""
    if not before.size:
        return 0
    counts = np.bincount(before[now == body], minlength=1)
    counts[0] = 0
    return int(counts.argmax())

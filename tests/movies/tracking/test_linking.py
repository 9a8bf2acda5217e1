"""Labels that are numbered anew in every frame, linked to tracks by overlap."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from cytoform.movies.families import find_families
from cytoform.movies.lineage import Track
from cytoform.movies.movie import LabelMovie
from cytoform.movies.readers import open_movies
from cytoform.movies.tracking.linking import linked


def movie_of(frames: np.ndarray) -> LabelMovie:
    return LabelMovie(
        "cells", "cells.tif", len(frames), frames.shape[1:], (1.0, 1.0, 1.0), 60.0, None, frames.__getitem__
    )


def numbered_anew(frames: np.ndarray, seed: int) -> np.ndarray:
    """The same cells with other labels in every frame."""
    rng = np.random.default_rng(seed)
    anew = np.zeros_like(frames)
    for t, frame in enumerate(frames):
        names = np.setdiff1d(frame, [0])
        for label, new in zip(names, rng.permutation(len(names)) + 1, strict=True):
            anew[t][frame == label] = new
    return anew


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 1000))
def test_a_division_is_found_whatever_the_labels(seed):
    from division import division_frames

    truth = division_frames()
    found = linked(movie_of(numbered_anew(truth, seed)))
    (family,) = find_families(found).families
    assert [frame.n_voxels for frame in family.frames] == [int((frame > 0).sum()) for frame in truth]
    assert [len(frame.labels) for frame in family.frames] == [1, 1, 1, 2, 2, 2]
    assert found.origin.lineage == "linked by overlap (--link): 3 tracks, 1 division, 0 that end before the last frame"


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 1000), n_cells=st.integers(1, 6), data=st.data())
def test_cells_that_move_less_than_half_their_size(seed, n_cells, data):
    frames = np.zeros((4, 6, 12, 100), np.uint16)
    for cell in range(n_cells):
        at = 16 * cell
        for frame in frames:
            frame[1:5, 2:10, at + 2 : at + 10] = cell + 1
            at += data.draw(st.integers(-1, 2))
            at = min(at, 16 * cell + 5)
            at = max(at, 16 * cell - 1)
    found = linked(movie_of(numbered_anew(frames, seed)))
    assert len(found.lineage.tracks) == n_cells
    assert all((track.first, track.last, track.parent) == (0, 3, 0) for track in found.lineage.tracks)
    read = np.stack([found.read(t) for t in range(4)])
    for cell in range(1, n_cells + 1):
        assert len(np.unique(read[frames == cell])) == 1


def test_a_cell_that_comes_late_and_one_that_goes():
    frames = np.zeros((4, 4, 10, 40), np.uint16)
    frames[:, 1:3, 2:8, 2:8] = 3
    frames[:2, 1:3, 2:8, 12:18] = 1
    frames[2:, 1:3, 2:8, 30:36] = 1
    tracks = linked(movie_of(frames)).lineage.tracks
    spans = sorted((track.first, track.last, track.parent) for track in tracks)
    assert spans == [(0, 1, 0), (0, 3, 0), (2, 3, 0)]
    assert Track(3, 0, 3, 0) in tracks


def test_a_small_bud_is_no_division():
    frames = np.zeros((2, 4, 20, 20), np.uint16)
    frames[0, 1:3, 2:18, 2:18] = 1
    frames[1, 1:3, 2:18, 2:14] = 1
    frames[1, 1:3, 2:6, 17:20] = 2
    assert all(track.parent == 0 for track in linked(movie_of(frames)).lineage.tracks)


def test_empty_frames_and_a_single_frame(write, division, tmp_path):
    frames = division.copy()
    frames[2] = 0
    found = linked(movie_of(frames))
    assert all(track.parent == 0 for track in found.lineage.tracks)
    (single,) = open_movies(write["imagej"](tmp_path / "one", division[:1]))
    assert linked(single) is single

"""Labels split into connected pieces."""

import numpy as np
import pytest

from cytoform.errors import InputError
from cytoform.movies.movie import LabelMovie
from cytoform.movies.tracking.linking import linked
from cytoform.movies.tracking.splitting import split


def movie(frames: np.ndarray) -> LabelMovie:
    return LabelMovie("m", "m.tif", len(frames), frames.shape[1:], (1.0, 1.0, 1.0), None, None, lambda t: frames[t])


def test_every_piece_is_a_cell_and_specks_go():
    frames = np.zeros((3, 8, 20, 20), np.uint16)
    for t in range(3):
        frames[t, 2:7, 2 + t : 8 + t, 2:8] = 255
        frames[t, 2:7, 3:9, 12:18] = 255
    frames[1, 1, 1, 1] = 255
    found = split(movie(frames))
    for t in range(3):
        labels = found.read(t)
        assert labels.dtype == np.uint16
        assert sorted(np.unique(labels)) == [0, 1, 2]
        assert np.array_equal(labels > 0, frames[t] > 0) == (t != 1)
    assert [(track.first, track.last) for track in linked(found).lineage.tracks] == [(0, 2), (0, 2)]


def test_touching_labels_stay_apart():
    frames = np.zeros((1, 4, 6, 12), np.uint16)
    frames[0, 1:3, 1:5, 1:6] = 4
    frames[0, 1:3, 1:5, 6:11] = 9
    assert len(np.unique(split(movie(frames)).read(0))) == 3


def test_too_many_pieces():
    frames = np.zeros((1, 2, 520, 520), np.uint16)
    frames[0, 0, ::2, ::2] = 1
    with pytest.raises(InputError, match=r"m.tif, frame 0: 67600 pieces, no more than 65535"):
        split(movie(frames)).read(0)

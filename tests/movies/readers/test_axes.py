"""Axes by their names in any order, without names by convention, and never guessed where they could be either."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cytoform.errors import InputError
from cytoform.movies.readers.axes import Layout, layout

MOVIE = np.arange(2 * 3 * 4 * 5, dtype=np.uint16).reshape(2, 3, 4, 5)


def frames(found: Layout, stored: np.ndarray) -> np.ndarray:
    """All frames of a stored array, (t, z, y, x)."""
    return np.stack([found.ordered(stored[found.index(t)]) for t in range(found.n_frames or 1)])


@given(
    order=st.permutations("TZYX"),
    extra=st.lists(st.tuples(st.sampled_from("CSRHQ"), st.integers(0, 9)), max_size=3, unique_by=lambda pair: pair[0]),
    is_given=st.booleans(),
)
def test_named_axes_in_any_order(order, extra, is_given):
    letters, stored = "".join(order), MOVIE.transpose(["TZYX".index(letter) for letter in order])
    for letter, place in extra:
        place = min(place, len(letters))
        letters = letters[:place] + letter + letters[place:]
        stored = np.expand_dims(stored, place)
    if is_given:
        named = "".join(order) if extra else letters
        found = layout("Q" * stored.ndim, stored.shape, "here", given=named.lower())
    else:
        found = layout(letters, stored.shape, "here")
    assert (found.n_frames, found.shape_zyx) == (2, (3, 4, 5))
    np.testing.assert_array_equal(frames(found, stored), MOVIE)


@pytest.mark.parametrize(
    ("axes", "shape", "n_frames", "shape_zyx"),
    [
        ("QQYX", (4, 16, 40, 48), 4, (16, 40, 48)),
        ("QQQQ", (4, 16, 40, 48), 4, (16, 40, 48)),
        ("QQQYX", (4, 1, 16, 40, 48), 4, (16, 40, 48)),
        ("QQQYX", (4, 16, 1, 40, 48), 4, (16, 40, 48)),
        ("QQQYX", (1, 1, 16, 40, 48), None, (16, 40, 48)),
        ("QQQQQQ", (1, 4, 1, 16, 40, 48), 4, (16, 40, 48)),
        ("QQYX", (1, 16, 40, 48), None, (16, 40, 48)),
        ("TZYX", (1, 16, 40, 48), None, (16, 40, 48)),
        ("TQYX", (4, 16, 40, 48), 4, (16, 40, 48)),
        ("QZYX", (4, 16, 40, 48), 4, (16, 40, 48)),
        ("ZYX", (16, 40, 48), None, (16, 40, 48)),
        ("TCZYX", (4, 1, 16, 40, 48), 4, (16, 40, 48)),
        ("YX", (40, 48), None, (1, 40, 48)),
        ("TYX", (4, 40, 48), 4, (1, 40, 48)),
        ("QQYX", (4, 1, 40, 48), 4, (1, 40, 48)),
        ("TZYX", (4, 1, 40, 48), 4, (1, 40, 48)),
    ],
)
def test_axes_that_are_clear(axes, shape, n_frames, shape_zyx):
    found = layout(axes, shape, "here")
    assert (found.n_frames, found.shape_zyx) == (n_frames, shape_zyx)


@pytest.mark.parametrize(
    ("axes", "shape", "message"),
    [
        (
            "IYX",
            (16, 40, 48),
            "three axes without names .* pass --axes ZYX for one volume or --axes TYX for images over time",
        ),
        ("QQQ", (16, 40, 48), "three axes without names"),
        ("CYX", (16, 40, 48), r"several channels .* alone, or pass --axes ZYX if these are no channels"),
        ("ZCYX", (4, 16, 40, 48), r"or pass --axes TZYX if these are no channels"),
        ("TCYX", (4, 16, 40, 48), r"or pass --axes TZYX if these are no channels"),
        ("CTYX", (16, 4, 40, 48), r"or pass --axes ZTYX if these are no channels"),
        ("CZYX", (4, 16, 40, 48), r"or pass --axes TZYX if these are no channels"),
        (
            "TCZYX",
            (4, 2, 16, 40, 48),
            r"several channels \(shape \(4, 2, 16, 40, 48\)\) where one is needed; save one channel alone$",
        ),
        ("YXS", (40, 48, 3), "RGB or several channels .* save one channel alone$"),
        ("QQQYX", (4, 2, 16, 40, 48), "some without names; pass --axes"),
        ("ZZYX", (4, 16, 40, 48), "where T Z Y X are needed"),
        ("TZRYX", (4, 16, 2, 40, 48), "where T Z Y X are needed; name them with --axes"),
    ],
)
def test_axes_that_could_be_either_are_refused(axes, shape, message):
    with pytest.raises(InputError, match=f"^here: .*{message}"):
        layout(axes, shape, "here")


@pytest.mark.parametrize(
    ("axes", "given", "message"),
    [
        ("ZYX", "TZYX", "--axes TZYX has 4 letters but the image has the axes ZYX of shape"),
        ("ZYX", "ZZX", "give a letter for each axis"),
        ("ZYX", "ZY", "give a letter for each axis"),
        ("ZYX", "QYX", "from T Z C Y X"),
        ("ZYX", "CYX", "several channels"),
    ],
)
def test_given_axes_that_do_not_fit(axes, given, message):
    with pytest.raises(InputError, match=message):
        layout(axes, (16, 40, 48), "here", given=given)


@pytest.mark.parametrize(("axes", "n"), [("YX", None), ("TYX", 7), ("IYX", None)])
def test_images_are_volumes_of_one_plane(axes, n):
    shape = (7, 5, 6)[-len(axes) :]
    if axes == "IYX":
        assert layout(axes, shape, "here", volume=True).shape_zyx == (7, 5, 6)
        return
    found = layout(axes, shape, "here")
    assert (found.n_frames, found.shape_zyx) == (n, (1, 5, 6))
    stored = np.arange(math.prod(shape)).reshape(shape)
    np.testing.assert_array_equal(frames(found, stored)[:, 0], stored.reshape(-1, 5, 6))


def test_a_file_of_one_frame_has_its_volume_axes():
    for shape in itertools.permutations((16, 40, 48)):
        assert layout("IYX", shape, "here", volume=True).shape_zyx == shape

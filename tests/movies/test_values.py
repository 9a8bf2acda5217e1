"""Label values of any size and number type."""

from pathlib import Path

import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st

from cytoform.errors import InputError
from cytoform.movies.families import find_families
from cytoform.movies.readers import open_movies
from cytoform.movies.values import label_frames

UM = (1.0, 0.5, 0.5)


@settings(max_examples=40, deadline=None)
@given(
    values=st.lists(st.integers(1, 2**53 - 1), min_size=1, max_size=5, unique=True),
    dtype=st.sampled_from(["uint32", "int64", "uint64", "float64", ">i8", ">f8"]),
)
def test_every_value_is_one_label_in_all_frames(values, dtype):
    values = [value % 2**32 or 7 for value in values] if dtype == "uint32" else values
    stored = np.zeros((3, 2, 3, 4), dtype)
    for n, value in enumerate(dict.fromkeys(values)):
        stored[:, n % 2, n % 3, n % 4] = value
    read = label_frames(lambda t: stored[t], ("a.tif",), n_frames=3, dtype=stored.dtype)
    labels = np.stack([read(t) for t in range(3)])
    assert labels.dtype == np.uint16
    if stored.max() <= 65535:
        np.testing.assert_array_equal(labels, stored)
    else:
        np.testing.assert_array_equal(np.array([0, *read.values], dtype)[labels], stored)


def test_names_of_renumbered_families(division, write, tmp_path):
    frames = np.where(division == 7, 100_001, np.where(division > 7, division.astype(np.uint32) + 200_000, 0)).astype(
        np.uint32
    )
    (movie,) = open_movies(write["ome-tiff"](tmp_path / "cells", frames))
    assert movie.values == (100_001, 200_040, 200_300)
    assert movie.value(2) == 200_040
    assert len(find_families(movie).families) == 3


@pytest.mark.parametrize("bad", [0.5, np.nan, np.inf, -np.inf, 1e300])
def test_floats_that_are_no_labels(bad, tmp_path: Path):
    frames = np.ones((2, 4, 5, 6))
    frames[1, 2, 2, 2] = bad
    tifffile.imwrite(tmp_path / "a.tif", frames, photometric="minisblack")
    with pytest.raises(InputError, match=r"a\.tif, frame 1: an image of type float64 with values such as"):
        open_movies(tmp_path / "a.tif", voxel_size_zyx_um=UM)


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_a_frame_is_a_new_array(dtype: str, tmp_path: Path) -> None:
    """A frame that is a read-only view of a file's bytes would be refused by compiled code."""
    np.save(tmp_path / "cells.npy", np.ones((2, 4, 5, 6), dtype))
    (movie,) = open_movies(tmp_path / "cells.npy", voxel_size_zyx_um=UM)
    labels = movie.read(1)
    assert labels.dtype == np.uint16
    assert labels.flags.writeable

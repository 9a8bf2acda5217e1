"""The cube and its voxels."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cytoform.errors import InputError
from cytoform.shapes.grid import MAX_SIZE, MIN_SIZE, Grid, frame_times, worded

sizes = st.integers(MIN_SIZE, MAX_SIZE)
extents = st.floats(1e-3, 1e4)


@given(size=sizes, half_extent_um=extents)
def test_voxels_fill_the_cube(size: int, half_extent_um: float) -> None:
    grid = Grid(size, half_extent_um)
    centres = grid.centres_um
    assert centres[0] == pytest.approx(grid.spacing_um / 2)
    assert centres[-1] == pytest.approx(2 * half_extent_um - grid.spacing_um / 2)
    assert np.diff(centres) == pytest.approx(np.full(size - 1, grid.spacing_um))
    assert centres + centres[::-1] == pytest.approx(np.full(size, 2 * half_extent_um))


def test_points_are_zyx_in_c_order() -> None:
    grid = Grid(8, 4.0)
    points = grid.points_zyx_um()
    assert points.shape == (512, 3)
    assert points[1].tolist() == [0.5, 0.5, 1.5]
    assert points[8 * 8 * 3 + 8 * 2 + 1].tolist() == [3.5, 2.5, 1.5]


@pytest.mark.parametrize("size", [0, -4, MIN_SIZE - 1, MAX_SIZE + 1])
def test_impossible_sizes_are_refused(size: int) -> None:
    with pytest.raises(InputError, match="--grid"):
        Grid(size, 1.0)


@pytest.mark.parametrize("half_extent_um", [0.0, -1.0, float("nan"), float("inf")])
def test_impossible_extents_are_refused(half_extent_um: float) -> None:
    with pytest.raises(InputError, match="--half-extent"):
        Grid(32, half_extent_um)


def test_times_run_from_minus_one_to_one() -> None:
    assert frame_times(1).tolist() == [-1.0]
    assert frame_times(5).tolist() == [-1.0, -0.5, 0.0, 0.5, 1.0]
    with pytest.raises(InputError):
        frame_times(0)


def test_sentences_about_volumes_are_worded_for_images() -> None:
    said = "Surfaces lie 0.1 voxels apart; a surface of one ball, not of a balloon"
    assert worded(said, 3) == said
    assert worded(said, 2) == "Outlines lie 0.1 pixels apart; an outline of one disc, not of a balloon"

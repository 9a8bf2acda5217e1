"""One cube for all cells."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cytoform.errors import InputError
from cytoform.prepare.extent import Extent, centres_of, common_grid, extent_of

SPACING = np.array([1.0, 0.5, 0.25])


def test_extent_of_a_box() -> None:
    mask = np.zeros((6, 8, 10), bool)
    mask[1:3, 2:6, 3:9] = True
    extent = extent_of(mask, SPACING, np.array([10.0, 20.0, 30.0]))
    assert extent.low_zyx_um.tolist() == [11.0, 21.0, 30.75]
    assert extent.high_zyx_um.tolist() == [13.0, 23.0, 32.25]
    assert extent.centroid_zyx_um.tolist() == [12.0, 22.0, 31.5]


def test_centroid_is_the_mean_of_the_voxel_centres() -> None:
    mask = np.random.default_rng(0).random((6, 8, 10)) < 0.2
    centroid = extent_of(mask, SPACING, np.zeros(3)).centroid_zyx_um
    assert centroid == pytest.approx(((np.argwhere(mask) + 0.5) * SPACING).mean(0))


def moving() -> list[Extent]:
    """A body of 2 × 4 × 6 µm that moves by 10 µm along x."""
    half = np.array([1.0, 2.0, 3.0])
    centres = [np.array([5.0, 5.0, 5.0 + step]) for step in (0.0, 4.0, 10.0)]
    return [Extent(centre - half, centre + half, centre) for centre in centres]


def test_centres_follow_the_cell_or_hold_the_whole_motion() -> None:
    assert centres_of(moving(), keep_motion=False)[:, 2].tolist() == [5.0, 9.0, 15.0]
    assert centres_of(moving(), keep_motion=True).tolist() == [[5.0, 5.0, 10.0]] * 3


@given(size=st.integers(16, 300), keep_motion=st.booleans(), scale=st.floats(0.01, 100))
def test_the_cube_holds_every_cell_with_room(size: int, keep_motion: bool, scale: float) -> None:
    cells = [Extent(e.low_zyx_um * scale, e.high_zyx_um * scale, e.centroid_zyx_um * scale) for e in moving()]
    centres = centres_of(cells, keep_motion=keep_motion)
    grid = common_grid({"a": cells}, {"a": centres}, size=size, half_extent_um=None)
    reach = scale * (8 if keep_motion else 3)
    assert grid.half_extent_um >= 1.1 * reach * (1 - 1e-9)
    assert grid.half_extent_um >= (reach + 4 * grid.spacing_um) * (1 - 1e-9)
    assert grid.half_extent_um <= 1.01 * max(1.1 * reach, reach / (1 - 8 / size))


def test_a_cube_that_is_too_small_names_the_farthest_cell() -> None:
    cells = {"small": moving()[:1], "large": [Extent(-np.ones(3), np.array([1.0, 1.0, 9.0]), np.zeros(3))] * 2}
    centres = {name: centres_of(of_cell, keep_motion=False) for name, of_cell in cells.items()}
    assert common_grid(cells, centres, size=64, half_extent_um=12.0).half_extent_um == 12.0
    with pytest.raises(InputError, match=r"--half-extent 9.1.*large.*9.00 µm.*frame 0.*10.3"):
        common_grid(cells, centres, size=64, half_extent_um=9.1)

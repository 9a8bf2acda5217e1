"""A field on a box of a grid: the same cell as on the whole grid, wherever the box ends."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stores import GRID, ball

from cytoform.shapes.box import BoxedField, bounding_box
from cytoform.shapes.grid import Grid
from cytoform.shapes.mesh import mesh_from_distance

BAND_UM = 1.0
SMALL = Grid(8, 4.0)


def whole(sdf_um: np.ndarray, grid: Grid = GRID) -> BoxedField:
    return BoxedField(grid, (0, 0, 0), sdf_um.clip(-BAND_UM, BAND_UM), BAND_UM)


@pytest.mark.parametrize("margin", [0, 1, 3])
def test_a_tight_box_has_the_same_volumes_and_surface(margin: int) -> None:
    field = whole(ball(3.0, shift_zyx_um=(1.0, -0.5, 0.0)))
    tight = field.tight(margin)
    assert tight.box_sdf_um.size < field.box_sdf_um.size / 2
    assert np.array_equal(tight.mask(), field.mask())
    near = np.abs(field.sdf_um()) < BAND_UM
    if margin * GRID.spacing_um > BAND_UM:
        assert np.array_equal(tight.sdf_um(), field.sdf_um())
    assert np.array_equal(tight.sdf_um()[tight.slices], field.sdf_um()[tight.slices])
    assert near[tight.slices].any()
    if margin:
        np.testing.assert_allclose(tight.mesh().vertices_xyz_um, field.mesh().vertices_xyz_um, atol=1e-5)


def test_the_margin_reaches_beyond_the_box_and_is_outside_there() -> None:
    lone = BoxedField(SMALL, (3, 3, 3), np.full((1, 1, 1), -0.5, np.float32), BAND_UM)
    tight = lone.tight(2)
    assert tight.corner_zyx == (1, 1, 1)
    assert tight.box_sdf_um.shape == (5, 5, 5)
    assert tight.box_sdf_um[2, 2, 2] == -0.5
    assert (tight.box_sdf_um == BAND_UM).sum() == 124


def test_the_margin_ends_with_the_grid() -> None:
    sdf_um = np.full((3, 3, 3), -1.0, np.float32)
    assert BoxedField(SMALL, (0, 5, 2), sdf_um, BAND_UM).tight(9).slices == (slice(0, 8),) * 3
    assert BoxedField(SMALL, (0, 5, 2), sdf_um, BAND_UM).tight(1).slices == (slice(0, 4), slice(4, 8), slice(1, 6))


@pytest.mark.parametrize("sdf_um", [np.full((8, 8, 8), 1.0), np.empty((0, 0, 0))])
def test_an_empty_field_has_no_mesh_and_no_bounds(sdf_um: np.ndarray) -> None:
    empty = BoxedField(SMALL, (0, 0, 0), sdf_um, BAND_UM)
    assert empty.is_empty
    assert empty.mesh() is None
    assert not empty.is_cut
    assert not empty.mask().any()
    assert (empty.sdf_um() == BAND_UM).all()
    assert empty.tight(2).box_sdf_um.size == 0
    assert all(side.start == side.stop for side in empty.bounds)


@pytest.mark.parametrize(
    ("corner", "cut"), [((1, 1, 1), False), ((0, 1, 1), True), ((1, 5, 1), True), ((1, 1, 4), False)]
)
def test_a_cell_is_cut_where_an_outermost_voxel_is_inside(corner: tuple[int, int, int], cut: bool) -> None:
    assert BoxedField(SMALL, corner, np.full((3, 3, 3), -1.0), BAND_UM).is_cut == cut


def test_a_mesh_is_where_the_cell_is_in_the_grid() -> None:
    field = whole(ball(2.0, shift_zyx_um=(0.0, 1.5, -1.0)))
    mesh = field.tight(2).mesh()
    assert mesh.volume_um3 == pytest.approx(4 / 3 * np.pi * 8, rel=0.05)
    other = mesh_from_distance(field.sdf_um(), GRID.spacing_um)
    np.testing.assert_allclose(mesh.vertices_xyz_um, other.vertices_xyz_um, atol=1e-5)


@settings(max_examples=50, deadline=None)
@given(places=st.lists(st.tuples(*[st.integers(0, n - 1) for n in (5, 6, 7)]), max_size=6))
def test_the_bounding_box_holds_all_and_is_tight(places: list[tuple[int, int, int]]) -> None:
    mask = np.zeros((5, 6, 7), bool)
    for place in places:
        mask[place] = True
    box = bounding_box(mask)
    assert mask[box].sum() == mask.sum()
    if places:
        assert all(mask[box].any(axis=others)[[0, -1]].all() for others in ((1, 2), (0, 2), (0, 1)))
    else:
        assert mask[box].size == 0


@pytest.mark.parametrize("margin", [0, 1, 5])
def test_a_coarser_field_is_that_of_a_coarser_grid(margin: int) -> None:
    shift_um = (1.0, -0.5, 0.3)
    coarse = whole(ball(3.0, shift_zyx_um=shift_um)).tight(margin).coarser(2)
    direct = whole(ball(3.0, shift_zyx_um=shift_um, grid=replace(GRID, size=GRID.size // 2)), coarse.grid)
    assert coarse.grid == direct.grid
    assert (coarse.mask() ^ direct.mask()).sum() < 0.03 * direct.mask().sum()
    near = np.abs(direct.sdf_um()) < 0.3
    # The mean of distances to a ball is a little above that at the middle; beyond a tight box they are the band.
    if margin > 1:
        assert coarse.sdf_um()[near] == pytest.approx(direct.sdf_um()[near], abs=0.1)


def test_only_a_factor_of_the_size_makes_a_field_coarser() -> None:
    field = whole(ball(3.0))
    assert field.coarser(1) is field
    with pytest.raises(ValueError, match="no multiple of 5"):
        field.coarser(5)

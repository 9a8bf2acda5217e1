"""Shapes between two divisions, of balls and ellipsoids."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation
from stores import ball, lopsided

from cytoform.scenes.interphase import centroid_voxels, grown, scaled, shrunk, size_of
from cytoform.shapes.box import BoxedField
from cytoform.shapes.grid import Grid
from scenes import GRID, boxed_ball


def moved_ball(radius_um: float, by: int, grid: Grid = GRID) -> BoxedField:
    """A ball away from the middle of the cube, in a tight box."""
    return BoxedField(grid, (0, 0, 0), np.roll(ball(radius_um, grid=grid), by, axis=(0, 1, 2)), 2.0).tight(margin=2)


@pytest.mark.parametrize("share", [0.0, 0.25, 0.5, 1.0])
def test_a_ball_grows_to_a_ball_at_the_place_of_the_older_one(share: float) -> None:
    young, old = moved_ball(2.6, -4), moved_ball(3.3, 3)
    between = grown(young, old, share)
    assert centroid_voxels(between) == pytest.approx(centroid_voxels(old), abs=0.05)
    radius_um = 2.6 ** (1 - share) * 3.3**share
    places = (np.argwhere(between.inside) + between.corner_zyx + 0.5 - centroid_voxels(old)) * GRID.spacing_um
    assert np.linalg.norm(places, axis=1).max() == pytest.approx(radius_um, abs=GRID.spacing_um)


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_cells_grow_exponentially(share: float) -> None:
    young, old = (
        BoxedField(GRID, (0, 0, 0), lopsided(Rotation.from_euler("xyz", angles), growth=growth, grid=GRID), 2.0)
        for angles, growth in (((0.3, 0.2, 0.1), 0.7), ((1.0, 2.0, 0.5), 1.0))
    )
    wanted = size_of(young) ** (1 - share) * size_of(old) ** share
    assert size_of(grown(young, old, share)) == pytest.approx(wanted, rel=0.005)


def test_grids_of_other_voxels_meet() -> None:
    fine = Grid(48, 8.0)
    between = grown(moved_ball(2.6, 5, fine), boxed_ball(2.6), 0.5)
    assert between.grid == GRID
    assert size_of(between) == pytest.approx(size_of(boxed_ball(2.6)), rel=0.03)
    assert (between.inside ^ boxed_ball(2.6).inside[between.slices]).sum() < 0.05 * boxed_ball(2.6).inside.sum()


def test_a_scaled_cell_is_larger_in_all_directions() -> None:
    larger = scaled(boxed_ball(2.6), 1.2)
    assert size_of(larger) == pytest.approx(1.2**3 * size_of(boxed_ball(2.6)))
    assert larger.grid.spacing_um == pytest.approx(1.2 * GRID.spacing_um)
    assert centroid_voxels(larger) == pytest.approx(centroid_voxels(boxed_ball(2.6)))
    assert larger.box_sdf_um == pytest.approx(1.2 * boxed_ball(2.6).box_sdf_um)


@pytest.mark.parametrize("share", [0.3, 1.0])
def test_a_dying_cell_becomes_a_small_ball_at_its_place(share: float) -> None:
    field = BoxedField(GRID, (0, 0, 0), lopsided(Rotation.from_euler("xyz", (0.3, 0.2, 0.1)), grid=GRID), 2.0).tight(1)
    dying = shrunk(field, share)
    assert size_of(dying) == pytest.approx((1 - 0.7 * share) * size_of(field), rel=0.02)
    assert centroid_voxels(dying) == pytest.approx(centroid_voxels(field), abs=0.6)
    if share == 1:
        sides = [side.stop - side.start for side in dying.bounds]
        assert max(sides) - min(sides) <= 1

"""Shapes between two divisions, of balls and ellipsoids."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation
from stores import ball, lopsided

from cytoform.scenes.interphase import centroid_voxels, grown, scaled, shortest_turn, shrunk, size_of
from cytoform.shapes.box import BoxedField
from cytoform.shapes.grid import Grid
from scenes import GRID, boxed_ball


def moved_ball(radius_um: float, by: int, grid: Grid = GRID) -> BoxedField:
    """A ball away from the middle of the cube, in a tight box."""
    return BoxedField(grid, (0, 0, 0), np.roll(ball(radius_um, grid=grid), by, axis=(0, 1, 2)), 2.0).tight(margin=2)


@pytest.mark.parametrize("share", [0.0, 0.25, 0.5, 1.0])
def test_a_ball_grows_to_a_ball_at_the_place_of_the_older_one(share: float) -> None:
    young, old = moved_ball(2.6, -4), moved_ball(3.3, 3)
    between = grown(young, old, share, shortest_turn(young, old))
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
    assert size_of(grown(young, old, share, shortest_turn(young, old))) == pytest.approx(wanted, rel=0.005)


def ellipse(degrees: float) -> BoxedField:
    """Three times as long as wide, turned from x towards y, away from the middle of its square; distances are rough."""
    grid = Grid(96, 8.0, 2)
    y, x = np.meshgrid(*[grid.centres_um - grid.half_extent_um] * 2, indexing="ij")
    turn = np.deg2rad(degrees)
    along = np.cos(turn) * (x - 1) + np.sin(turn) * (y + 0.5)
    across = np.cos(turn) * (y + 0.5) - np.sin(turn) * (x - 1)
    return BoxedField(grid, (0, 0), np.clip(np.hypot(along / 3, across) - 1.2, -2, 2), 2.0).tight(margin=2)


def direction_degrees(field: BoxedField) -> float:
    """Direction of the long axis from x towards y, from 0 to 180."""
    variances, axes = np.linalg.eigh(np.cov(np.argwhere(field.inside), rowvar=False))
    assert variances[1] > 6 * variances[0]
    return float(np.rad2deg(np.arctan2(axes[0, 1], axes[1, 1])) % 180)


def test_long_cells_across_each_other_turn_as_they_grow() -> None:
    """A mean of the two at rest would be a cross. They take the shorter way: 160 degrees are -20."""
    young, old = ellipse(170), ellipse(100)
    turn = shortest_turn(young, old)
    assert np.rad2deg(turn.magnitude()) == pytest.approx(70, abs=1)
    directions = [direction_degrees(grown(young, old, share, turn)) for share in (0.0, 0.25, 0.5, 1.0)]
    assert directions == pytest.approx([170, 152.5, 135, 100], abs=2)
    assert np.rad2deg(shortest_turn(ellipse(10), ellipse(170)).magnitude()) == pytest.approx(20, abs=1)


def test_a_turned_body_is_turned_back() -> None:
    wanted = Rotation.from_rotvec([0.3, -0.5, 0.4])  # of vectors (z, y, x)
    reverse = np.eye(3)[::-1]
    start = Rotation.from_euler("xyz", (0.3, 0.2, 0.1))
    bodies = [
        BoxedField(GRID, (0, 0, 0), lopsided(turn, grid=GRID), 2.0)
        for turn in (start, Rotation.from_matrix(reverse @ wanted.as_matrix() @ reverse) * start)
    ]
    assert (shortest_turn(*bodies) * wanted.inv()).magnitude() < 0.08
    between = grown(*bodies, 1.0, wanted)
    assert (between.inside ^ bodies[1].inside[between.slices]).sum() < 0.02 * bodies[1].inside.sum()
    before = grown(*bodies, 0.0, wanted)
    assert direction(before) @ direction(bodies[0]) == pytest.approx(1, abs=0.01)


def direction(field: BoxedField) -> np.ndarray:
    """Of the long axis, towards larger x."""
    axis = np.linalg.eigh(np.cov(np.argwhere(field.inside), rowvar=False))[1][:, -1]
    return np.asarray(axis * np.sign(axis[-1]))


def test_grids_of_other_voxels_meet() -> None:
    fine = Grid(48, 8.0)
    between = grown(moved_ball(2.6, 5, fine), boxed_ball(2.6), 0.5, Rotation.identity())
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

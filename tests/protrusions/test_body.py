"""The opening against the Minkowski sum of balls: analytic bodies, and a brute-force opening."""

from itertools import product

import numpy as np
import pytest
from protruding import BAND_UM, BODY_UM, GRID, MIDDLE, OFF, RADIUS_UM, boxed, cell, direction, spike, tube

from cytoform.protrusions.body import body_of, depth_um
from cytoform.shapes.box import BoxedField


def volume_um3(field: BoxedField) -> float:
    spacing_um = field.grid.spacing_um
    return float(np.clip(0.5 - field.box_sdf_um / spacing_um, 0, 1).sum()) * spacing_um**3


@pytest.mark.parametrize("radius_um", [0.4, 0.6, 1.0])
def test_a_ball_is_its_own_body(radius_um: float) -> None:
    truth = cell([], balls=[(OFF, BODY_UM)])
    body = body_of(boxed(truth), radius_um)
    assert volume_um3(body) == pytest.approx(4 / 3 * np.pi * BODY_UM**3, rel=0.025)
    near = (truth > -0.3) & (truth < BAND_UM - 0.3)
    errors = (body.box_sdf_um - truth)[near]
    assert abs(errors.mean()) < 0.1 * GRID.spacing_um
    assert np.abs(errors).max() < 0.5 * GRID.spacing_um


def test_tubes_thinner_than_the_ball_are_gone_and_thicker_ones_stay() -> None:
    thin, thick = spike(direction(10, 20), 2.0), spike(direction(190, -30), 2.0, radius_um=0.8)
    body = body_of(boxed(cell([thin, thick])), RADIUS_UM)
    expected = cell([thick])
    inside = expected <= 0
    assert not (body.inside & (expected > 0.3)).any()  # no thin tube; a fillet is left at its root
    assert (body.inside & inside).sum() > 0.94 * inside.sum()


def test_agrees_with_brute_force() -> None:
    """Every voxel within the radius of a voxel at least so deep, to half a voxel."""
    field = boxed(
        cell([spike(direction(40, 10), 1.5, radius_um=0.5), tube(OFF, OFF + np.array([0, 0, 3.0]), radius_um=0.3)])
    )
    body = body_of(field, RADIUS_UM)
    deep = np.argwhere(depth_um(field) >= RADIUS_UM)
    offsets = np.array(list(product(range(-4, 5), repeat=3)))
    reach = np.linalg.norm(offsets, axis=1) * GRID.spacing_um
    for slack_um, covers in ((-0.5 * GRID.spacing_um, True), (1.0 * GRID.spacing_um, False)):
        opened = np.zeros(GRID.shape, bool)
        for offset in offsets[reach <= RADIUS_UM + slack_um]:
            opened[tuple((deep + offset).T)] = True
        assert body.inside[opened].all() if covers else opened[body.inside].all(), slack_um


def test_both_halves_of_a_cell_in_two_pieces_stay_and_a_thick_knob_does_not() -> None:
    left, right, knob = MIDDLE - np.array([0, 0, 2.4]), MIDDLE + np.array([0, 0, 2.4]), MIDDLE + np.array([3.2, 0, 2.4])
    stem = tube(right, knob, radius_um=0.25)
    body = body_of(boxed(cell([stem], balls=[(left, 1.4), (right, 1.5), (knob, 0.75)])), RADIUS_UM)
    at = [tuple(np.int64(centre / GRID.spacing_um)) for centre in (left, right, knob)]
    assert [bool(body.inside[place]) for place in at] == [True, True, False]


def test_a_cell_thinner_than_the_ball_and_an_empty_frame_have_no_body() -> None:
    thin = cell([], balls=[(MIDDLE, 0.5)])
    for sdf_um in (thin, np.full(GRID.shape, 9.0, np.float32)):
        for field in (boxed(sdf_um), boxed(sdf_um).tight(4)):
            assert body_of(field, RADIUS_UM).is_empty


@pytest.mark.parametrize("band_voxels", [1, 4])
def test_depth_reaches_below_the_band(band_voxels: int) -> None:
    truth = -cell([], balls=[(OFF, 2.5)])
    field = boxed(-truth, band_um=band_voxels * GRID.spacing_um)
    depth = depth_um(field)
    is_deep = truth > field.band_um
    errors = (depth - truth)[is_deep] / GRID.spacing_um
    assert abs(errors.mean()) < 0.02
    assert np.abs(errors).max() < 0.25
    known = truth < 0.9 * field.band_um
    assert np.array_equal(depth[known], -field.box_sdf_um[known])


def test_a_body_is_the_same_in_a_narrow_band() -> None:
    """Stores of new cells know distances up to one voxel, prepared ones farther."""
    truth = cell([spike(direction(10, 20), 2.0), spike(direction(190, -30), 2.0)])
    wide, narrow = (body_of(boxed(truth, band_um=voxels * GRID.spacing_um), RADIUS_UM) for voxels in (8, 1))
    assert volume_um3(narrow) == pytest.approx(volume_um3(wide), rel=0.01)

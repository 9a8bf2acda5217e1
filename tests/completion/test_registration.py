"""Registration finds where a surface has gone: against exact shapes between, in two and three dimensions."""

import numpy as np
import pytest
from moving import moving_ball, overlap, splitting_ball, turning_ellipsoid

from cytoform.completion.registration import LOCAL, SMOOTH, carried, displacement_between, halfway

VOXEL_UM = 0.5


@pytest.mark.parametrize("share", [0.25, 0.5, 0.75])
def test_a_moving_ball_is_found_on_its_way(share: float) -> None:
    before, after, truth = (moving_ball(2 * time) / VOXEL_UM for time in (0, 1, share))
    found = halfway(before, after, share, SMOOTH) <= 0
    mean = (1 - share) * before + share * after <= 0
    assert overlap(found, truth <= 0) > 0.97
    assert overlap(found, truth <= 0) > overlap(mean, truth <= 0) + 0.02


def test_the_displacement_of_a_moving_disc_is_its_way() -> None:
    y, x = np.indices((40, 40), np.float32)
    before, after = (np.hypot(y - 20, x - centre).astype(np.float32) - 8 for centre in (18, 22))
    displacement = displacement_between(before, after, 0.5, SMOOTH)
    on_surface = np.abs((before + after) / 2) < 1
    assert displacement[1][on_surface].mean() == pytest.approx(-4, abs=0.5)
    assert displacement[0][on_surface].mean() == pytest.approx(0, abs=0.1)


def test_a_division_is_followed_in_small_windows() -> None:
    before, after, truth = (splitting_ball(time) / VOXEL_UM for time in (2, 4, 3))
    found = halfway(before, after, 0.5, LOCAL) <= 0
    assert overlap(found, truth <= 0) > overlap(before + after <= 0, truth <= 0) + 0.02


def test_a_rotation_is_followed_about_as_well_as_by_the_mean() -> None:
    before, after, truth = (turning_ellipsoid(time) / VOXEL_UM for time in (2, 4, 3))
    found = halfway(before, after, 0.5, SMOOTH) <= 0
    assert overlap(found, truth <= 0) > overlap(before + after <= 0, truth <= 0) - 0.02


def test_a_field_that_is_not_moved_stays_as_it_is() -> None:
    field = moving_ball(1.0)
    assert np.array_equal(carried(field, np.zeros((3, *field.shape), np.float32)), field)
    assert np.abs(displacement_between(field, field, 0.5, SMOOTH)).max() == 0

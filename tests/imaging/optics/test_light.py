"""Background, haze and illumination: their statistics, and that they stay where they are."""

import numpy as np
import pytest

from cytoform.imaging.optics.light import background, haze, illumination
from cytoform.imaging.optics.parameters import BackgroundParameters


def test_an_even_background_is_the_stated_number_of_photons() -> None:
    assert (background((5, 7), BackgroundParameters(photons_per_pixel=12), pixel_um=1.0, seed=3) == 12).all()


def test_an_uneven_background_has_the_stated_spread_and_length() -> None:
    light = BackgroundParameters(photons_per_pixel=100, unevenness=0.1, unevenness_um=20)
    fields = np.stack([background((200, 200), light, pixel_um=2.0, seed=seed) for seed in range(40)]) / 100 - 1
    assert fields.std() == pytest.approx(0.1, rel=0.05)
    lag = (fields[:, :, 10:] * fields[:, :, :-10]).mean() / fields.var()
    assert lag == pytest.approx(np.exp(-1), abs=0.05)  # 10 pixels are the stated length


def test_a_field_smaller_than_the_length_has_the_stated_mean_and_spread_all_the_same() -> None:
    light = BackgroundParameters(photons_per_pixel=50, unevenness=0.2, unevenness_um=500)
    field = background((40, 60), light, pixel_um=1.0, seed=7)
    assert field.mean() == pytest.approx(50, rel=1e-3)
    assert field.std() == pytest.approx(10, rel=1e-3)
    assert (field == background((40, 60), light, pixel_um=1.0, seed=7)).all()


def test_haze_keeps_its_share_of_the_light() -> None:
    cell = np.zeros((101, 101), np.float32)
    cell[50, 50] = 1000
    spread = haze(cell, BackgroundParameters(haze_fraction=0.2, haze_um=3), pixel_um=0.5)
    assert spread.sum() == pytest.approx(200, rel=1e-3)
    assert spread.max() == pytest.approx(200 / (2 * np.pi * 6**2), rel=0.01)


def test_vignetting_is_full_in_the_corners_only() -> None:
    lit = illumination((101, 51), BackgroundParameters(vignetting=0.4))
    assert lit[50, 25] == pytest.approx(1)
    assert lit[0, 0] == pytest.approx(0.6)
    assert lit[0, 25] == pytest.approx(0.8)

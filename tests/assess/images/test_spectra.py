"""Power spectra of noise, waves and blurred images, whose spectra are known."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from cytoform.assess.images.spectra import decibels, power_spectra, ring_of_frequency, spectrum_distance

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("side", [32, 64, 45])
def test_white_noise_has_its_variance_everywhere(side: int) -> None:
    power = power_spectra(RNG.normal(7, 3, (600, side, side))).mean(axis=0)
    assert power == pytest.approx(np.full(len(power), 9.0), rel=0.1)


def test_a_wave_is_in_its_ring() -> None:
    y, x = np.indices((64, 64))
    _, middles = ring_of_frequency(64)
    for frequency in (0.1, 0.25, 0.4):
        wave = np.sin(2 * np.pi * frequency * (0.6 * y + 0.8 * x))
        power = power_spectra(wave[None])[0]
        assert abs(np.log2(middles[power.argmax()] / frequency)) < 0.15


def test_blur_takes_what_its_transfer_function_says() -> None:
    noise = RNG.normal(size=(400, 128, 128))
    blurred = gaussian_filter(noise, (0, 1, 1))[:, 32:96, 32:96]
    _, middles = ring_of_frequency(64)
    lost_db = decibels(power_spectra(noise[:, 32:96, 32:96]).mean(axis=0)) - decibels(
        power_spectra(blurred).mean(axis=0)
    )
    expected_db = 10 * np.log10(np.e) * 4 * np.pi**2 * middles**2
    low = middles < 0.3
    assert lost_db[low] == pytest.approx(expected_db[low], abs=0.6)


def test_ten_times_the_contrast_is_20_db() -> None:
    squares = RNG.normal(size=(5, 64, 64))
    a, b = (power_spectra(each).mean(axis=0) for each in (squares, 10 * squares + 3))
    assert spectrum_distance(a, b) == pytest.approx(20)
    assert spectrum_distance(a, a) == 0


def test_octaves_have_as_many_rings() -> None:
    _, middles = ring_of_frequency(256)
    assert np.sum((middles > 0.25) & (middles < 0.5)) == np.sum((middles > 0.0625) & (middles < 0.125)) == 4

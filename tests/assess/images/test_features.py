"""The filter bank against filters in space, and the Fréchet distance against the formula by SciPy."""

import numpy as np
import pytest
from scipy.linalg import sqrtm
from scipy.signal import fftconvolve

from cytoform.assess.images.features import (
    DIRECTIONS,
    EXTENT,
    PERIODS_PX,
    feature_names,
    filter_bank,
    frechet_distance,
    texture_features,
)

RNG = np.random.default_rng(0)


def test_strength_is_that_of_a_gabor_filter_in_space() -> None:
    """A Gaussian of that extent times a wave, of unit sum, in all directions."""
    square = RNG.normal(size=(64, 64))
    found = dict(zip(feature_names(), texture_features(square[None], unit=1.0)[0], strict=True))
    padded = np.pad(square - square.mean(), 32, mode="symmetric")
    y, x = np.indices((97, 97)) - 48
    for period in PERIODS_PX[:3]:
        for direction in range(DIRECTIONS):
            angle, sigma = np.pi * direction / DIRECTIONS, EXTENT * period
            bell = np.exp(-(y**2 + x**2) / (2 * sigma**2)) / (2 * np.pi * sigma**2)
            kernel = bell * np.exp(2j * np.pi / period * (np.sin(angle) * y + np.cos(angle) * x))
            kernel -= bell * kernel.sum()  # no answer to a constant
            strength = np.abs(fftconvolve(padded, kernel, mode="same"))[32:96, 32:96].mean()
            name = f"strength, period {period:g} px, {180 * direction // DIRECTIONS}°"
            assert found[name] == pytest.approx(np.log(strength), abs=0.08), name


def test_a_wave_answers_its_filter_most() -> None:
    y, x = np.indices((64, 64))
    for direction in range(DIRECTIONS):
        angle = np.pi * direction / DIRECTIONS
        wave = np.sin(2 * np.pi / 6 * (np.sin(angle) * y + np.cos(angle) * x))
        strengths = texture_features(wave[None], unit=1.0)[0][2 : 2 + len(PERIODS_PX) * DIRECTIONS]
        assert strengths.argmax() == DIRECTIONS + direction


def test_the_bank_answers_no_constant() -> None:
    assert (filter_bank(128)[:, 0, 0] == 0).all()
    a, b = (texture_features(RNG.normal(size=(1, 64, 64)) * 0 + value, unit=1.0) for value in (0.0, 9.0))
    assert a[0, 2:] == pytest.approx(b[0, 2:])
    assert b[0, 0] - a[0, 0] == pytest.approx(9)


def test_frechet_distance_is_that_of_scipy() -> None:
    a, b = RNG.normal(size=(200, 5)) @ RNG.normal(size=(5, 5)), RNG.normal(1, 2, (150, 5))
    c1, c2 = (np.cov(each.T, bias=True) for each in (a, b))
    expected = np.sum((a.mean(axis=0) - b.mean(axis=0)) ** 2) + np.trace(c1 + c2 - 2 * sqrtm(c1 @ c2).real)
    assert frechet_distance(a, b) == pytest.approx(expected, rel=1e-6)
    assert frechet_distance(a, a) == pytest.approx(0, abs=1e-6)


def test_frechet_distance_of_independent_normals() -> None:
    """The sum over axes of (difference of means)² + (difference of standard deviations)²."""
    a = RNG.normal([0, 0], [1, 2], (200_000, 2))
    b = RNG.normal([3, 0], [1, 5], (200_000, 2))
    assert frechet_distance(a, b) == pytest.approx(9 + 9, rel=0.02)


def test_weights_are_repetitions() -> None:
    a, b = RNG.normal(size=(60, 3)), RNG.normal(1, 2, (50, 3))
    times = RNG.integers(0, 3, 60), RNG.integers(0, 3, 50)
    repeated = frechet_distance(np.repeat(a, times[0], axis=0), np.repeat(b, times[1], axis=0))
    weights = tuple(each.astype(float) for each in times)
    assert frechet_distance(a, b, weights=weights) == pytest.approx(repeated)

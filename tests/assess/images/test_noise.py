"""Noise of a known camera."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from cytoform.assess.images.frames import ImageFrame
from cytoform.assess.images.noise import noise_curves, noise_levels, noise_ratio

RNG = np.random.default_rng(0)
NOWHERE = np.zeros((400, 400), np.uint16)


def frame(image: np.ndarray) -> ImageFrame:
    return ImageFrame(image, NOWHERE, "01", 0)


def test_poisson_noise_on_a_slope() -> None:
    """Variance = gain times intensity, and the slope itself counts for nothing."""
    expected = np.linspace(50, 1000, 400)[None, :].repeat(400, axis=0)
    photons = frame(RNG.poisson(expected / 2) * 2.0)
    curves = noise_curves([photons], noise_levels([photons]))
    found = curves.noise[0]
    assert found[1:-1] == pytest.approx(np.sqrt(2 * curves.middles[1:-1]), rel=0.06)
    smooth = noise_curves([frame(expected)], curves.edges)
    assert np.nanmax(smooth.noise) < 1e-6


def test_edges_hardly_count() -> None:
    image = RNG.normal(100, 5, (400, 400))
    image[:, ::40] += 300
    found = noise_curves([frame(image)], np.array([80.0, 120.0])).noise[0, 0]
    assert found == pytest.approx(5, rel=0.1)


def test_ratio() -> None:
    real = np.array([1.0, 2.0, np.nan, 4.0])
    assert noise_ratio(real, np.array([2.0, 1.0, 5.0, np.nan])) == pytest.approx(2)
    assert noise_ratio(real, real) == 1
    assert np.isnan(noise_ratio(real, np.full(4, np.nan)))


def test_smoothing_shows() -> None:
    image = RNG.normal(100, 5, (400, 400))
    edges = np.array([80.0, 120.0])
    curves = [noise_curves([frame(each)], edges).noise[0] for each in (image, gaussian_filter(image, 1.0))]
    assert noise_ratio(*curves) > 4


def test_few_pixels_are_not_judged() -> None:
    curves = noise_curves([frame(RNG.normal(100, 5, (400, 400)))], np.array([80.0, 120.0, 500.0]))
    assert np.isnan(curves.noise[0, 1])
    assert np.isfinite(curves.pooled(np.ones(1))[0])
    assert np.isnan(curves.pooled(np.zeros(1))).all()

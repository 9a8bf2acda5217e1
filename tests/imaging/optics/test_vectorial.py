"""The point-spread function against integrals by adaptive quadrature, the paraxial formulas, and an independent library."""

import math

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import j0, j1, jv

from cytoform.imaging.optics.vectorial import intensity, sampled

LENSES = {"air": (0.4, 1.0, 0.6), "water": (1.2, 1.333, 0.525), "oil": (1.4, 1.515, 0.6)}


def richards_wolf(r_um: float, z_um: float, aperture: float, index: float, wavelength_um: float) -> float:
    """|I0|² + 2 |I1|² + |I2|² of Richards and Wolf (1959), by adaptive quadrature."""
    k = 2 * math.pi * index / wavelength_um

    def integral(term) -> complex:
        def part(theta: float, wave) -> float:
            common = math.sqrt(math.cos(theta)) * math.sin(theta)
            return common * term(theta, k * r_um * math.sin(theta)) * wave(k * z_um * math.cos(theta))

        top = math.asin(aperture / index)
        return complex(*(quad(part, 0, top, args=(wave,), limit=400)[0] for wave in (math.cos, math.sin)))

    first = integral(lambda theta, v: (1 + math.cos(theta)) * j0(v))
    second = integral(lambda theta, v: math.sin(theta) * j1(v))
    third = integral(lambda theta, v: (1 - math.cos(theta)) * jv(2, v))
    return abs(first) ** 2 + 2 * abs(second) ** 2 + abs(third) ** 2


@pytest.mark.parametrize("lens", LENSES)
def test_the_integrals(lens: str) -> None:
    aperture, index, wavelength_um = LENSES[lens]
    radii_um, depths_um = np.array([0, 0.1, 0.35, 1.0, 4.0]), np.array([0, 0.2, 1.1, 5.0])
    found = intensity(radii_um, depths_um, numerical_aperture=aperture, index=index, wavelength_um=wavelength_um)
    focus = richards_wolf(0, 0, *LENSES[lens])
    for z, row in zip(depths_um, found, strict=True):
        for r, value in zip(radii_um, row, strict=True):
            assert value == pytest.approx(richards_wolf(r, z, *LENSES[lens]) / focus, rel=1e-6, abs=1e-9)


def test_a_small_aperture_is_that_of_born_and_wolf() -> None:
    """Born and Wolf (8.8.1): |2 ∫ J0(v ρ) exp(i u ρ² / 2) ρ dρ|², in focus (2 J1(v) / v)², on the axis sinc²(u / 4)."""
    aperture, wavelength_um = 0.05, 0.5
    v, u = np.array([0, 1.0, 2.5, 6.0]), np.array([0, 3.0, 8.0])
    k = 2 * math.pi / wavelength_um
    found = intensity(
        v / (k * aperture), u / (k * aperture**2), numerical_aperture=aperture, index=1.0, wavelength_um=wavelength_um
    )

    def born_wolf(v: float, u: float) -> float:
        def part(rho: float, wave) -> float:
            return 2 * j0(v * rho) * wave(u * rho**2 / 2) * rho

        return sum(quad(part, 0, 1, args=(wave,))[0] ** 2 for wave in (math.cos, math.sin))

    for n, depth in enumerate(u):
        np.testing.assert_allclose(found[n], [born_wolf(at, depth) for at in v], atol=2e-3)
    np.testing.assert_allclose(found[0, 1:], (2 * j1(v[1:]) / v[1:]) ** 2, atol=2e-3)
    np.testing.assert_allclose(found[:, 0], np.sinc(u / 4 / np.pi) ** 2, atol=2e-3)


def test_the_grid_holds_the_integrals() -> None:
    aperture, index, wavelength_um = LENSES["water"]
    options = {"numerical_aperture": aperture, "index": index, "wavelength_um": wavelength_um}
    grid = sampled((9, 21), dz_um=0.2, dx_um=0.05, **options)
    assert grid.shape == (9, 21, 21)
    for axis in range(3):
        np.testing.assert_array_equal(grid, np.flip(grid, axis))
    np.testing.assert_array_equal(grid, grid.transpose(0, 2, 1))
    for z, y, x in ((4, 10, 10), (4, 13, 8), (0, 20, 20), (6, 11, 3)):
        r_um = 0.05 * math.hypot(y - 10, x - 10)
        exact = intensity(np.array([r_um]), np.array([0.2 * abs(z - 4)]), **options)
        assert grid[z, y, x] == pytest.approx(exact[0, 0], abs=1e-5)


@pytest.mark.parametrize("lens", LENSES)
def test_an_independent_library_has_the_same_function(lens: str) -> None:
    """psfmodels has the model of Aguet et al. (2009) with a cover slip, the Fresnel losses of which make the difference."""
    psfmodels = pytest.importorskip("psfmodels")
    aperture, index, wavelength_um = LENSES[lens]
    ours = sampled(
        (31, 61), dz_um=0.1, dx_um=0.05, numerical_aperture=aperture, index=index, wavelength_um=wavelength_um
    )
    theirs = psfmodels.make_psf(
        31, 61, dz=0.1, dxy=0.05, NA=aperture, wvl=wavelength_um, ns=index, ni=index, ni0=index, oversample_factor=1
    )
    assert np.abs(ours / ours.sum() - theirs / theirs.sum()).sum() < 0.02

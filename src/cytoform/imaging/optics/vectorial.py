"""The vectorial point-spread function of an aplanatic lens of high aperture (Richards and Wolf 1959, eq. 2.31 to 2.33).

The specimen has the refractive index of the immersion, so that there are no aberrations and the function is the same at every
depth. Unpolarised light; by reciprocity the same integrals describe excitation and emission.
"""

import math

import numpy as np
from jaxtyping import Float
from scipy.interpolate import CubicSpline
from scipy.special import j0, j1, jv

NODES_A_TURN = 6  # of the quadrature for each turn of the phase
FEWEST_NODES = 32
RADII_A_PIXEL = 2


def intensity(
    radii_um: Float[np.ndarray, " r"],
    depths_um: Float[np.ndarray, " z"],
    *,
    numerical_aperture: float,
    index: float,
    wavelength_um: float,
) -> Float[np.ndarray, "z r"]:
    """Intensity at distances from the axis and from the focus, 1 in focus."""
    k = 2 * math.pi * index / wavelength_um
    half_angle = math.asin(numerical_aperture / index)
    turns = k * (radii_um.max() * math.sin(half_angle) + np.abs(depths_um).max() * (1 - math.cos(half_angle)))
    nodes, weights = np.polynomial.legendre.leggauss(FEWEST_NODES + math.ceil(NODES_A_TURN * turns / (2 * math.pi)))
    theta, weights = half_angle * (nodes + 1) / 2, half_angle * weights / 2
    cosine, sine = np.cos(theta), np.sin(theta)
    # Apodisation of the sine condition, and the element of solid angle.
    weights = weights * np.sqrt(cosine) * sine
    phase = np.exp(1j * k * np.outer(depths_um, cosine)) * weights
    argument = k * np.outer(sine, radii_um)
    first = phase @ ((1 + cosine)[:, None] * j0(argument))
    second = phase @ (sine[:, None] * j1(argument))
    third = phase @ ((1 - cosine)[:, None] * jv(2, argument))
    total: Float[np.ndarray, "z r"] = np.abs(first) ** 2 + 2 * np.abs(second) ** 2 + np.abs(third) ** 2
    return total / float((weights @ (1 + cosine)) ** 2)


def sampled(
    shape: tuple[int, int],
    *,
    dz_um: float,
    dx_um: float,
    numerical_aperture: float,
    index: float,
    wavelength_um: float,
) -> Float[np.ndarray, "z y x"]:
    """Intensity at the points of a grid of odd sizes `shape` (planes, and pixels along each side), centred in focus."""
    n_planes, n_pixels = shape
    half = n_pixels // 2
    radii_um = np.arange(math.ceil(RADII_A_PIXEL * half * math.sqrt(2)) + 2) * (dx_um / RADII_A_PIXEL)
    # Both sides of the focus are alike.
    depths_um = np.arange(n_planes // 2 + 1) * dz_um
    profiles = intensity(
        radii_um, depths_um, numerical_aperture=numerical_aperture, index=index, wavelength_um=wavelength_um
    )
    # A quadrant is interpolated along the radius, then mirrored.
    along_um = np.arange(half + 1) * dx_um
    quadrant = np.maximum(CubicSpline(radii_um, profiles, axis=1)(np.hypot(along_um[:, None], along_um)), 0)
    mirrored = quadrant[np.abs(np.arange(n_planes) - n_planes // 2)]
    away = np.abs(np.arange(n_pixels) - half)
    return np.asarray(mirrored[:, away[:, None], away])

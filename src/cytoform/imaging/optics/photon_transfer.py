"""Estimates camera noise from real images by the photon transfer curve (variance against intensity).

Noise is measured by the fourth difference along columns, which cancels smooth structure. Inside cells, fine structure
remains; its variance grows with the square of the brightness, the variance of photon noise linearly. Cells of different
brightness separate the two.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import edt
import numpy as np
from jaxtyping import Bool, Float, Shaped
from scipy.ndimage import correlate1d, gaussian_filter1d
from scipy.optimize import brentq, least_squares
from scipy.stats import sigmaclip

from cytoform.errors import InputError
from cytoform.movies.pairs.pairs import MaskedImage

DIFFERENCE = np.array([1.0, -4.0, 6.0, -4.0, 1.0]) / np.sqrt(70)  # preserves the variance of white noise
CLEAR_PIXELS = 10  # background is farther from cells than this
INNER_PIXELS = 3.5  # deeper inside a cell, the difference does not reach its border
FEWEST_MEASURED_PIXELS = 40
LEAST_CORRELATION = 0.05  # of neighbours in a row: below this, nothing is smeared
CLIP = 4  # standard deviations beyond which values are outliers

PlaneValues = Float[np.ndarray, "y x"]
Mask = Bool[np.ndarray, "y x"]


@dataclass(frozen=True)
class Noise:
    """Noise of a camera: mean and variance of the background, increase of the variance per grey value, readout smear."""

    background_adu: float
    background_variance_adu2: float
    variance_per_adu: float
    smear_pixels: float

    @property
    def gain_electrons_per_adu(self) -> float:
        """Camera gain: photon variance equals photon number; a smeared readout lowers it by a known share."""
        return smear_share(self.smear_pixels) / self.variance_per_adu

    @property
    def background_variance_electrons2(self) -> float:
        """Background variance before smear and rounding: its electrons plus the squared read noise."""
        unrounded = max(self.background_variance_adu2 - 1 / 12, 0.0)
        return unrounded * self.gain_electrons_per_adu**2 / smear_share(self.smear_pixels)


def photon_transfer(planes: Sequence[MaskedImage]) -> Noise:
    """Measure camera noise from images with cells of different brightness. Raises InputError for unsuitable images."""
    backgrounds, cells = [], []
    for plane in planes:
        image = plane.image_yx.astype(float)
        rough = correlate1d(image, DIFFERENCE, axis=0)
        clear = background_mask(plane.labels_yx)
        if np.count_nonzero(clear) < FEWEST_MEASURED_PIXELS:
            raise InputError(f"{plane.movie}, frame {plane.frame}: no background {CLEAR_PIXELS} pixels away from cells")
        mean = background_level(image, plane.labels_yx)
        backgrounds.append((mean, sigmaclip(rough[clear], CLIP, CLIP)[0].var(), _smear(rough, clear)))
        cells += [(level - mean, variance) for level, variance in _cells(image, rough, plane.labels_yx)]
    background_adu, floor, smear = np.median(backgrounds, axis=0)
    levels, variances = np.array(cells).reshape(-1, 2).T
    if np.count_nonzero(levels > 0) < max(3, len(levels) / 2):
        raise InputError(
            f"{planes[0].movie}: most cells are not brighter than the background or too small;"
            " the optics describe fluorescence, for other images use 'cytoform texture train'"
        )
    return Noise(float(background_adu), float(floor), _slope(levels, variances, floor), float(smear))


def background_mask(labels_yx: Shaped[np.ndarray, "y x"]) -> Mask:
    """Pixels (almost) out of reach of the light of cells."""
    return edt.edt(labels_yx == 0, parallel=1) > CLEAR_PIXELS


def background_level(image_yx: Shaped[np.ndarray, "y x"], labels_yx: Shaped[np.ndarray, "y x"]) -> float:
    """Mean grey value of the background, without outliers."""
    return float(sigmaclip(image_yx[background_mask(labels_yx)].astype(float), CLIP, CLIP)[0].mean())


def inner_mask(labels_yx: Shaped[np.ndarray, "y x"]) -> Mask:
    """Pixels at least INNER_PIXELS inside a cell."""
    return edt.edt(labels_yx, parallel=1) > INNER_PIXELS


def _cells(image: PlaneValues, rough: PlaneValues, labels_yx: Shaped[np.ndarray, "y x"]) -> list[tuple[float, float]]:
    """Mean and noise variance of the inner pixels of every sufficiently large cell."""
    inner = np.where(inner_mask(labels_yx), labels_yx, 0).ravel()
    counts = np.bincount(inner)
    sums, squares = (np.bincount(inner, weights=values.ravel()) for values in (image, rough**2))
    large = np.flatnonzero(counts >= FEWEST_MEASURED_PIXELS)
    return [(sums[label] / counts[label], squares[label] / counts[label]) for label in large if label]


def _slope(levels: Float[np.ndarray, " n"], variances: Float[np.ndarray, " n"], floor: float) -> float:
    """Robust estimate of `slope` in variance = floor + slope · level + structure · level²."""
    bright = levels > 0
    levels, variances = levels[bright], variances[bright]
    start = np.log([max(np.median((variances - floor) / levels), 1e-3), 1e-3])

    def misfit(logs: Float[np.ndarray, " 2"]) -> Float[np.ndarray, " n"]:
        slope, structure = np.exp(logs)
        return np.log(floor + slope * levels + structure * levels**2) - np.log(variances)

    return float(np.exp(least_squares(misfit, start, loss="soft_l1", f_scale=0.3).x[0]))


def _smear(rough: PlaneValues, clear: Mask) -> float:
    """Standard deviation in pixels of the blur along rows that explains the correlation of neighbours."""
    limit = CLIP * rough[clear].std()
    both = clear[:, 1:] & clear[:, :-1] & (np.abs(rough[:, 1:]) < limit) & (np.abs(rough[:, :-1]) < limit)
    left, right = rough[:, :-1][both], rough[:, 1:][both]
    correlation = float((left * right).mean() / np.sqrt((left**2).mean() * (right**2).mean()))
    if correlation < LEAST_CORRELATION:
        return 0.0
    return float(brentq(lambda sigma: _neighbour_correlation(sigma) - min(correlation, 0.9), 0.2, 4.0))


def smear_share(sigma_pixels: float) -> float:
    """Share of the variance of white noise that remains after a blur along rows."""
    return float((_weights(sigma_pixels) ** 2).sum())


def _neighbour_correlation(sigma_pixels: float) -> float:
    """Correlation of neighbouring pixels of blurred white noise."""
    weights = _weights(sigma_pixels)
    return float((weights[1:] * weights[:-1]).sum() / (weights**2).sum())


def _weights(sigma_pixels: float) -> Float[np.ndarray, " n"]:
    point = np.zeros(41)
    point[20] = 1
    return gaussian_filter1d(point, sigma_pixels) if sigma_pixels else point

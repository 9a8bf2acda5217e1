"""What real images say about the camera that took them: noise against intensity (the photon transfer curve).

The noise of one image is what neighbouring pixels of a column differ by: the fourth difference cancels whatever is smooth.
In cells, fine structure remains in it, which grows with the square of the brightness, where the noise of photons grows with
the brightness; cells of different brightness tell one from the other.
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

DIFFERENCE = np.array([1.0, -4.0, 6.0, -4.0, 1.0]) / np.sqrt(70)  # of white noise it keeps the variance
CLEAR_PIXELS = 10  # farther from cells than this is background
INNER_PIXELS = 3.5  # deeper in a cell than this the difference does not reach its border
FEWEST_PIXELS = 40
LEAST_LIKENESS = 0.05  # of neighbours in a row: below this nothing is smeared
CLIP = 4  # standard deviations: what is farther off is no noise

Values = Float[np.ndarray, "y x"]
Mask = Bool[np.ndarray, "y x"]


@dataclass(frozen=True)
class Noise:
    """Of one camera: grey value and variance of the background, and how the variance grows with the grey value."""

    background_adu: float
    background_variance_adu2: float
    variance_per_adu: float
    smear_pixels: float

    @property
    def gain_electrons_per_adu(self) -> float:
        """The variance of photons is their number; a smeared readout lowers it by a known share."""
        return smear_share(self.smear_pixels) / self.variance_per_adu

    @property
    def background_variance_electrons2(self) -> float:
        """Of the background as it was before it was smeared and rounded: its electrons plus the square of the read noise."""
        unrounded = max(self.background_variance_adu2 - 1 / 12, 0.0)
        return unrounded * self.gain_electrons_per_adu**2 / smear_share(self.smear_pixels)


def photon_transfer(planes: Sequence[MaskedImage]) -> Noise:
    """Measure the noise of planes with cells of different brightness. Raises InputError where they have none."""
    backgrounds, cells = [], []
    for plane in planes:
        image = plane.image_yx.astype(float)
        rough = correlate1d(image, DIFFERENCE, axis=0)
        clear = background_mask(plane.labels_yx)
        if np.count_nonzero(clear) < FEWEST_PIXELS:
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
    """Pixels that the light of cells does not reach, or hardly."""
    return edt.edt(labels_yx == 0, parallel=1) > CLEAR_PIXELS


def background_level(image_yx: Shaped[np.ndarray, "y x"], labels_yx: Shaped[np.ndarray, "y x"]) -> float:
    """Mean grey value of the background, without what is too bright to be noise."""
    return float(sigmaclip(image_yx[background_mask(labels_yx)].astype(float), CLIP, CLIP)[0].mean())


def inner_mask(labels_yx: Shaped[np.ndarray, "y x"]) -> Mask:
    """Pixels well inside a cell."""
    return edt.edt(labels_yx, parallel=1) > INNER_PIXELS


def _cells(image: Values, rough: Values, labels_yx: Shaped[np.ndarray, "y x"]) -> list[tuple[float, float]]:
    """Mean and noise variance of the inside of every cell that is large enough."""
    inner = np.where(inner_mask(labels_yx), labels_yx, 0).ravel()
    counts = np.bincount(inner)
    sums, squares = (np.bincount(inner, weights=values.ravel()) for values in (image, rough**2))
    large = np.flatnonzero(counts >= FEWEST_PIXELS)
    return [(sums[label] / counts[label], squares[label] / counts[label]) for label in large if label]


def _slope(levels: Float[np.ndarray, " n"], variances: Float[np.ndarray, " n"], floor: float) -> float:
    """The linear part of variance = floor + slope · level + structure · level², robustly."""
    bright = levels > 0
    levels, variances = levels[bright], variances[bright]
    start = np.log([max(np.median((variances - floor) / levels), 1e-3), 1e-3])

    def misfit(logs: Float[np.ndarray, " 2"]) -> Float[np.ndarray, " n"]:
        slope, structure = np.exp(logs)
        return np.log(floor + slope * levels + structure * levels**2) - np.log(variances)

    return float(np.exp(least_squares(misfit, start, loss="soft_l1", f_scale=0.3).x[0]))


def _smear(rough: Values, clear: Mask) -> float:
    """The standard deviation in pixels of a blur along rows that makes neighbours as alike as they are."""
    limit = CLIP * rough[clear].std()
    both = clear[:, 1:] & clear[:, :-1] & (np.abs(rough[:, 1:]) < limit) & (np.abs(rough[:, :-1]) < limit)
    left, right = rough[:, :-1][both], rough[:, 1:][both]
    alike = float((left * right).mean() / np.sqrt((left**2).mean() * (right**2).mean()))
    if alike < LEAST_LIKENESS:
        return 0.0
    return float(brentq(lambda sigma: _likeness(sigma) - min(alike, 0.9), 0.2, 4.0))


def smear_share(sigma_pixels: float) -> float:
    """The share of the variance of white noise that a blur along rows leaves."""
    return float((_weights(sigma_pixels) ** 2).sum())


def _likeness(sigma_pixels: float) -> float:
    """Correlation of neighbours that a blur of white noise makes."""
    weights = _weights(sigma_pixels)
    return float((weights[1:] * weights[:-1]).sum() / (weights**2).sum())


def _weights(sigma_pixels: float) -> Float[np.ndarray, " n"]:
    point = np.zeros(41)
    point[20] = 1
    return gaussian_filter1d(point, sigma_pixels) if sigma_pixels else point

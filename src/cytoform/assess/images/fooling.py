"""Share of generated squares that pass for real ones, by their histogram and their spectrum.

The distance of a square is measured to the fifth nearest real square elsewhere in the field of view. The limit of a test
is the 95th percentile of these distances among real squares; a generated square passes if its distance is within the limit.
Squares at the same place are excluded, because a square, its successor in the movie and its generated counterpart on the
same mask show the same cell.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Integer

from cytoform.assess.images.bootstrap import FrameWeights
from cytoform.assess.images.frames import LEAST_FOREGROUND, Crops
from cytoform.assess.images.spectra import decibels, power_spectra

USUAL = 0.95
NEIGHBOUR = 5
LEAST_DB = 1.0  # smaller differences are invisible, even if real squares vary less
FEWEST_CROPS = 2 * NEIGHBOUR
QUANTILES = (np.arange(64) + 0.5) / 64
TESTS = ("histogram", "spectrum", "both")


@dataclass(frozen=True)
class CropStatistics:
    """Statistics of squares: quantiles of the intensities inside and outside cells, and power spectra in dB.

    Quantiles are NaN if fewer than 5 % of the pixels are inside, or outside.
    """

    inside: Float[np.ndarray, "n q"]
    outside: Float[np.ndarray, "n q"]
    spectra_db: Float[np.ndarray, "n rings"]
    frame: Integer[np.ndarray, " n"]
    corner_yx: Integer[np.ndarray, "n 2"]
    side: int

    @classmethod
    def of(cls, crops: Crops) -> "CropStatistics":
        """Compute the statistics of some crops."""
        inside, outside = (
            np.stack([_quantiles(image, part) for image, part in zip(crops.images, parts, strict=True)])
            for parts in (crops.inside, ~crops.inside)
        )
        spectra_db = decibels(power_spectra(crops.images))
        return cls(inside, outside, spectra_db, crops.frame, crops.corner_yx, crops.images.shape[1])


@dataclass(frozen=True)
class Fooling:
    """Result of each test (TESTS) for each square, the frame index of each square, and the limits of the tests."""

    passed: dict[str, Bool[np.ndarray, " n"]]
    frame: Integer[np.ndarray, " n"]
    usual: dict[str, float]

    def rate(self, test: str, weights: FrameWeights) -> float:
        """Weighted share of the squares that pass; NaN without any."""
        times = weights[self.frame]
        total = times.sum()
        return float(times @ self.passed[test] / total) if total else float("nan")


@dataclass(frozen=True)
class RealVariation:
    """Variation of real squares: standard deviations of intensities inside and outside cells, and of each ring in dB."""

    inside: float
    outside: float
    rings_db: Float[np.ndarray, " rings"]

    @classmethod
    def of(cls, real: CropStatistics) -> "RealVariation":
        """Compute the variation of real squares."""
        rings_db = np.maximum(real.spectra_db.std(axis=0), LEAST_DB)
        return cls(_spread(real.inside), _spread(real.outside), rings_db)


def distances(of: CropStatistics, to: CropStatistics, scales: RealVariation) -> dict[str, Float[np.ndarray, " n"]]:
    """Distance of each square to the fifth nearest square at another place, by histogram and by spectrum.

    The histogram distance is the mean of the Wasserstein distances inside and outside cells, each relative to its scale,
    so that the area of cells in a square does not matter; if one is undefined, the other. The spectrum distance is the
    root mean square difference of the rings in dB relative to their scales, which gives weight to fine structures, because
    their power is less variable between squares.
    """
    from scipy.spatial.distance import cdist

    apart_px = np.abs(of.corner_yx[:, None, :] - to.corner_yx[None, :, :]).max(axis=2)
    parts = [
        cdist(getattr(of, part), getattr(to, part), "cityblock") / (len(QUANTILES) * getattr(scales, part))
        for part in ("inside", "outside")
    ]
    n_known = np.sum([np.isfinite(part) for part in parts], axis=0)
    found = {
        "histogram": np.where(n_known, np.nansum(parts, axis=0) / np.maximum(n_known, 1), np.inf),
        "spectrum": cdist(of.spectra_db / scales.rings_db, to.spectra_db / scales.rings_db)
        / np.sqrt(len(scales.rings_db)),
    }
    elsewhere = apart_px >= of.side
    return {
        test: np.sort(np.where(elsewhere, apart, np.inf), axis=1)[:, NEIGHBOUR - 1] for test, apart in found.items()
    }


def fooling(real: CropStatistics, other: CropStatistics) -> Fooling | None:
    """Test which other squares pass for real; None with fewer than ten real squares, or no other."""
    if len(real.frame) < FEWEST_CROPS or not len(other.frame):
        return None
    scales = RealVariation.of(real)
    own, found = distances(real, real, scales), distances(other, real, scales)
    usual = {test: _usual(own[test]) for test in own}
    # Test "both": the larger distance, each relative to its limit, against the 95th percentile of real squares.
    own["both"], found["both"] = (np.max([each[test] / usual[test] for test in usual], axis=0) for each in (own, found))
    usual["both"] = _usual(own["both"])
    return Fooling({test: found[test] <= usual[test] for test in TESTS}, other.frame, usual)


def _usual(own: Float[np.ndarray, " n"]) -> float:
    # Ignores squares with too few others elsewhere.
    known = own[np.isfinite(own)]
    return float(np.quantile(known, USUAL)) if len(known) else float("nan")


def _spread(quantiles: Float[np.ndarray, "n q"]) -> float:
    """Standard deviation of all intensities; 1 if it is 0 or undefined."""
    known = quantiles[np.isfinite(quantiles)]
    return (float(known.std()) if len(known) else 0.0) or 1.0


def _quantiles(image: Float[np.ndarray, "y x"], part: Bool[np.ndarray, "y x"]) -> Float[np.ndarray, " q"]:
    if part.mean() < LEAST_FOREGROUND:
        return np.full(len(QUANTILES), np.nan)
    return np.quantile(image[part].astype(np.float64), QUANTILES)

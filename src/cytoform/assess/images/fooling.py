"""How many generated squares pass for real ones, by their histogram and their spectrum.

A square is compared with real squares at other places of the field of view; its distance is that to the fifth nearest of
them. What is usual is what 95 % of the real squares have among themselves, and a generated square fools a test if its
distance is at most that. Another place, because a square and its successor in the movie, or its generated counterpart
on the same mask, show the same cell.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Integer

from cytoform.assess.images.bootstrap import Weights
from cytoform.assess.images.frames import LEAST_FOREGROUND, Crops
from cytoform.assess.images.spectra import decibels, power_spectra

USUAL = 0.95
NEIGHBOUR = 5
LEAST_DB = 1.0  # what differs by less is not seen, however alike real squares are
FEWEST_CROPS = 2 * NEIGHBOUR
QUANTILES = (np.arange(64) + 0.5) / 64
TESTS = ("histogram", "spectrum", "both")


@dataclass(frozen=True)
class Looks:
    """What is compared of squares: quantiles of the intensities inside cells and outside, and power spectra in dB.

    Quantiles are NaN where fewer than 5 % of the pixels are inside, or outside.
    """

    inside: Float[np.ndarray, "n q"]
    outside: Float[np.ndarray, "n q"]
    spectra_db: Float[np.ndarray, "n rings"]
    frame: Integer[np.ndarray, " n"]
    corner_yx: Integer[np.ndarray, "n 2"]
    side: int

    @classmethod
    def of(cls, crops: Crops) -> "Looks":
        """Of some crops."""
        inside, outside = (
            np.stack([_quantiles(image, part) for image, part in zip(crops.images, parts, strict=True)])
            for parts in (crops.inside, ~crops.inside)
        )
        spectra_db = decibels(power_spectra(crops.images))
        return cls(inside, outside, spectra_db, crops.frame, crops.corner_yx, crops.images.shape[1])


@dataclass(frozen=True)
class Fooling:
    """Which squares pass which test (TESTS), the index of the frame of each, and the limits that they keep to."""

    passed: dict[str, Bool[np.ndarray, " n"]]
    frame: Integer[np.ndarray, " n"]
    usual: dict[str, float]

    def rate(self, test: str, weights: Weights) -> float:
        """Share of the squares that pass; NaN without any."""
        times = weights[self.frame]
        total = times.sum()
        return float(times @ self.passed[test] / total) if total else float("nan")


@dataclass(frozen=True)
class Scales:
    """How much real squares differ: standard deviations of intensities inside cells and outside, and of each ring in dB."""

    inside: float
    outside: float
    rings_db: Float[np.ndarray, " rings"]

    @classmethod
    def of(cls, real: Looks) -> "Scales":
        """Of real squares."""
        rings_db = np.maximum(real.spectra_db.std(axis=0), LEAST_DB)
        return cls(_spread(real.inside), _spread(real.outside), rings_db)


def distances(of: Looks, to: Looks, scales: Scales) -> dict[str, Float[np.ndarray, " n"]]:
    """Distance of each square to the fifth nearest at another place: of histograms and of spectra.

    That of histograms is the mean of the Wasserstein distances inside cells and outside, each in its scale, so that how
    much of a square the cells take does not count; where one of them is not defined, it is the other. That of spectra is the
    root mean square difference of the rings in dB, each in its scale: fine structures, of which a square has many, tell more.
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


def fooling(real: Looks, other: Looks) -> Fooling | None:
    """Which of the other squares pass for real; None with fewer than ten real ones, or no other."""
    if len(real.frame) < FEWEST_CROPS or not len(other.frame):
        return None
    scales = Scales.of(real)
    own, found = distances(real, real, scales), distances(other, real, scales)
    usual = {test: _usual(own[test]) for test in own}
    # Both at once: the worse of the two, each in units of what is usual, against what is usual of that.
    own["both"], found["both"] = (np.max([each[test] / usual[test] for test in usual], axis=0) for each in (own, found))
    usual["both"] = _usual(own["both"])
    return Fooling({test: found[test] <= usual[test] for test in TESTS}, other.frame, usual)


def _usual(own: Float[np.ndarray, " n"]) -> float:
    # Where a few squares have too few others elsewhere, these do not count.
    known = own[np.isfinite(own)]
    return float(np.quantile(known, USUAL)) if len(known) else float("nan")


def _spread(quantiles: Float[np.ndarray, "n q"]) -> float:
    """Of all intensities; 1 where there are none, or all are the same."""
    known = quantiles[np.isfinite(quantiles)]
    return (float(known.std()) if len(known) else 0.0) or 1.0


def _quantiles(image: Float[np.ndarray, "y x"], part: Bool[np.ndarray, "y x"]) -> Float[np.ndarray, " q"]:
    if part.mean() < LEAST_FOREGROUND:
        return np.full(len(QUANTILES), np.nan)
    return np.quantile(image[part].astype(np.float64), QUANTILES)

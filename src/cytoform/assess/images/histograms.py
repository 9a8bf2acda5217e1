"""Wasserstein distances of intensity histograms, inside and outside cells."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from cytoform.assess.images.bootstrap import FrameWeights
from cytoform.assess.images.frames import ImageFrame

MOST_BINS = 4096
PARTS = ("foreground", "background")


@dataclass(frozen=True)
class Bins:
    """Equal bins over a range of intensities; one per level if intensities are integers with few levels."""

    low: float
    width: float
    n: int

    @classmethod
    def over(cls, sets: Sequence[Sequence[ImageFrame]]) -> "Bins":
        """Bins for all intensities of some sets of frames."""
        ends = [(float(f.image_yx.min()), float(f.image_yx.max())) for frames in sets for f in frames]
        low, high = min(end[0] for end in ends), max(end[1] for end in ends)
        whole = all(np.issubdtype(f.image_yx.dtype, np.integer) for frames in sets for f in frames)
        if whole and high - low < MOST_BINS:
            return cls(low - 0.5, 1.0, int(high - low) + 1)
        width = (high - low) / MOST_BINS or 1.0
        return cls(low - width / 2, width, MOST_BINS + 1)

    @property
    def middles(self) -> Float[np.ndarray, " bins"]:
        """Intensity at the middle of each bin."""
        return self.low + self.width * (np.arange(self.n) + 0.5)

    def counts(self, values: np.ndarray) -> Float[np.ndarray, " bins"]:
        """Number of values in each bin."""
        index = ((values.ravel().astype(np.float64) - self.low) / self.width).astype(int)
        return np.bincount(np.clip(index, 0, self.n - 1), minlength=self.n).astype(float)


@dataclass(frozen=True)
class Histograms:
    """Counts of every frame of a set, inside and outside cells."""

    bins: Bins
    foreground: Float[np.ndarray, "frames bins"]
    background: Float[np.ndarray, "frames bins"]

    @classmethod
    def of(cls, frames: Sequence[ImageFrame], bins: Bins) -> "Histograms":
        """Count the intensities of a set."""
        inside: list[Bool[np.ndarray, "y x"]] = [frame.labels_yx > 0 for frame in frames]
        counts = [
            np.stack([bins.counts(f.image_yx[where(i)]) for f, i in zip(frames, inside, strict=True)])
            for where in (lambda mask: mask, np.logical_not)
        ]
        return cls(bins, *counts)

    def pooled(self, part: str, weights: FrameWeights) -> Float[np.ndarray, " bins"]:
        """Weighted share of a part's pixels in each bin; NaN without any."""
        counts = weights @ getattr(self, part)
        with np.errstate(invalid="ignore"):
            return np.asarray(counts / counts.sum())

    def spread(self, part: str) -> float:
        """Standard deviation of the intensities of a part."""
        share = self.pooled(part, np.ones(len(self.foreground)))
        mean = share @ self.bins.middles
        return float(np.sqrt(share @ (self.bins.middles - mean) ** 2))


def histogram_distance(a: Float[np.ndarray, " bins"], b: Float[np.ndarray, " bins"], width: float) -> float:
    """Wasserstein-1 distance of two histograms over the same bins, in the unit of `width`."""
    return float(np.abs(np.cumsum(a) - np.cumsum(b)).sum() * width)

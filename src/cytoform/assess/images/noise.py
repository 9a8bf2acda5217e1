"""Noise against intensity: the mark of a camera, and what smoothed or generated images often lack."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from cytoform.assess.images.bootstrap import Weights
from cytoform.assess.images.frames import Frame

# Second differences in both directions (Immerkaer 1996): blind to planes, and of unit variance for white noise.
KERNEL = np.array([[1.0, -2.0, 1.0], [-2.0, 4.0, -2.0], [1.0, -2.0, 1.0]]) / 6
LEVELS = 16
FEWEST_PIXELS = 200
# The quarter with the largest differences holds edges; of the rest of a normal distribution, this is the mean.
KEPT, KEPT_MEAN = 0.75, 0.5148958


@dataclass(frozen=True)
class NoiseCurves:
    """Standard deviation of the noise of every frame in each interval of the local mean; NaN where too few pixels are."""

    edges: Float[np.ndarray, " edges"]
    noise: Float[np.ndarray, "frames levels"]

    def pooled(self, weights: Weights) -> Float[np.ndarray, " levels"]:
        """Mean over frames."""
        known = np.isfinite(self.noise)
        with np.errstate(invalid="ignore"):
            return np.asarray((weights @ np.where(known, self.noise, 0.0)) / (weights @ known))

    @property
    def middles(self) -> Float[np.ndarray, " levels"]:
        """Intensity of each interval."""
        return (self.edges[1:] + self.edges[:-1]) / 2


def noise_levels(frames: Sequence[Frame]) -> Float[np.ndarray, " edges"]:
    """Edges of intervals of equal width between the extremes of the local mean that real frames have, but for 0.1 %."""
    ends = np.array([np.quantile(_local_mean(frame.image_yx), [0.001, 0.999]) for frame in frames])
    return np.linspace(ends[:, 0].min(), ends[:, 1].max(), LEVELS + 1)


def noise_curves(frames: Sequence[Frame], edges: Float[np.ndarray, " edges"]) -> NoiseCurves:
    """Noise in each interval of the local mean, for every frame."""
    return NoiseCurves(edges, np.stack([_noise_curve(frame.image_yx, edges) for frame in frames]))


def noise_ratio(real: Float[np.ndarray, " levels"], other: Float[np.ndarray, " levels"]) -> float:
    """By what factor the noise is off, up or down, as a geometric mean over the intensities that both have; NaN without."""
    both = (real > 0) & (other > 0)
    return float(np.exp(np.mean(np.abs(np.log(other[both] / real[both]))))) if both.any() else float("nan")


def _noise_curve(image: np.ndarray, edges: Float[np.ndarray, " edges"]) -> Float[np.ndarray, " levels"]:
    from scipy.ndimage import convolve

    residual = np.abs(convolve(image.astype(np.float64), KERNEL, mode="mirror"))[1:-1, 1:-1].ravel()
    level = np.searchsorted(edges, _local_mean(image)[1:-1, 1:-1].ravel(), side="right") - 1
    return np.array([_robust_std(residual[level == i]) for i in range(len(edges) - 1)])


def _robust_std(residual: Float[np.ndarray, " n"]) -> float:
    if len(residual) < FEWEST_PIXELS:
        return float("nan")
    n_kept = int(KEPT * len(residual))
    return float(np.partition(residual, n_kept)[:n_kept].mean() / KEPT_MEAN)


def _local_mean(image: np.ndarray) -> Float[np.ndarray, "y x"]:
    """Of nine pixels: white noise in it is uncorrelated with the second differences."""
    from scipy.ndimage import uniform_filter

    return np.asarray(uniform_filter(image.astype(np.float64), 3, mode="mirror"))

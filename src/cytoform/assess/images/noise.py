"""Noise against intensity, which identifies a camera and is often missing in smoothed or generated images."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from cytoform.assess.images.bootstrap import FrameWeights
from cytoform.assess.images.frames import ImageFrame

# Second differences along both axes (Immerkaer 1996): zero for planes, unit variance for white noise.
KERNEL = np.array([[1.0, -2.0, 1.0], [-2.0, 4.0, -2.0], [1.0, -2.0, 1.0]]) / 6
LEVELS = 16
FEWEST_LEVEL_PIXELS = 200
# The largest quarter of the differences contains edges and is ignored; KEPT_MEAN is the mean of the rest for normal noise.
KEPT, KEPT_MEAN = 0.75, 0.5148958


@dataclass(frozen=True)
class NoiseCurves:
    """Standard deviation of the noise of every frame at each intensity level; NaN for too few pixels."""

    edges: Float[np.ndarray, " edges"]
    noise: Float[np.ndarray, "frames levels"]

    def pooled(self, weights: FrameWeights) -> Float[np.ndarray, " levels"]:
        """Weighted mean over frames."""
        known = np.isfinite(self.noise)
        with np.errstate(invalid="ignore"):
            return np.asarray((weights @ np.where(known, self.noise, 0.0)) / (weights @ known))

    @property
    def middles(self) -> Float[np.ndarray, " levels"]:
        """Intensity at the middle of each level."""
        return (self.edges[1:] + self.edges[:-1]) / 2


def noise_levels(frames: Sequence[ImageFrame]) -> Float[np.ndarray, " edges"]:
    """Edges of intensity levels of equal width over the range of real local means, without 0.1 % at either end."""
    ends = np.array([np.quantile(_local_mean(frame.image_yx), [0.001, 0.999]) for frame in frames])
    return np.linspace(ends[:, 0].min(), ends[:, 1].max(), LEVELS + 1)


def noise_curves(frames: Sequence[ImageFrame], edges: Float[np.ndarray, " edges"]) -> NoiseCurves:
    """Noise at each intensity level of every frame."""
    return NoiseCurves(edges, np.stack([_noise_curve(frame.image_yx, edges) for frame in frames]))


def noise_ratio(real: Float[np.ndarray, " levels"], other: Float[np.ndarray, " levels"]) -> float:
    """Factor between noise levels (up or down), as a geometric mean over the intensity levels of both; NaN without any."""
    both = (real > 0) & (other > 0)
    return float(np.exp(np.mean(np.abs(np.log(other[both] / real[both]))))) if both.any() else float("nan")


def _noise_curve(image: np.ndarray, edges: Float[np.ndarray, " edges"]) -> Float[np.ndarray, " levels"]:
    from scipy.ndimage import convolve

    residual = np.abs(convolve(image.astype(np.float64), KERNEL, mode="mirror"))[1:-1, 1:-1].ravel()
    level = np.searchsorted(edges, _local_mean(image)[1:-1, 1:-1].ravel(), side="right") - 1
    return np.array([_robust_std(residual[level == i]) for i in range(len(edges) - 1)])


def _robust_std(residual: Float[np.ndarray, " n"]) -> float:
    if len(residual) < FEWEST_LEVEL_PIXELS:
        return float("nan")
    n_kept = int(KEPT * len(residual))
    return float(np.partition(residual, n_kept)[:n_kept].mean() / KEPT_MEAN)


def _local_mean(image: np.ndarray) -> Float[np.ndarray, "y x"]:
    """Mean of 3×3 pixels; in white noise it is uncorrelated with the second differences."""
    from scipy.ndimage import uniform_filter

    return np.asarray(uniform_filter(image.astype(np.float64), 3, mode="mirror"))

"""Bootstrap intervals of image measures, resampling movies if there are enough, else frames."""

from collections.abc import Callable, Sequence

import numpy as np
from jaxtyping import Float

from cytoform.assess.images.frames import ImageFrame
from cytoform.assess.statistics.intervals import Estimate, around

REPLICATES = 400
# With fewer movies, frames are resampled; frames of a movie are correlated, so the interval is too narrow.
FEWEST_MOVIES = 5

FrameWeights = Float[np.ndarray, " _"]
FrameDraws = Float[np.ndarray, "replicates _"]


def unit_of(frames: Sequence[ImageFrame]) -> str:
    """The resampled unit: movie or frame."""
    return "movie" if len({frame.movie for frame in frames}) >= FEWEST_MOVIES else "frame"


def draws_of(frames: Sequence[ImageFrame], rng: np.random.Generator) -> FrameDraws:
    """Bootstrap weights of the frames: how often each occurs in each replicate, resampling with replacement."""
    names = [frame.movie if unit_of(frames) == "movie" else str(i) for i, frame in enumerate(frames)]
    units = np.unique(names, return_inverse=True)[1]
    n = int(units.max()) + 1
    return rng.multinomial(n, np.full(n, 1 / n), REPLICATES)[:, units].astype(float)


def estimate(
    statistic: Callable[[FrameWeights, FrameWeights], float],
    real: FrameDraws,
    other: FrameDraws,
    *,
    least: float = 0.0,
    most: float = np.inf,
) -> Estimate:
    """Bootstrap estimate of a measure of two sets of frames; `statistic` computes it for frame weights of both sets.

    The interval is NaN if a set has fewer than two frames. Replicates with an undefined value are ignored.
    """
    value = statistic(np.ones(real.shape[1]), np.ones(other.shape[1]))
    if min(real.shape[1], other.shape[1]) < 2 or not np.isfinite(value):
        return Estimate(value, np.nan, np.nan)
    found = np.array([statistic(a, b) for a, b in zip(real, other, strict=True)])
    found = found[np.isfinite(found)]
    if len(found) < 2:
        return Estimate(value, np.nan, np.nan)
    return around(np.array([value]), found[:, None], least=[least], most=[most])[0]

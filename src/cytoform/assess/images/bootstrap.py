"""Intervals of figures of images: frames, or whole movies where there are enough, are drawn again and again."""

from collections.abc import Callable, Sequence

import numpy as np
from jaxtyping import Float

from cytoform.assess.images.frames import Frame
from cytoform.assess.statistics.intervals import Estimate, around

REPLICATES = 400
# With fewer movies frames are drawn: an interval that is too narrow, since frames of a movie are alike, but not none.
FEWEST_MOVIES = 5

Weights = Float[np.ndarray, " _"]
Draws = Float[np.ndarray, "replicates _"]


def unit_of(frames: Sequence[Frame]) -> str:
    """What is drawn: movie or frame."""
    return "movie" if len({frame.movie for frame in frames}) >= FEWEST_MOVIES else "frame"


def draws_of(frames: Sequence[Frame], rng: np.random.Generator) -> Draws:
    """How often each frame occurs in each draw of as many movies or frames as there are, with replacement."""
    names = [frame.movie if unit_of(frames) == "movie" else str(i) for i, frame in enumerate(frames)]
    units = np.unique(names, return_inverse=True)[1]
    n = int(units.max()) + 1
    return rng.multinomial(n, np.full(n, 1 / n), REPLICATES)[:, units].astype(float)


def estimate(
    statistic: Callable[[Weights, Weights], float],
    real: Draws,
    other: Draws,
    *,
    least: float = 0.0,
    most: float = np.inf,
) -> Estimate:
    """A figure of two sets of frames, which `statistic` gives for weights of the frames of either.

    The interval is of NaN where a set has fewer than two frames; draws in which the figure is not defined are left out.
    """
    value = statistic(np.ones(real.shape[1]), np.ones(other.shape[1]))
    if min(real.shape[1], other.shape[1]) < 2 or not np.isfinite(value):
        return Estimate(value, np.nan, np.nan)
    found = np.array([statistic(a, b) for a, b in zip(real, other, strict=True)])
    found = found[np.isfinite(found)]
    if len(found) < 2:
        return Estimate(value, np.nan, np.nan)
    return around(np.array([value]), found[:, None], least=[least], most=[most])[0]

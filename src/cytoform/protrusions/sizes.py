"""The volume of a cell over time: its mean and trend, and how it fluctuates from frame to frame."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

# Columns of the volumes of a sequence.
CELL, BODY = 0, 1
LEAST_VOLUME = 0.2  # of the mean: a body is never made smaller
ROUNDING = 1e-14  # variance of ln(volume) below which volumes in single precision are constant


@dataclass(frozen=True)
class Sizes:
    """Volumes of learned cells: ln(mean) of the bodies, trends in a movie, and an autoregressive fluctuation."""

    body_mean: float  # of ln(volume of the body) between cells
    body_std: float
    trends: Float[np.ndarray, " cells"]  # change of ln(volume) over a movie
    fluctuation: float  # standard deviation of ln(volume) about the trend
    memory: float  # its correlation from a frame to the next
    kept: int  # the volume that changes less while protrusions come and go: CELL or BODY
    n_frames: int  # of a movie

    @classmethod
    def of(
        cls, volumes: Sequence[Float[np.ndarray, "frames 2"]], tubes: Sequence[Float[np.ndarray, " frames"]]
    ) -> "Sizes":
        """From the volumes of the cell and of its body in every frame of every learned sequence, and those of its tubes.

        `tubes` are volumes outside the body as they will be estimated for new cells, whose errors add to what the size
        of a new cell fluctuates by.
        """
        bodies = np.array([np.log(np.maximum(v[:, BODY].mean(), 1e-12)) for v in volumes])
        rests = [[_detrended(np.log(np.maximum(v[:, part], 1e-12))) for v in volumes] for part in (CELL, BODY)]
        spread = [float(np.mean(np.concatenate([rest for _, rest in part]) ** 2)) for part in rests]
        kept = CELL if spread[CELL] <= max(spread[BODY], ROUNDING) else BODY
        variance, next_ = _autocovariances([rest for _, rest in rests[kept]])
        if kept == CELL:
            errors = [
                _detrended((v[:, CELL] - v[:, BODY] - t) / v[:, CELL])[1] for v, t in zip(volumes, tubes, strict=True)
            ]
            variance = max(variance - float(np.mean(np.concatenate(errors) ** 2)), 0.0)
        # The errors are white: they add to the variance, and not to the covariance of neighbouring frames.
        fluctuation, memory = float(np.sqrt(variance)), float(np.clip(next_ / variance, 0, 0.95)) if variance else 0.0
        trends = np.array([trend for trend, _ in rests[kept]])
        return cls(
            float(bodies.mean()), float(bodies.std()), trends, fluctuation, memory, kept, max(len(v) for v in volumes)
        )

    def course(self, span: float, rng: np.random.Generator) -> Float[np.ndarray, " moments"]:
        """ln(volume) about its mean at equal moments of a movie of `span` learned movies, a moment a frame."""
        n = max(round(span * (self.n_frames - 1)) + 1, 1)
        trend = float(rng.choice(self.trends)) * span
        steps = rng.normal(0, self.fluctuation, n)
        wander = np.empty(n)
        wander[0] = steps[0]
        for moment in range(1, n):
            wander[moment] = self.memory * wander[moment - 1] + np.sqrt(1 - self.memory**2) * steps[moment]
        return trend * np.linspace(-0.5, 0.5, n) + wander


def _detrended(values: Float[np.ndarray, " frames"]) -> tuple[float, Float[np.ndarray, " frames"]]:
    """The change along a straight line from the first to the last frame, and the rest."""
    if len(values) < 3:
        return 0.0, np.zeros(len(values))
    times = np.linspace(-0.5, 0.5, len(values))
    slope, middle = np.polyfit(times, values, 1)
    return float(slope), values - middle - slope * times


def _autocovariances(series: Sequence[Float[np.ndarray, " frames"]]) -> tuple[float, float]:
    """Variance of an autoregressive process under white noise, without the noise, and its covariance of neighbours.

    From covariances at lags 0 to 2. The noise comes from voxels, and new cells get their own when they are rendered.
    """
    long = [values for values in series if len(values) > 4]
    if not long:
        return 0.0, 0.0
    own, next_, after = (
        float(np.mean(np.concatenate([v[: len(v) - lag] * v[lag:] for v in long]))) for lag in range(3)
    )
    if next_ <= ROUNDING:
        return 0.0, 0.0
    return min(next_ / float(np.clip(after / next_, 0.05, 0.95)), own), next_

"""How sure a figure is: bootstrap intervals, for which whole sequences are drawn, since frames of one are not independent."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from cytoform.assess.statistics.distributions import Values, wasserstein

CONFIDENCE = 0.95
REPLICATES, BLOCK = 1000, 100


@dataclass(frozen=True)
class Estimate:
    """A figure and its interval of 95 % confidence."""

    value: float
    low: float
    high: float


UNDEFINED = Estimate(np.nan, np.nan, np.nan)


def around(
    values: Float[np.ndarray, " k"],
    replicates: Float[np.ndarray, "n k"],
    *,
    least: Sequence[float],
    most: Sequence[float],
) -> list[Estimate]:
    """Estimates of some figures from their bootstrap replicates, within what is possible for each.

    A draw holds fewer distinct sequences than the whole, which shifts many figures: the interval is that of the
    replicates' spread about their mean, laid around the figure itself. Where one of these is infinite it is NaN.
    """
    replicates = np.where(np.isfinite(values) & np.isfinite(replicates).all(axis=0), replicates, np.nan)
    spread = replicates - np.mean(replicates, axis=0)
    tail = (1 - CONFIDENCE) / 2
    low, high = (np.maximum(least, np.minimum(most, values + np.quantile(spread, q, axis=0))) for q in (tail, 1 - tail))
    return [Estimate(float(v), float(l), float(h)) for v, l, h in zip(values, low, high, strict=True)]


@dataclass(frozen=True)
class Draws:
    """Defined values of some sequences, and how often each sequence occurs in each bootstrap draw."""

    sequences: list[Values]
    times: Float[np.ndarray, "replicates sequences"]

    @classmethod
    def of(cls, sequences: Sequence[Values], rng: np.random.Generator) -> "Draws":
        """Draws of as many sequences as have values, with replacement."""
        defined = [finite for finite in (values[np.isfinite(values)] for values in sequences) if len(finite)]
        n = len(defined)
        times = rng.multinomial(n, np.full(n, 1 / n), REPLICATES) if n else np.zeros((REPLICATES, 0))
        return cls(defined, times.astype(float))

    @property
    def values(self) -> Values:
        """Those of all sequences."""
        return np.concatenate(self.sequences)

    @property
    def means(self) -> Float[np.ndarray, " replicates"]:
        """Mean of all values of each draw."""
        sums, counts = (np.array([f(values) for values in self.sequences]) for f in (np.sum, len))
        return np.asarray((self.times @ sums) / (self.times @ counts))

    def distributions(self, grid: Values, block: slice) -> Float[np.ndarray, "block grid"]:
        """Share of the values of each draw of a block that are at most those of `grid`."""
        counts = np.array([np.sort(values).searchsorted(grid, side="right") for values in self.sequences], float)
        n_values = np.array([len(values) for values in self.sequences], float)
        times = self.times[block]
        return np.asarray((times @ counts) / (times @ n_values)[:, None])


def mean_difference(a: Draws, b: Draws) -> Estimate:
    """Mean of all values of `b` less that of `a`; see `wasserstein_distance` for what is NaN."""
    if not (a.sequences and b.sequences):
        return UNDEFINED
    return _estimate(a, b, float(b.values.mean() - a.values.mean()), lambda: b.means - a.means, least=-np.inf)


def wasserstein_distance(a: Draws, b: Draws) -> Estimate:
    """Wasserstein distance of all values; NaN without, and an interval of NaN with fewer than two sequences on a side."""
    if not (a.sequences and b.sequences):
        return UNDEFINED
    grid = np.sort(np.concatenate([a.values, b.values]))
    widths = np.diff(grid)

    def replicates() -> Float[np.ndarray, " replicates"]:
        blocks = [slice(start, start + BLOCK) for start in range(0, REPLICATES, BLOCK)]
        apart = [np.abs(a.distributions(grid[:-1], rows) - b.distributions(grid[:-1], rows)) for rows in blocks]
        return np.concatenate([gap @ widths for gap in apart])

    return _estimate(a, b, wasserstein(a.values, b.values), replicates, least=0.0)


def _estimate(a: Draws, b: Draws, value: float, replicates: Callable[[], np.ndarray], *, least: float) -> Estimate:
    if min(len(a.sequences), len(b.sequences)) < 2:
        return Estimate(value, np.nan, np.nan)
    return around(np.array([value]), replicates()[:, None], least=[least], most=[np.inf])[0]

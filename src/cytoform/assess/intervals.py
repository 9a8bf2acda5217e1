"""How sure a figure is: bootstrap intervals, for which whole sequences are drawn, since frames of one are not independent."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from cytoform.assess.distributions import Values

CONFIDENCE = 0.95
REPLICATES = 1000


@dataclass(frozen=True)
class Estimate:
    """A figure and its interval of 95 % confidence."""

    value: float
    low: float
    high: float


def around(
    values: Float[np.ndarray, " k"],
    replicates: Float[np.ndarray, "n k"],
    *,
    least: Sequence[float],
    most: Sequence[float],
) -> list[Estimate]:
    """Estimates of some figures from their bootstrap replicates, within what is possible for each.

    A draw holds fewer distinct sequences than the whole, which shifts many figures: the interval is that of the
    replicates' spread about their mean, laid around the figure itself.
    """
    spread = replicates - np.mean(replicates, axis=0)
    tail = (1 - CONFIDENCE) / 2
    low, high = (np.maximum(least, np.minimum(most, values + np.quantile(spread, q, axis=0))) for q in (tail, 1 - tail))
    return [Estimate(float(v), float(l), float(h)) for v, l, h in zip(values, low, high, strict=True)]


def bootstrapped(
    figure: Callable[[Values, Values], float],
    a: Sequence[Values],
    b: Sequence[Values],
    *,
    rng: np.random.Generator,
    least: float = -np.inf,
) -> Estimate:
    """`figure` of the values of all sequences of two sets, with its interval; undefined values are left out.

    NaN without values; the interval is NaN where a set has fewer than two sequences with values.
    """
    sides = [[v for v in (values[np.isfinite(values)] for values in side) if len(v)] for side in (a, b)]
    if not all(sides):
        return Estimate(np.nan, np.nan, np.nan)
    value = figure(np.concatenate(sides[0]), np.concatenate(sides[1]))
    if min(len(side) for side in sides) < 2:
        return Estimate(value, np.nan, np.nan)
    replicates = [figure(*(_drawn(side, rng) for side in sides)) for _ in range(REPLICATES)]
    return around(np.array([value]), np.array(replicates)[:, None], least=[least], most=[np.inf])[0]


def _drawn(sequences: Sequence[Values], rng: np.random.Generator) -> Values:
    return np.concatenate([sequences[i] for i in rng.integers(0, len(sequences), len(sequences))])

"""A Kolmogorov-Smirnov test over frames that holds although the frames of a sequence depend on each other."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float

from cytoform.assess.statistics.distributions import Values

N_PERMUTATIONS, BLOCK = 999, 100


def permuted_p(
    a: Sequence[Values], b: Sequence[Values], rng: np.random.Generator, *, n_permutations: int = N_PERMUTATIONS
) -> float:
    """P-value of the Kolmogorov-Smirnov statistic over all frames, from whole sequences permuted between the sides.

    Each array holds the values of a sequence; NaN is left out. Under the null hypothesis the sequences of both sides are
    exchangeable, whatever the dependence within one (Good 2005). p = (1 + permutations whose statistic is at least the
    observed one) / (1 + permutations), so it is never 0. NaN where a side has no value.
    """
    sides = [[defined for v in side if len(defined := v[np.isfinite(v)])] for side in (a, b)]
    if not (sides[0] and sides[1]):
        return float("nan")
    sequences = [np.sort(values) for side in sides for values in side]
    grid = np.unique(np.concatenate(sequences))
    below = np.array([values.searchsorted(grid, side="right") for values in sequences], float)
    lengths = np.array([len(values) for values in sequences], float)
    observed_b = np.arange(len(sequences)) >= len(sides[0])
    observed = _statistics(observed_b[None], below, lengths)[0]
    permuted_b = rng.permuted(np.tile(observed_b, (n_permutations, 1)), axis=1)
    blocks = [permuted_b[start : start + BLOCK] for start in range(0, n_permutations, BLOCK)]
    statistics = np.concatenate([_statistics(block, below, lengths) for block in blocks])
    # Equal statistics may differ in their last digit.
    return float((1 + np.count_nonzero(statistics >= observed - 1e-9)) / (1 + n_permutations))


def _statistics(
    is_b: Bool[np.ndarray, "permutations sequences"],
    below: Float[np.ndarray, "sequences grid"],
    lengths: Float[np.ndarray, " sequences"],
) -> Float[np.ndarray, " permutations"]:
    """The Kolmogorov-Smirnov statistic for each assignment of sequences to the sides.

    `below` is the number of values of each sequence that are at most each value of the grid.
    """
    of_b = is_b.astype(float)
    n_b = of_b @ lengths
    share_b = of_b @ below
    share_a = below.sum(axis=0) - share_b
    share_b /= n_b[:, None]
    share_a /= (lengths.sum() - n_b)[:, None]
    share_a -= share_b
    return np.asarray(np.abs(share_a, out=share_a).max(axis=1))

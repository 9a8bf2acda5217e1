"""Are two sets of numbers drawn from the same distribution? Summaries, tests, distances, QQ quantiles."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

Values = Float[np.ndarray, " _"]


@dataclass(frozen=True)
class Summary:
    """Mean and standard deviation (of the population), extremes and quartiles; NaN where there is no value."""

    mean: float
    std: float
    minimum: float
    lower_quartile: float
    median: float
    upper_quartile: float
    maximum: float
    n: int


@dataclass(frozen=True)
class KolmogorovSmirnov:
    """Two-sample test: the largest distance between the distributions, and its p-value (NaN without values)."""

    statistic: float
    p: float


def summarise(values: Values) -> Summary:
    """Summary of the finite values; undefined ones (the sphericity of an empty frame) are left out."""
    values = values[np.isfinite(values)]
    if len(values) == 0:
        values = np.array([np.nan])
    minimum, lower, median, upper, maximum = (float(q) for q in np.quantile(values, [0, 0.25, 0.5, 0.75, 1]))
    n = int(np.isfinite(values).sum())
    return Summary(float(values.mean()), float(values.std()), minimum, lower, median, upper, maximum, n)


def kolmogorov_smirnov(a: Values, b: Values) -> KolmogorovSmirnov:
    """Two-sided two-sample Kolmogorov-Smirnov test over the finite values (SciPy)."""
    from scipy.stats import ks_2samp

    a, b = a[np.isfinite(a)], b[np.isfinite(b)]
    if min(len(a), len(b)) == 0:
        return KolmogorovSmirnov(float("nan"), float("nan"))
    with warnings.catch_warnings():
        # Where its exact p-value overflows SciPy takes the asymptotic one, and says so.
        warnings.simplefilter("ignore", RuntimeWarning)
        found = ks_2samp(a, b)
    return KolmogorovSmirnov(float(found.statistic), float(found.pvalue))


def corrected(p: Values) -> Values:
    """P-values of a family of tests, corrected for their number after Benjamini and Hochberg 1995 (SciPy).

    Those at most 0.05 are differences of which at most 5 % are expected to be false. It lets more true differences
    pass than Holm's correction, and to miss one is the worse fault where a model is judged. NaN stays NaN.
    """
    from scipy.stats import false_discovery_control

    found = np.full(len(p), np.nan)
    defined = np.isfinite(p)
    if defined.any():
        found[defined] = false_discovery_control(p[defined], method="bh")
    return found


def wasserstein(a: Values, b: Values) -> float:
    """Wasserstein-1 (earth mover's) distance of two sets of finite values, in their unit (SciPy).

    The area between the distribution functions: how far the values have to be moved on average.
    """
    from scipy.stats import wasserstein_distance

    return float(wasserstein_distance(a, b))


def sequence_means(sequences: Sequence[Values]) -> Values:
    """One mean a sequence, over its finite values: frames of one sequence are not independent, sequences are."""
    return np.array([summarise(values).mean for values in sequences])


def qq_quantiles(a: Values, b: Values) -> Float[np.ndarray, "2 n"]:
    """Matching quantiles of two sets, as many as the smaller one has values and at most 200, for a QQ plot."""
    a, b = a[np.isfinite(a)], b[np.isfinite(b)]
    n = min(len(a), len(b), 200)
    shares = (np.arange(n) + 0.5) / max(n, 1)
    return np.stack([np.quantile(a, shares), np.quantile(b, shares)]) if n else np.empty((2, 0))

"""Summaries, the Kolmogorov-Smirnov test and QQ quantiles."""

import math
import statistics

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import ks_2samp

from cytoform.assess.statistics.distributions import kolmogorov_smirnov, qq_quantiles, sequence_means, summarise

numbers = st.lists(st.floats(-1e6, 1e6, allow_subnormal=False), min_size=1, max_size=40).map(np.array)


def largest_step(a: np.ndarray, b: np.ndarray) -> float:
    """The statistic by its definition."""
    return max(abs((a <= v).mean() - (b <= v).mean()) for v in np.concatenate([a, b]))


@pytest.mark.filterwarnings("ignore:ks_2samp")
@given(numbers, numbers)
def test_ks_statistic_is_the_largest_distance_between_the_distributions(a: np.ndarray, b: np.ndarray) -> None:
    found = kolmogorov_smirnov(a, b)
    assert found.statistic == pytest.approx(largest_step(a, b))
    assert found.p == ks_2samp(a, b).pvalue
    assert kolmogorov_smirnov(b, a) == found


def test_ks_tells_distributions_apart() -> None:
    rng = np.random.default_rng(0)
    a, b, shifted = rng.normal(size=300), rng.normal(size=300), rng.normal(0.5, size=300)
    assert kolmogorov_smirnov(a, b).p > 0.05
    assert kolmogorov_smirnov(a, shifted).p < 1e-4


def test_undefined_values_are_left_out() -> None:
    a, b = np.array([1.0, 2.0, math.nan, 3.0]), np.array([1.5, math.nan])
    assert kolmogorov_smirnov(a, b) == kolmogorov_smirnov(a[[0, 1, 3]], b[:1])
    assert summarise(a).n == 3
    assert summarise(a).mean == 2
    nothing = np.array([math.nan])
    assert math.isnan(summarise(nothing).mean)
    assert math.isnan(kolmogorov_smirnov(nothing, b).p)
    assert qq_quantiles(nothing, b).shape == (2, 0)


@given(numbers)
def test_summary_agrees_with_the_standard_library(values: np.ndarray) -> None:
    found = summarise(values)
    listed = values.tolist()
    assert found.mean == pytest.approx(statistics.fmean(listed), abs=1e-6)
    assert found.std == pytest.approx(statistics.pstdev(listed), abs=1e-5)
    assert (found.minimum, found.maximum) == (min(listed), max(listed))
    assert found.median == pytest.approx(statistics.median(listed), abs=1e-6)


def test_sequences_count_once_however_long_they_are() -> None:
    assert sequence_means([np.array([1.0, 3.0]), np.full(100, 5.0)]).tolist() == [2.0, 5.0]


@given(numbers)
def test_equal_sets_lie_on_the_ideal_line(values: np.ndarray) -> None:
    a, b = qq_quantiles(values, values[::-1])
    assert np.array_equal(a, b)
    assert (np.diff(a) >= 0).all()

"""Bootstrap intervals of sequences, Wasserstein distances and corrections, against SciPy, POT and by hand."""

import math

import numpy as np
import ot
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import ttest_ind

from cytoform.assess.statistics.contrasts import by_sequence, contrasts
from cytoform.assess.statistics.distributions import corrected, wasserstein
from cytoform.assess.statistics.intervals import Draws, mean_difference, wasserstein_distance

numbers = st.lists(st.floats(-1e3, 1e3, allow_subnormal=False), min_size=1, max_size=30).map(np.array)


def sequences(rng: np.random.Generator, n: int, shift: float = 0.0) -> list[np.ndarray]:
    """Of 6 frames that resemble each other."""
    return [rng.normal(rng.normal(shift), 0.1, size=6) for _ in range(n)]


@given(numbers, numbers)
def test_wasserstein_agrees_with_optimal_transport(a: np.ndarray, b: np.ndarray) -> None:
    plan = ot.emd2(np.full(len(a), 1 / len(a)), np.full(len(b), 1 / len(b)), np.abs(a[:, None] - b))
    assert wasserstein(a, b) == pytest.approx(float(plan), rel=1e-6, abs=1e-6)


def test_benjamini_and_hochberg_by_hand() -> None:
    found = corrected(np.array([0.01, 0.04, math.nan, 0.03, 0.5]))
    # Ranked 0.01, 0.03, 0.04, 0.5: times 4/1, 4/2, 4/3, 4/4, then the least of all from there on.
    assert found == pytest.approx([0.04, 0.16 / 3, math.nan, 0.16 / 3, 0.5], nan_ok=True)
    assert np.isnan(corrected(np.array([math.nan]))).all()


def draws(a: list[np.ndarray], b: list[np.ndarray], seed: int = 0) -> tuple[Draws, Draws]:
    rng = np.random.default_rng(seed)
    return Draws.of(a, rng), Draws.of(b, rng)


def test_interval_of_a_difference_is_as_wide_as_students() -> None:
    rng = np.random.default_rng(0)
    a, b = sequences(rng, 60), sequences(rng, 60, 1.0)
    found = mean_difference(*draws(a, b))
    means = [np.array([s.mean() for s in side]) for side in (b, a)]
    low, high = ttest_ind(*means).confidence_interval(0.95)
    assert found.value == pytest.approx(means[0].mean() - means[1].mean())
    assert (found.low, found.high) == pytest.approx((low, high), abs=0.1 * (high - low))


def test_draws_agree_with_drawing_the_values_themselves() -> None:
    """Sequences of unlike lengths; figures of NumPy and SciPy over the drawn values."""
    rng = np.random.default_rng(0)
    a, b = ([rng.normal(size=n) for n in lengths] for lengths in ((3, 7, 1), (2, 5, 4, 4)))
    there, here = draws(a, b)
    grid = np.sort(np.concatenate([*a, *b]))
    shares = [side.distributions(grid[:-1], slice(0, 20)) for side in (there, here)]
    for i in range(20):
        drawn = [
            np.concatenate([np.tile(values, int(n)) for values, n in zip(side.sequences, side.times[i], strict=True)])
            for side in (there, here)
        ]
        assert here.means[i] - there.means[i] == pytest.approx(drawn[1].mean() - drawn[0].mean())
        assert np.abs(shares[0][i] - shares[1][i]) @ np.diff(grid) == pytest.approx(wasserstein(*drawn))


def test_frames_of_one_sequence_do_not_narrow_the_interval() -> None:
    """Repeating every frame adds no knowledge."""
    rng = np.random.default_rng(0)
    a, b = sequences(rng, 10), sequences(rng, 10)
    once = wasserstein_distance(*draws(a, b))
    many = wasserstein_distance(*draws([np.repeat(s, 5) for s in a], [np.repeat(s, 5) for s in b]))
    assert (many.low, many.value, many.high) == pytest.approx((once.low, once.value, once.high))
    assert 0 <= once.low <= once.value <= once.high


def test_one_sequence_has_a_figure_and_no_interval() -> None:
    rng = np.random.default_rng(0)
    found = mean_difference(*draws(sequences(rng, 1), sequences(rng, 5)))
    assert math.isfinite(found.value)
    assert math.isnan(found.low)
    assert math.isnan(found.high)
    for figure in (mean_difference, wasserstein_distance):
        assert math.isnan(figure(*draws([np.array([math.nan])], sequences(rng, 5))).value)


def test_contrasts_find_the_measure_that_differs_and_do_not_depend_on_the_others() -> None:
    rng = np.random.default_rng(1)
    a, b, apart = sequences(rng, 30), sequences(rng, 30), sequences(rng, 30, 2.0)
    measures = {"alike": (a, b), "apart": (a, apart)}
    for found in (contrasts(measures, seed=3), contrasts(by_sequence(measures), seed=3)):
        assert found["apart"].ks_p_corrected < 0.001
        assert found["alike"].ks_p_corrected >= found["alike"].ks.p
        assert found["apart"].mean_difference.low > 1
        assert found["apart"].wasserstein.low > 1
        assert found["alike"].mean_difference.low < 0 < found["alike"].mean_difference.high
    alone = contrasts({"apart": measures["apart"]}, seed=3)["apart"]
    assert alone.wasserstein == contrasts(measures, seed=3)["apart"].wasserstein
    assert contrasts(by_sequence(measures), seed=3)["alike"].qq.shape == (2, 30)

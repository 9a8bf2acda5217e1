"""The test over frames whose null distribution comes from permuting whole sequences."""

import math
from itertools import combinations

import numpy as np
import pytest
from scipy.stats import kstest

from cytoform.assess.statistics.contrasts import by_sequence, contrasts
from cytoform.assess.statistics.distributions import kolmogorov_smirnov
from cytoform.assess.statistics.permutation import permuted_p


def cells(rng: np.random.Generator, n: int, *, n_frames: int = 20, shift: float = 0.0) -> list[np.ndarray]:
    """Sequences that differ from each other ten times as much as their frames do."""
    return [shift + rng.normal() + 0.1 * rng.normal(size=n_frames) for _ in range(n)]


def test_p_is_uniform_for_dependent_frames_where_the_test_of_single_frames_is_wrong() -> None:
    rng = np.random.default_rng(0)
    permuted, plain = [], []
    for _ in range(200):
        a, b = cells(rng, 12), cells(rng, 9)
        permuted.append(permuted_p(a, b, rng, n_permutations=199))
        plain.append(kolmogorov_smirnov(np.concatenate(a), np.concatenate(b)).p)
    assert kstest(permuted, "uniform").pvalue > 0.01
    assert np.mean(np.array(permuted) <= 0.05) < 0.1
    assert np.mean(np.array(plain) <= 0.05) > 0.6


def test_p_finds_a_true_difference() -> None:
    rng = np.random.default_rng(1)
    assert permuted_p(cells(rng, 20), cells(rng, 20, shift=2.0), rng) == pytest.approx(0.001)


def test_p_agrees_with_all_permutations_one_by_one() -> None:
    """Also with sequences of different lengths, ties and undefined values."""
    rng = np.random.default_rng(2)
    sequences = [
        np.round(shift + rng.normal(size=n), 1) for n, shift in ((3, 0), (5, 1), (4, 0), (6, 2), (2, 1), (5, 2))
    ]
    a, b = sequences[:3], sequences[3:]

    def statistic(chosen: tuple[int, ...]) -> float:
        left = np.concatenate([sequences[i] for i in chosen])
        right = np.concatenate([sequences[i] for i in range(6) if i not in chosen])
        return kolmogorov_smirnov(left, right).statistic

    every = np.array([statistic(chosen) for chosen in combinations(range(6), 3)])
    exact = np.mean(every >= statistic((0, 1, 2)) - 1e-9)
    with_gaps = [np.append(values, math.nan) for values in b] + [np.array([math.nan])]
    assert permuted_p(a, with_gaps, rng, n_permutations=20000) == pytest.approx(exact, abs=0.02)


def test_copies_are_not_told_apart_and_nothing_is_undefined() -> None:
    rng = np.random.default_rng(3)
    a = cells(rng, 5)
    assert permuted_p(a, a, rng) == 1
    assert math.isnan(permuted_p(a, [np.array([math.nan])], rng))
    assert math.isnan(permuted_p([], a, rng))


def test_contrasts_hold_it_over_frames_only_the_same_whatever_else_is_measured() -> None:
    rng = np.random.default_rng(4)
    measures = {"x": (cells(rng, 8), cells(rng, 8)), "y": (cells(rng, 8), cells(rng, 8, shift=3.0))}
    found = contrasts(measures, seed=1, permuted=True)
    assert found["x"].permuted is not None
    assert found["y"].permuted is not None
    assert found["y"].permuted.p < 0.01 < found["x"].permuted.p
    assert found["y"].permuted.p_corrected == pytest.approx(2 * found["y"].permuted.p)
    alone = contrasts({"y": measures["y"]}, seed=1, permuted=True)["y"].permuted
    assert alone is not None
    assert alone.p == found["y"].permuted.p
    assert contrasts(by_sequence(measures), seed=1)["x"].permuted is None

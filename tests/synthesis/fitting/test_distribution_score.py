"""How remote a code is: by hand, and on codes drawn from the distribution of the learned ones and from a wider one."""

import numpy as np
import pytest

from cytoform.synthesis.fitting.distribution_score import (
    FEWEST,
    out_of_distribution_score,
    relative_out_of_distribution_score,
)


def test_by_hand() -> None:
    learned = np.array([[0.0, 10.0], [2.0, 30.0]])  # means 1 and 20, standard deviations 1 and 10
    assert out_of_distribution_score(np.array([1.0, 20.0]), learned, 1) == 0
    assert out_of_distribution_score(np.array([4.0, 20.0]), learned, 1) == pytest.approx(3 / np.sqrt(2))
    # With a knot for each number, all numbers are one distribution.
    assert out_of_distribution_score(np.array([10.5, 10.5]), learned, 2) == pytest.approx(0)


def test_a_wider_code_is_remote_and_one_like_the_others_is_not() -> None:
    rng = np.random.default_rng(0)
    learned = rng.normal(size=(20, 6 * 30))
    for n_knots in (1, 6):
        assert relative_out_of_distribution_score(0.9 * rng.normal(size=180), learned, n_knots) < 1  # type: ignore[operator]
        assert relative_out_of_distribution_score(1.6 * rng.normal(size=180), learned, n_knots) > 1  # type: ignore[operator]


def test_few_codes_judge_nothing_and_equal_ones_do_not_divide_by_nothing() -> None:
    assert relative_out_of_distribution_score(np.ones(4), np.ones((FEWEST - 1, 4)), 1) is None
    assert np.isfinite(
        relative_out_of_distribution_score(np.arange(4.0), np.random.default_rng(0).normal(size=(FEWEST, 4)), 2)
    )

"""How unusual a code is among learned codes."""

import numpy as np
import pytest

from cytoform.synthesis.fitting.out_of_distribution import FEWEST, relative_score, score


def knots(values: object, n_knots: int = 1) -> np.ndarray:
    """Codes (n, numbers) as (n, knots, values)."""
    flat = np.atleast_2d(np.asarray(values, float))
    return flat.reshape(len(flat), n_knots, -1)


def test_in_standard_deviations_and_knot_by_knot() -> None:
    learned = np.array([[0.0, 10.0], [2.0, 30.0]])  # means 1 and 20, standard deviations 1 and 10
    assert score(knots([1.0, 20.0]), knots(learned)) == 0
    assert score(knots([4.0, 20.0]), knots(learned)) == pytest.approx(3 / np.sqrt(2))
    # With a knot for each number, all numbers are one distribution.
    assert score(knots([10.5, 10.5], 2), knots(learned, 2)) == pytest.approx(0)


def test_a_wider_code_is_unusual_and_a_code_like_the_others_is_not() -> None:
    rng = np.random.default_rng(0)
    codes = rng.normal(size=(20, 6 * 30))
    for n_knots in (1, 6):
        learned = knots(codes, n_knots)
        assert relative_score(knots(0.9 * rng.normal(size=180), n_knots), learned) < 1  # type: ignore[operator]
        assert relative_score(knots(1.6 * rng.normal(size=180), n_knots), learned) > 1  # type: ignore[operator]


def test_few_codes_judge_nothing_and_equal_ones_do_not_divide_by_nothing() -> None:
    assert relative_score(knots(np.ones(4)), knots(np.ones((FEWEST - 1, 4)))) is None
    learned = knots(np.random.default_rng(0).normal(size=(FEWEST, 4)), 2)
    assert np.isfinite(relative_score(knots(np.arange(4.0), 2), learned))

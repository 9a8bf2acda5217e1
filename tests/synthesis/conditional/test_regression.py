"""The regression states the error that it has on cells it has not seen."""

import numpy as np
import pytest
from sklearn.linear_model import RidgeCV

from cytoform.errors import InputError
from cytoform.synthesis.conditional.regression import PENALTIES, fit_regression

RNG = np.random.default_rng(0)
CODES = RNG.normal(0, 0.1, (20, 40)).astype(np.float32)
SLOPES = RNG.normal(size=40)


def test_what_codes_say_is_found() -> None:
    many = RNG.normal(0, 0.1, (100, 40))
    found = fit_regression(many, 5 + many @ SLOPES)
    assert found.r2 > 0.999
    unseen = RNG.normal(0, 0.1, (50, 40))
    assert np.abs(found(unseen) - 5 - unseen @ SLOPES).max() < 0.05
    assert found.n_cells == 100


def test_the_error_is_that_of_cells_left_out() -> None:
    values = CODES @ SLOPES
    found = fit_regression(CODES, values)
    scale = np.sqrt(CODES.astype(float).var(axis=0).sum())
    missed = []
    for left_out in range(20):
        rest = np.arange(20) != left_out
        ridge = RidgeCV(PENALTIES).fit(CODES[rest] / scale, values[rest])
        missed.append(ridge.predict(CODES[[left_out]] / scale)[0] - values[left_out])
    assert found.rmse == pytest.approx(np.sqrt(np.mean(np.square(missed))), rel=1e-6)
    assert found.r2 == pytest.approx(1 - found.rmse**2 / values.var())
    # Seen cells are predicted better: theirs is not the error that is stated.
    assert np.sqrt(np.square(found(CODES) - values).mean()) < found.rmse / 2


def test_what_codes_do_not_say_is_admitted() -> None:
    assert fit_regression(CODES, RNG.normal(size=20)).r2 < 0.2


def test_undefined_descriptors_are_left_out() -> None:
    values = CODES @ SLOPES
    with_gaps = np.append(values, [np.nan, np.nan])
    found = fit_regression(np.vstack([CODES, np.ones((2, 40), np.float32)]), with_gaps)
    assert found.rmse == fit_regression(CODES, values).rmse
    assert (found.lowest, found.highest) == (values.min(), values.max())


def test_cells_that_are_all_alike_have_no_r2() -> None:
    found = fit_regression(CODES, np.full(20, 3.0))
    assert np.isnan(found.r2)
    assert found.rmse < 1e-6


def test_three_cells_are_too_few() -> None:
    with pytest.raises(InputError, match="3 learned cells have it, a regression needs at least 4"):
        fit_regression(CODES[:5], np.array([1.0, 2, 3, np.nan, np.nan]))


def test_more_cells_teach_it_more() -> None:
    first = fit_regression(CODES, CODES @ SLOPES)
    more = RNG.normal(0, 0.1, (300, 40))
    values = more @ SLOPES
    values[::7] = np.nan
    later = first.refitted(more, values)
    assert later.rmse < first.rmse / 10
    unseen = RNG.normal(0, 0.1, (50, 40))
    assert np.sqrt(np.square(later(unseen) - unseen @ SLOPES).mean()) == pytest.approx(later.rmse, rel=0.5)
    assert (later.lowest, later.highest) == (first.lowest, first.highest)

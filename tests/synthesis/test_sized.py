"""Sizes and growth that are drawn beside codes."""

import numpy as np
import pytest

from cytoform.priors.fitted import fit_prior
from cytoform.synthesis.sized import Sized

RNG = np.random.default_rng(0)
MEANS = RNG.normal(0.1, 0.3, 40)
GROWTHS = np.linspace(-1, 1, 5) * RNG.normal(0.1, 0.02, 40)[:, None]


def prior(volumes_of) -> Sized:
    return Sized(fit_prior("covariance", RNG.normal(size=(40, 12))), MEANS[:, None] + GROWTHS, volumes_of)


def test_sizes_have_the_learned_distribution_and_are_new() -> None:
    drawn = prior(lambda _: np.ones(5)).draw(2000, np.random.default_rng(1))
    found = np.log(drawn.variables["scale"]).mean(axis=1)
    assert drawn.codes.shape == (2000, 12)
    assert abs(found.mean() - MEANS.mean()) < 0.02
    assert abs(found.std() / MEANS.std() - 1) < 0.05
    assert not np.isin(found.round(9), MEANS.round(9)).any()


def test_each_new_cell_grows_as_a_learned_one() -> None:
    drawn = prior(lambda _: np.ones(5)).draw(40, np.random.default_rng(1))
    found = np.log(drawn.variables["scale"])
    growths = found - found.mean(axis=1, keepdims=True)
    assert np.sort(growths[:, 0]) == pytest.approx(np.sort(GROWTHS[:, 0]), abs=1e-12)


def test_the_volume_that_a_code_describes_is_taken_out() -> None:
    volumes = np.array([1.0, 1.1, 1.3, 1.2, 0.9])
    plain = prior(lambda _: np.ones(5)).draw(3, np.random.default_rng(2)).variables["scale"]
    kept = prior(lambda _: volumes).draw(3, np.random.default_rng(2)).variables["scale"]
    assert kept**3 * volumes == pytest.approx(plain**3)

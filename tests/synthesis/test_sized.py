"""Sizes that are drawn beside codes."""

import numpy as np

from cytoform.priors.fitted import fit_prior
from cytoform.synthesis.sized import Sized


def test_sizes_have_the_learned_distribution_and_are_new() -> None:
    rng = np.random.default_rng(0)
    logs = rng.normal(0.1, 0.3, 40)
    prior = Sized(fit_prior("covariance", rng.normal(size=(40, 12))), logs)
    drawn = prior.draw(2000, np.random.default_rng(1))
    found = np.log(drawn.variables["scale"][:, 0])
    assert drawn.codes.shape == (2000, 12)
    assert abs(found.mean() - logs.mean()) < 0.02
    assert abs(found.std() / logs.std() - 1) < 0.05
    assert not np.isin(found.round(9), logs.round(9)).any()


def test_one_learned_size_is_drawn_as_it_is() -> None:
    prior = Sized(fit_prior("around", np.ones((1, 3)), sigma=0.0), np.array([0.2]))
    drawn = prior.draw(3, np.random.default_rng(0))
    assert np.allclose(drawn.variables["scale"], np.exp(0.2))

"""Priors: draws have what was fitted, the same seed gives the same codes, and too few codes are refused."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.covariance import LedoitWolf

from cytoform.errors import InputError
from cytoform.priors.fitted import PRIORS, Around, Gaussian, Mixture, fit_prior

N_DRAWS = 20_000


def learned_codes(n: int, code_dim: int, seed: int = 0) -> np.ndarray:
    """Codes whose numbers depend on each other and are not centred."""
    rng = np.random.default_rng(seed)
    return (rng.normal(size=(n, code_dim)) @ rng.normal(0, 0.1, (code_dim, code_dim)) + 0.3).astype(np.float32)


def clusters(n: int, code_dim: int, *, apart: float) -> np.ndarray:
    codes = np.random.default_rng(1).normal(0, 0.1, (n, code_dim))
    codes[: n // 2, 0] += apart
    return codes


def fit(name: str, codes: np.ndarray) -> Mixture:
    prior = fit_prior(name, codes)
    assert isinstance(prior, Mixture)
    return prior


def covariance_of(prior: Mixture) -> np.ndarray:
    """Of the whole mixture, in the space of the codes."""
    mean = prior.weights @ prior.means
    second = np.einsum("k,kij->ij", prior.weights, prior.covariances + prior.means[:, :, None] * prior.means[:, None])
    return prior.axes.T @ (second - np.outer(mean, mean)) @ prior.axes


def test_the_papers_priors() -> None:
    codes = learned_codes(5, 64)
    gaussian = fit_prior("gaussian", codes).draw(2000, np.random.default_rng(1)).codes
    assert gaussian.std() == pytest.approx(0.1, rel=0.02)
    assert abs(gaussian.mean()) < 0.001
    around = fit_prior("around", codes).draw(10, np.random.default_rng(1)).codes
    nearest = np.linalg.norm(around[:, None] - codes, axis=2).argmin(axis=1)
    assert sorted(nearest.tolist()) == sorted([*range(5)] * 2)  # every learned code in turn
    assert np.abs(around - codes[nearest]).std() < 0.011


def test_the_papers_priors_draw_what_they_always_drew() -> None:
    codes = learned_codes(3, 4)
    rng = np.random.default_rng(7)
    assert np.array_equal(
        Gaussian(np.zeros(4), 0.1).draw(5, np.random.default_rng(7)).codes, rng.normal(0, 0.1, (5, 4))
    )
    rng = np.random.default_rng(7)
    noise = rng.normal(0, 0.02, (5, 4))
    order = np.concatenate([rng.permutation(3), rng.permutation(3)])[:5]
    assert np.array_equal(
        Around(codes.astype(float), 0.02).draw(5, np.random.default_rng(7)).codes, codes[order] + noise
    )


@pytest.mark.parametrize("name", ["covariance", "mixture"])
@settings(max_examples=8, deadline=None)
@given(n=st.integers(8, 30), code_dim=st.integers(1, 24), seed=st.integers(0, 99))
def test_draws_have_the_fitted_mean_and_covariance(name: str, n: int, code_dim: int, seed: int) -> None:
    codes = learned_codes(n, code_dim, seed)
    prior = fit(name, codes)
    drawn = prior.draw(N_DRAWS, np.random.default_rng(seed)).codes
    wanted = covariance_of(prior)
    scale = np.sqrt(np.diag(wanted)) + 1e-9
    assert np.allclose(drawn.mean(axis=0), codes.mean(axis=0), atol=0.03 * scale.max())
    assert np.allclose(np.cov(drawn.T) / np.outer(scale, scale), wanted / np.outer(scale, scale), atol=0.08)
    # Nothing is drawn that is not a combination of learned codes.
    beyond = (drawn - prior.centre) - (drawn - prior.centre) @ prior.axes.T @ prior.axes
    assert np.abs(beyond).max() < 1e-9
    assert len(prior.axes) == min(n - 1, code_dim)


def test_the_covariance_is_ledoit_and_wolfs() -> None:
    few_numbers = learned_codes(20, 5).astype(float)
    assert np.allclose(covariance_of(fit("covariance", few_numbers)), LedoitWolf().fit(few_numbers).covariance_)
    few_codes = learned_codes(6, 40).astype(float)
    prior = fit("covariance", few_codes)
    scores = (few_codes - few_codes.mean(axis=0)) @ prior.axes.T
    assert np.allclose(prior.covariances[0], LedoitWolf().fit(scores).covariance_)


def test_the_mixture_covers_the_codes_as_widely_as_the_covariance() -> None:
    codes = learned_codes(27, 60)
    whole, parts = (np.trace(covariance_of(fit(name, codes))) for name in ("covariance", "mixture"))  # type: ignore[arg-type]
    assert parts == pytest.approx(whole, rel=0.1)


@pytest.mark.parametrize(("n", "code_dim"), [(8, 3), (27, 192), (40, 64)])
def test_the_criterion_finds_clusters_where_there_are_any(n: int, code_dim: int) -> None:
    two = fit("mixture", clusters(n, code_dim, apart=5.0))
    assert len(two.weights) == 2
    assert np.allclose(two.weights, 0.5, atol=0.05)
    drawn = two.draw(500, np.random.default_rng(0)).codes[:, 0]
    assert ((drawn < 1.5) | (drawn > 3.5)).mean() > 0.97
    assert 0.4 < (drawn > 2.5).mean() < 0.6
    assert len(fit("mixture", clusters(n, code_dim, apart=0.0)).weights) == 1


@pytest.mark.parametrize("name", PRIORS)
def test_memory_grows_with_the_codes_and_not_with_their_pairs(name: str) -> None:
    codes = np.random.default_rng(0).normal(size=(120, 5000))
    tracemalloc.start()
    try:
        fit_prior(name, codes).draw(2, np.random.default_rng(1))
        assert tracemalloc.get_traced_memory()[1] < 12 * codes.nbytes  # all pairs of codes: 120
    finally:
        tracemalloc.stop()


def test_between_lies_on_the_way_to_a_near_code() -> None:
    codes = np.concatenate([learned_codes(6, 5), learned_codes(6, 5, seed=1) + 50]).astype(float)
    drawn = fit_prior("between", codes).draw(24, np.random.default_rng(2)).codes
    # Between which two codes, and how far: a point of the straight way adds no length to it.
    to = np.linalg.norm(drawn[:, None] - codes, axis=2)
    detour = to[:, :, None] + to[:, None] - np.linalg.norm(codes[:, None] - codes, axis=2)
    detour[:, *np.diag_indices(len(codes))] = np.inf
    starts, ends = np.unravel_index(detour.reshape(len(drawn), -1).argmin(axis=1), detour.shape[1:])
    rows = np.arange(len(drawn))
    assert np.abs(detour[rows, starts, ends]).max() < 1e-9
    share = to[rows, starts] / (to[rows, starts] + to[rows, ends])
    assert 0.25 <= share.min() < 0.4
    assert 0.6 < share.max() <= 0.75
    assert np.array_equal(starts < 6, ends < 6)  # never to a code that is far away
    assert len(fit_prior("between", codes[:2]).draw(3, np.random.default_rng(0)).codes) == 3


@pytest.mark.parametrize("name", ["covariance", "mixture"])
@pytest.mark.parametrize("sigma", [0.0, 0.5, 1.0, 1.3])
def test_sigma_is_how_many_times_as_far_from_the_mean(name: str, sigma: float) -> None:
    codes = clusters(12, 6, apart=5.0)
    as_learned = fit_prior(name, codes).draw(5, np.random.default_rng(3)).codes - codes.mean(axis=0)
    drawn = fit_prior(name, codes, sigma=sigma).draw(5, np.random.default_rng(3)).codes - codes.mean(axis=0)
    assert np.allclose(drawn, sigma * as_learned)


@pytest.mark.parametrize("name", PRIORS)
def test_same_seed_same_codes(name: str) -> None:
    codes = learned_codes(12, 20)
    first, again, other = (fit_prior(name, codes).draw(4, np.random.default_rng(seed)).codes for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.allclose(first, other)


@pytest.mark.parametrize(
    ("name", "n", "sigma", "words"),
    [
        ("covariance", 3, None, "at least 4 learned codes, there are 3; choose gaussian, around, between,"),
        (
            "mixture",
            7,
            None,
            "at least 8 learned codes, there are 7; choose gaussian, around, between, blend, covariance,",
        ),
        ("between", 1, None, "at least 2 learned codes, there are 1; choose gaussian, around,"),
        ("between", 9, 0.1, "--sigma 0.1: the prior between has none"),
        ("covariance", 9, float("inf"), "--sigma inf"),
        ("gaussian", 9, float("nan"), "--sigma nan"),
        ("around", 9, -1.0, "--sigma -1"),
    ],
)
def test_what_cannot_be_fitted_is_one_line(name: str, n: int, sigma: float | None, words: str) -> None:
    with pytest.raises(InputError, match=words) as fault:
        fit_prior(name, learned_codes(n, 6), sigma=sigma)
    assert "\n" not in str(fault.value)


@pytest.mark.parametrize("name", ["covariance", "mixture"])
def test_codes_that_are_all_the_same(name: str) -> None:
    with pytest.raises(InputError, match="all 9 learned codes are the same"):
        fit_prior(name, np.ones((9, 5), np.float32))


def test_a_blend_spreads_as_the_codes_do_and_is_none_of_them() -> None:
    codes = np.random.default_rng(3).normal(0.2, 1.0, (30, 400))
    drawn = fit_prior("blend", codes).draw(400, np.random.default_rng(4)).codes
    away = np.square(drawn - codes.mean(axis=0)).sum(axis=1).mean()
    assert away == pytest.approx(np.square(codes - codes.mean(axis=0)).sum(axis=1).mean(), rel=0.05)
    assert np.abs(drawn.mean(axis=0) - codes.mean(axis=0)).mean() < 0.1
    nearest = np.linalg.norm(drawn[:, None] - codes[None], axis=2).min(axis=1)
    assert np.median(nearest) > 0.5 * np.sqrt(away)
    twice = fit_prior("blend", codes, sigma=2.0).draw(400, np.random.default_rng(4)).codes
    assert twice - codes.mean(axis=0) == pytest.approx(2 * (drawn - codes.mean(axis=0)))

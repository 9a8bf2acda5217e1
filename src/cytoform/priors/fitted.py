"""Priors that are fitted to the learned codes in a second, each an entry of `PRIORS`.

Two come from the paper (section 3.2). N(0, σ²) uses none of the learned codes; noise around learned codes has no
preferred direction. `covariance` and `mixture` describe the distribution of the learned codes. A data set has fewer
cells than a code has numbers, so both work in the subspace that the codes span, with a shrunk covariance.

A prior sees a code as a flat vector. For codes with knots in time `gaussian` is a poor choice: its knots are independent,
so a cell changes from one to the next at random.
"""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from cytoform.errors import InputError
from cytoform.priors.prior import Drawn, Given, Prior, in_turn

Codes = Float[np.ndarray, "sequences code"]
# How many of the nearest codes a new one may lie on the way to, and how far from either end of that way.
NEAREST, WAY = 3, (0.25, 0.75)
BLENDED = 5  # codes in a blend
# The mixture. Components: at most one for so many codes, and so many in all.
CODES_A_COMPONENT, MOST_COMPONENTS = 4, 5
# Its axes: as many as hold this share of the variance, and at most one for so many codes.
LEADING_SHARE, CODES_AN_AXIS = 0.8, 8
# Added to the variance of every component along axes of variance 1: a component of few codes cannot collapse on them.
REGULARISATION = 0.05


@dataclass(frozen=True)
class Gaussian(Prior):
    """The same normal deviate in every number of a code."""

    centre: Float[np.ndarray, " code"]
    sigma: float

    def _draw(self, n: int, rng: np.random.Generator, given: Given) -> Drawn:
        """`n` codes from N(centre, σ²)."""
        return Drawn(self.centre + rng.normal(0, self.sigma, (n, len(self.centre))))


@dataclass(frozen=True)
class Around(Prior):
    """Learned codes, each with the same noise."""

    codes: Codes
    sigma: float

    def _draw(self, n: int, rng: np.random.Generator, given: Given) -> Drawn:
        """Learned codes, each in turn in random order, plus N(0, σ²)."""
        noise = rng.normal(0, self.sigma, (n, self.codes.shape[1]))
        return Drawn(self.codes[in_turn(n, len(self.codes), rng)] + noise)


@dataclass(frozen=True)
class Between(Prior):
    """Learned codes, and for each the row numbers of its nearest neighbours."""

    codes: Codes
    neighbours: Float[np.ndarray, "sequences nearest"]

    def __post_init__(self) -> None:
        if not ((self.neighbours >= 0) & (self.neighbours < len(self.codes))).all():
            raise InputError(
                "neighbours that are rows of no code; delete priors.safetensors, and the priors are fitted anew"
            )

    def _draw(self, n: int, rng: np.random.Generator, given: Given) -> Drawn:
        """Somewhere on the straight way from a learned code, each in turn in random order, to one near it."""
        starts = in_turn(n, len(self.codes), rng)
        ends = self.neighbours[starts, rng.integers(self.neighbours.shape[1], size=n)].astype(int)
        share = rng.uniform(*WAY, size=(n, 1))
        return Drawn(self.codes[starts] * (1 - share) + self.codes[ends] * share)


@dataclass(frozen=True)
class Blend(Prior):
    """Learned codes, a few of which make a new one; `sigma` is how many times as far from their mean as learned ones."""

    codes: Codes
    sigma: float

    def _draw(self, n: int, rng: np.random.Generator, given: Given) -> Drawn:
        """The mean plus differences from it, with random weights of length σ: as spread as learned codes.

        With all codes in the mixture every new cell would move and be rough like the average one.
        """
        centre, few = self.codes.mean(axis=0), min(BLENDED, len(self.codes))
        rows = np.stack([rng.choice(len(self.codes), few, replace=False) for _ in range(n)])
        weights = rng.normal(size=(n, few))
        weights *= self.sigma / np.linalg.norm(weights, axis=1, keepdims=True)
        return Drawn(centre + np.einsum("nf,nfc->nc", weights, self.codes[rows] - centre))


@dataclass(frozen=True)
class Mixture(Prior):
    """Normal distributions in the subspace that the learned codes span: `centre` and orthogonal `axes`, all of length σ."""

    centre: Float[np.ndarray, " code"]
    axes: Float[np.ndarray, "axes code"]
    weights: Float[np.ndarray, " components"]
    means: Float[np.ndarray, "components axes"]
    covariances: Float[np.ndarray, "components axes axes"]

    def _draw(self, n: int, rng: np.random.Generator, given: Given) -> Drawn:
        """`n` codes, each from a component that is drawn by its weight."""
        which = rng.choice(len(self.weights), n, p=self.weights)
        scores = rng.normal(size=(n, len(self.axes)))
        for component, covariance in enumerate(self.covariances):
            rows = which == component
            scores[rows] = self.means[component] + scores[rows] @ np.linalg.cholesky(covariance).T
        return Drawn(self.centre + scores @ self.axes)


@dataclass(frozen=True)
class PriorKind:
    """How a prior is fitted, to how many codes at least, and its σ where it has one that can be chosen."""

    kind: type[Any]
    fit: Callable[..., Prior]
    fewest_codes: int = 1
    sigma: float | None = None


def fit_prior(name: str, codes: Codes, *, sigma: float | None = None) -> Prior:
    """Fit the prior `name` to flat codes; `sigma` replaces the default of its entry. The same codes give the same prior.

    Raises InputError for an unknown name, too few codes, codes that are all the same, and a sigma that does not fit.
    """
    chosen = chosen_prior(name)
    if len(codes) < chosen.fewest_codes:
        others = ", ".join(other for other, kind in PRIORS.items() if kind.fewest_codes <= len(codes))
        raise InputError(
            f"--prior {name}: needs at least {chosen.fewest_codes} learned codes, there are {len(codes)}; "
            f"choose {others}, or learn more cells"
        )
    if chosen.sigma is None:
        if sigma is not None:
            raise InputError(f"--sigma {sigma}: the prior {name} has none to choose; leave it out")
        return chosen.fit(codes.astype(float))
    sigma = chosen.sigma if sigma is None else sigma
    if not (np.isfinite(sigma) and sigma >= 0):
        raise InputError(f"--sigma {sigma}: must be a number of at least 0")
    return chosen.fit(codes.astype(float), sigma)


def chosen_prior(name: str) -> PriorKind:
    """The entry of `PRIORS`. Raises InputError for an unknown name."""
    if name not in PRIORS:
        raise InputError(f"--prior {name}: unknown; choose one of {', '.join(PRIORS)}")
    return PRIORS[name]


def _fit_gaussian(codes: Codes, sigma: float) -> Gaussian:
    """The paper's prior, which asks the codes for no more than their length."""
    return Gaussian(np.zeros(codes.shape[1]), sigma)


def _fit_between(codes: Codes) -> Between:
    """Nearest by the distance between codes (the straight ways between neighbours: Chawla et al. 2002, SMOTE)."""
    from scipy.spatial.distance import cdist

    distances = cdist(codes, codes)
    np.fill_diagonal(distances, np.inf)
    return Between(codes, np.argsort(distances, axis=1)[:, : min(NEAREST, len(codes) - 1)].astype(float))


def _fit_covariance(codes: Codes, sigma: float) -> Mixture:
    """One normal distribution with the codes' mean and their covariance, shrunk as Ledoit and Wolf (2004) do."""
    centre, axes, scores = _principal_components(codes)
    return Mixture(centre, sigma * axes, np.ones(1), np.zeros((1, len(axes))), _shrunk_covariance(scores)[None])


def _fit_mixture(codes: Codes, sigma: float) -> Mixture:
    """Components, as many as the Bayesian information criterion chooses, along the leading principal axes.

    Along the other axes so few codes say little, and all components share one shrunk covariance.
    """
    from scipy.linalg import block_diag

    centre, axes, scores = _principal_components(codes)
    variances = scores.var(axis=0)
    n_needed = int(np.searchsorted(np.cumsum(variances) / variances.sum(), LEADING_SHARE)) + 1
    n_leading = min(n_needed, max(1, len(codes) // CODES_AN_AXIS), len(axes))
    scale = np.sqrt(variances[:n_leading])
    weights, means, covariances = _components_by_bic(scores[:, :n_leading] / scale)
    rest = _shrunk_covariance(scores[:, n_leading:])
    return Mixture(
        centre,
        sigma * axes,
        weights / weights.sum(),
        np.pad(means * scale, ((0, 0), (0, len(rest)))),
        np.stack([block_diag(covariance * np.outer(scale, scale), rest) for covariance in covariances]),
    )


def _components_by_bic(scores: Codes) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Weights, means and covariances of the mixture with the lowest criterion."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.mixture import GaussianMixture

    most = min(len(scores) // CODES_A_COMPONENT, MOST_COMPONENTS)
    with warnings.catch_warnings():
        # Too many components for the codes do not settle, and are not chosen.
        warnings.simplefilter("ignore", ConvergenceWarning)
        fits = [
            GaussianMixture(n, reg_covar=REGULARISATION, n_init=5, random_state=0).fit(scores)
            for n in range(1, most + 1)
        ]
    best = min(fits, key=lambda fit: fit.bic(scores))
    return best.weights_, best.means_, best.covariances_


def _principal_components(codes: Codes) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean, axes, and the codes along these: all axes along which the codes differ. Raises InputError without any."""
    from sklearn.decomposition import PCA

    rank = int(np.linalg.matrix_rank(codes - codes.mean(axis=0)))
    if rank == 0:
        raise InputError(f"all {len(codes)} learned codes are the same: no prior can be fitted to them; train longer")
    components = PCA(rank, svd_solver="full").fit(codes)
    return components.mean_, components.components_, components.transform(codes)


def _shrunk_covariance(scores: Codes) -> Float[np.ndarray, "axes axes"]:
    from sklearn.covariance import LedoitWolf

    if scores.shape[1] == 0:
        return np.empty((0, 0))
    return LedoitWolf(assume_centered=True).fit(scores).covariance_


# σ of the paper: 0.1 for the whole prior, 0.01 for noise around learned codes. Of the fitted ones: how many times as far
# from their mean as the learned codes lie.
PRIORS: dict[str, PriorKind] = {
    "gaussian": PriorKind(Gaussian, _fit_gaussian, sigma=0.1),
    "around": PriorKind(Around, Around, sigma=0.01),
    "between": PriorKind(Between, _fit_between, fewest_codes=2),
    "blend": PriorKind(Blend, Blend, fewest_codes=3, sigma=1.0),
    "covariance": PriorKind(Mixture, _fit_covariance, fewest_codes=4, sigma=1.0),
    "mixture": PriorKind(Mixture, _fit_mixture, fewest_codes=2 * CODES_A_COMPONENT, sigma=1.0),
}

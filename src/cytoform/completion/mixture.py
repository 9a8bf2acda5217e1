"""The choice of a way: shares of several ways, by known frames or planes that were hidden from them.

A mixture is a weighted mean of the fields that the ways give. The baseline, the first way, has the weight that the shares of
the others leave; alone, it is one of the mixtures that are tried. Shares are chosen on all hidden frames. The expected score
comes from shares that were chosen on other hidden frames.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from jaxtyping import Float, Float32

from cytoform.completion.fields import Field

Ways = Mapping[str, Callable[[Any], Field]]  # a table; the first entry is the baseline
Near = Float32[np.ndarray, " voxels"]
SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)
N_FOLDS = 3
NEAR_VOXELS = 3.0  # voxels farther from every surface keep the sign of the baseline


@dataclass(frozen=True)
class Mixture:
    """Shares of ways, and the baseline for the rest."""

    baseline: str
    shares: dict[str, float]

    def field(self, ways: Ways, known: Any) -> Field:
        """The mixture of the ways from `known`; ways without a share are not computed."""
        weights = dict(zip(ways, self.weights(ways).tolist(), strict=True))
        return np.asarray(sum(weight * ways[name](known) for name, weight in weights.items() if weight), np.float32)

    def weights(self, ways: Ways) -> Float32[np.ndarray, " ways"]:
        """The weight of each way; together they are 1."""
        weights = np.array([self.shares.get(name, 0.0) for name in ways], np.float32)
        weights[list(ways).index(self.baseline)] = 1 - weights.sum()
        return weights

    def __str__(self) -> str:
        rest = 1 - sum(self.shares.values())
        parts = {self.baseline: rest, **self.shares} if rest else self.shares
        return " + ".join(name if share == 1 else f"{share:g} {name}" for name, share in parts.items())


@dataclass(frozen=True, eq=False)
class Example:
    """Hidden voxels: each way's distances near a surface, and the true ones, in voxels.

    `values` has a row for each way. `before` and `after` are the known neighbours, `nearest` the nearer one. The other
    voxels are counted only.
    """

    values: Float32[np.ndarray, "ways voxels"]
    truth: Near
    before: Near
    after: Near
    nearest: Near
    n_both: int
    n_either: int
    width: float

    @classmethod
    def of(
        cls, values: Sequence[Field], truth: Field, *, before: Field, after: Field, nearest: Field, width: float
    ) -> "Example":
        """From whole fields; `width` is the distance between the neighbours along time or z."""
        every = np.stack([*values, truth, nearest])
        near = (np.abs(every).min(axis=0) < NEAR_VOXELS) | ((every <= 0).any(axis=0) != (every <= 0).all(axis=0))
        far_base, far_truth = values[0][~near] <= 0, truth[~near] <= 0
        return cls(
            every[:-2, near], truth[near], before[near], after[near], nearest[near],
            int((far_base & far_truth).sum()), int((far_base | far_truth).sum()), width,
        )  # fmt: skip

    def mixed(self, weights: Float32[np.ndarray, " ways"]) -> Near:
        """The weighted sum of the ways."""
        # Not a matrix product: BLAS now and then warns of invalid values where there are none.
        return np.einsum("w,wv->v", weights, self.values)

    def jaccard(self, field: Near) -> float:
        """Jaccard index of a field, given near surfaces, with the truth."""
        inside, truth = field <= 0, self.truth <= 0
        either = self.n_either + int((inside | truth).sum())
        return (self.n_both + int((inside & truth).sum())) / either if either else 1.0


@dataclass(frozen=True)
class Choice:
    """The chosen mixture, and mean Jaccard indices of the hidden frames or planes; None where nothing could be hidden."""

    mixture: Mixture
    n_hidden: int = 0
    jaccard: float | None = None  # by mixtures that were chosen on other hidden ones
    jaccard_baseline: float | None = None
    jaccard_nearest: float | None = None


def choose(examples: Sequence[Example], ways: Ways) -> Choice:
    """The mixture that surely gains most over the baseline: the mean gain in Jaccard index less its standard error."""
    baseline = next(iter(ways))
    if not examples:
        return Choice(Mixture(baseline, {}))
    mixtures = _mixtures(ways)
    weights = [mixture.weights(ways) for mixture in mixtures]
    scores = np.array([[example.jaccard(example.mixed(each)) for each in weights] for example in examples])
    return Choice(
        mixtures[_best(scores)],
        n_hidden=len(examples),
        jaccard=float(_cross_fitted(scores).mean()),
        jaccard_baseline=float(scores[:, 0].mean()),
        jaccard_nearest=float(np.mean([example.jaccard(example.nearest) for example in examples])),
    )


def _mixtures(ways: Ways) -> list[Mixture]:
    """All mixtures to try; the baseline is the first."""
    baseline, *others = ways
    return [
        Mixture(baseline, {name: share for name, share in zip(others, shares, strict=True) if share})
        for shares in product(SHARES, repeat=len(others))
        if sum(shares) <= 1
    ]


def _best(scores: Float[np.ndarray, "examples mixtures"]) -> int:
    gains = scores - scores[:, :1]
    if len(gains) == 1:
        return int(gains[0].argmax())
    return int((gains.mean(axis=0) - gains.std(axis=0, ddof=1) / np.sqrt(len(gains))).argmax())


def _cross_fitted(scores: Float[np.ndarray, "examples mixtures"]) -> Float[np.ndarray, " examples"]:
    """Of each example, the score of the mixture that is best on the other folds; of a single one, the baseline's."""
    fold = np.arange(len(scores)) % N_FOLDS
    found = scores[:, 0].copy()
    for number in range(N_FOLDS):
        here = fold == number
        if here.any() and not here.all():
            found[here] = scores[here, _best(scores[~here])]
    return found

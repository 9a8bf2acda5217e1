"""How a measure is distributed on both sides: tests, distances with their intervals, quantiles; over frames and sequences."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from cytoform.assess.statistics.distributions import (
    KolmogorovSmirnov,
    Values,
    corrected,
    kolmogorov_smirnov,
    qq_quantiles,
    sequence_means,
)
from cytoform.assess.statistics.intervals import Draws, Estimate, mean_difference, wasserstein_distance
from cytoform.assess.statistics.permutation import permuted_p


@dataclass(frozen=True)
class PermutedTest:
    """P-value from permuting whole sequences between the sides, and the same corrected for the number of measures."""

    p: float
    p_corrected: float


@dataclass(frozen=True)
class Contrast:
    """Values of one measure on both sides, over all frames or over the means of sequences.

    The Wasserstein distance and the difference of means (other less reference) have the measure's unit. `permuted` is the
    test over frames whose null distribution comes from permuting whole sequences; None over means of sequences, which
    are independent already.
    """

    ks: KolmogorovSmirnov
    ks_p_corrected: float
    wasserstein: Estimate
    mean_difference: Estimate
    qq: Float[np.ndarray, "2 n"]
    permuted: PermutedTest | None = None


Sides = tuple[Sequence[Values], Sequence[Values]]


def contrasts(measures: Mapping[str, Sides], *, seed: int, permuted: bool = False) -> dict[str, Contrast]:
    """Contrasts of some measures, whose tests are corrected as one family; each side has an array a sequence.

    `permuted` adds the test whose null distribution comes from permuting whole sequences.
    """
    tests = {name: kolmogorov_smirnov(*(np.concatenate(side) for side in sides)) for name, sides in measures.items()}
    p = corrected(np.array([test.p for test in tests.values()]))
    permutations = _permuted(measures, seed) if permuted else {}
    found = {}
    for (name, (a, b)), p_corrected in zip(measures.items(), p, strict=True):
        # The same draws for every measure, so that none depends on which others there are.
        rng = np.random.default_rng(seed)
        draws = Draws.of(a, rng), Draws.of(b, rng)
        found[name] = Contrast(
            ks=tests[name],
            ks_p_corrected=float(p_corrected),
            wasserstein=wasserstein_distance(*draws),
            mean_difference=mean_difference(*draws),
            qq=qq_quantiles(np.concatenate(a), np.concatenate(b)),
            permuted=permutations.get(name),
        )
    return found


def _permuted(measures: Mapping[str, Sides], seed: int) -> dict[str, PermutedTest]:
    # The same permutations for every measure, so that none depends on which others there are.
    p = np.array([permuted_p(a, b, np.random.default_rng(seed)) for a, b in measures.values()])
    tests = zip(p.tolist(), corrected(p).tolist(), strict=True)
    return {name: PermutedTest(*each) for name, each in zip(measures, tests, strict=True)}


def by_sequence(measures: Mapping[str, Sides]) -> dict[str, Sides]:
    """The means of sequences instead of their frames."""
    return {name: (_single(a), _single(b)) for name, (a, b) in measures.items()}


def _single(sequences: Iterable[Values]) -> list[Values]:
    return [sequence_means([values]) for values in sequences]

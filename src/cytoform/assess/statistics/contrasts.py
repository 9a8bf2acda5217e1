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


@dataclass(frozen=True)
class Contrast:
    """Values of one measure on both sides, over all frames or over the means of sequences.

    The Wasserstein distance and the difference of means (other less reference) have the measure's unit.
    """

    ks: KolmogorovSmirnov
    ks_p_corrected: float
    wasserstein: Estimate
    mean_difference: Estimate
    qq: Float[np.ndarray, "2 n"]


Sides = tuple[Sequence[Values], Sequence[Values]]


def contrasts(measures: Mapping[str, Sides], *, seed: int) -> dict[str, Contrast]:
    """Contrasts of some measures, whose tests are corrected as one family; each side has an array a sequence."""
    tests = {name: kolmogorov_smirnov(*(np.concatenate(side) for side in sides)) for name, sides in measures.items()}
    p = corrected(np.array([test.p for test in tests.values()]))
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
        )
    return found


def by_sequence(measures: Mapping[str, Sides]) -> dict[str, Sides]:
    """The means of sequences instead of their frames."""
    return {name: (_single(a), _single(b)) for name, (a, b) in measures.items()}


def _single(sequences: Iterable[Values]) -> list[Values]:
    return [sequence_means([values]) for values in sequences]

"""A prior of cells whose size is a variable of its own, beside a code that describes their shape at one size."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from cytoform.priors.prior import Drawn, Given, Prior
from cytoform.representations.representation import SCALE

WIDTH = 0.3  # of the smoothing between learned sizes, in their standard deviations


@dataclass(frozen=True)
class Sized(Prior):
    """Codes of another prior, each with a size near a learned one: a smoothed bootstrap of the logarithms."""

    shapes: Prior
    log_scales: Float[np.ndarray, " sequences"]

    def _draw(self, n: int, rng: np.random.Generator, given: Given) -> Drawn:
        """`n` cells; every learned size is the centre of as many as any other."""
        drawn = self.shapes.draw(n, rng, given=given)
        rounds = -(-n // len(self.log_scales))
        centres = np.concatenate([rng.permutation(self.log_scales) for _ in range(rounds)])[:n]
        mean, std = self.log_scales.mean(), self.log_scales.std()
        # The noise would widen the distribution, so that both are drawn together.
        logs = mean + (centres - mean + rng.normal(0, WIDTH * std, n)) / np.sqrt(1 + WIDTH**2)
        return Drawn(drawn.codes, {**drawn.variables, SCALE: np.exp(logs)[:, None]})

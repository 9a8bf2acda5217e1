"""A prior of cells whose size over time is a variable of its own, beside a code that describes their shape at one size."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from jaxtyping import Float

from cytoform.priors.prior import Drawn, Given, Prior, in_turn
from cytoform.representations.representation import SCALE
from cytoform.shapes.grid import ROOTS

WIDTH = 0.3  # of the smoothing between learned sizes, in their standard deviations

# Volume over time, at equal times, that a code describes, over the volume that all cells share.
VolumesOf = Callable[[Float[np.ndarray, " code"]], Float[np.ndarray, " moments"]]


@dataclass(frozen=True)
class Sized(Prior):
    """Codes of another prior, each with a new mean size and with the growth of a learned cell.

    Mean sizes are a smoothed bootstrap of the learned ones. A code between others describes a cell whose volume changes a
    little from frame to frame; the scale takes that out.
    """

    shapes: Prior
    log_scales: Float[np.ndarray, "sequences moments"]
    volumes_of: VolumesOf
    n_dims: int = 3
    draws_at_once: ClassVar[int] = 64

    def _draw(self, n: int, rng: np.random.Generator, given: Given) -> Drawn:
        """`n` cells; every learned cell gives size and growth to as many as any other."""
        drawn = self.shapes.draw(n, rng, given=given)
        means = self.log_scales.mean(axis=1)
        sizes = means[in_turn(n, len(means), rng)]
        growths = (self.log_scales - means[:, None])[in_turn(n, len(means), rng)]
        # The noise would widen the distribution, so that both are drawn together.
        noise = rng.normal(0, WIDTH * means.std(), n)
        sizes = means.mean() + (sizes - means.mean() + noise) / np.sqrt(1 + WIDTH**2)
        volumes = np.stack([self.volumes_of(code) for code in drawn.codes])
        scales = np.exp(sizes[:, None] + growths) / ROOTS[self.n_dims](volumes)
        return Drawn(drawn.codes, {**drawn.variables, SCALE: scales})

"""New thick protrusions from learned ones: whole lives at rates that know of movies that cut lives off (see model.py).

A new bulge is a learned one in another size and with another life, its distances moved by a difference of two others, at
another place.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import cc3d
import numpy as np
from jaxtyping import Float, Int

from cytoform.protrusions.bulges import PHASES, Bulges, joined
from cytoform.protrusions.model import SCALAR_WIDTH, Rates, stretched
from cytoform.protrusions.swollen import values_at
from cytoform.protrusions.units import local_frame

# Share of the differences of others that is added to the weights of a learned bulge.
WEIGHT_WIDTH = 0.3
TRIES = 4  # of mixing, each with half the share, until a bulge is one piece


@dataclass(frozen=True)
class BulgeLives:
    """Learned bulges, and how often each is to be drawn."""

    bulges: Bulges  # of all cells
    basis: Float[np.ndarray, "components_1 phases nodes nodes nodes"]
    rates: Rates
    rows: Int[np.ndarray, " kept"]  # of the bulges that are drawn

    @classmethod
    def of(
        cls, cells: Sequence[Bulges], basis: Float[np.ndarray, "components_1 phases nodes nodes nodes"]
    ) -> "BulgeLives":
        """The lives of the bulges of learned cells."""
        bulges = joined(cells)
        rates = Rates.of(bulges.window, len(cells))
        return cls(bulges, basis, rates, np.flatnonzero(rates.kept))

    def draw(self, factor: float, span: float, rng: np.random.Generator, *, mixed: bool = True) -> list[Bulges]:
        """Bulges of one new cell with `factor` times the usual rate, over a movie of `span` learned movies.

        Their roots and axes are still the learned ones. Not `mixed`: learned ones as they are.
        """
        if not len(self.rows):
            return []
        if not self.rates.renewed:
            rows = rng.choice(self.rows, rng.poisson(self.rates.births * factor))
            drawn = [self._one(int(row), rng, mixed) for row in rows]
            return [replace(each, window=stretched(each.window, span)) for each in drawn]
        windows = self.bulges.window[self.rows]
        longest = float(np.diff(windows, axis=1).max()) * (1 + 2 * SCALAR_WIDTH)
        births = rng.uniform(-longest, span, rng.poisson(self.rates.births * factor * (span + longest)))
        drawn = [self._one(int(row), rng, mixed) for row in rng.choice(self.rows, len(births), p=self.rates.weights)]
        drawn = [
            replace(each, window=each.window - each.window[0, 0] + birth)
            for each, birth in zip(drawn, births, strict=True)
        ]
        return [each for each in drawn if each.window[0, 1] > 0]

    def _one(self, row: int, rng: np.random.Generator, mixed: bool) -> Bulges:
        own = self.bulges[np.array([row])]
        for number in range(TRIES if mixed else 0):
            if self._is_whole(new := self._mixed(own, WEIGHT_WIDTH / 2**number, rng)):
                return new
        return own

    @cached_property
    def _logs(self) -> Float[np.ndarray, "kept 2"]:
        """Logarithms of size and life of the bulges that are drawn."""
        return np.stack([_logs(self.bulges[np.array([row])]) for row in self.rows])

    def _mixed(self, own: Bulges, width: float, rng: np.random.Generator) -> Bulges:
        """The bulge in another size, with another life and shape; mean and variance of the learned ones are kept."""
        a, b = rng.choice(len(self.rows), 2, p=self.rates.weights)
        step = np.clip(SCALAR_WIDTH * (self._logs[a] - self._logs[b]) / np.sqrt(2), -0.5, 0.5)
        before, mean = _logs(own), self.rates.weights @ self._logs
        larger, lasting = np.exp(mean + (before - mean + step) / np.sqrt(1 + SCALAR_WIDTH**2) - before)
        weights, centre = self.bulges.weights[self.rows], self.rates.weights @ self.bulges.weights[self.rows]
        a, b = rng.choice(len(self.rows), 2, p=self.rates.weights)
        moved = own.weights - centre + width * (weights[a] - weights[b]) / np.sqrt(2)
        return replace(
            own,
            window=own.window[:, :1] + (own.window - own.window[:, :1]) * lasting,
            box=own.box * larger,
            volume=own.volume * larger**3,
            weights=centre + moved / np.sqrt(1 + width**2),
        )

    def _is_whole(self, bulge: Bulges) -> bool:
        """Whether the bulge is one piece at every phase at which it is there."""
        for phase in np.linspace(0, 1, PHASES):
            inside = values_at(bulge.weights[0], self.basis, float(phase)) < 0
            if cc3d.connected_components(inside, connectivity=26).max() > 1:
                return False
        return True


def placed_bulge(
    bulge: Bulges, root: Float[np.ndarray, "2 3"], axis: Float[np.ndarray, "2 3"], rng: np.random.Generator
) -> Bulges:
    """The bulge at another root and axis, both at birth and end, with a random azimuth."""
    frame = local_frame(axis.mean(axis=0)[None], rng.normal(size=3)[None])[0]
    return replace(bulge, root=root[None], axis=axis[None], across=frame[1][None])


def _logs(bulge: Bulges) -> Float[np.ndarray, " 2"]:
    sides = np.diff(bulge.box[0], axis=1)[:, 0]
    return np.array([np.log(sides).mean(), np.log(bulge.window[0, 1] - bulge.window[0, 0])])

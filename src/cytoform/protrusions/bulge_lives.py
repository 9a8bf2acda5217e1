"""New thick protrusions from learned ones: whole lives at rates that know of movies that cut lives off (see model.py).

A new bulge is a learned one in another size and with another life, at another place. Its shape is a real one: bulges do not lie
in few dimensions, so mixtures of their distances are flat.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from jaxtyping import Float, Int

from cytoform.protrusions.bulges import Bulges, joined
from cytoform.protrusions.model import SCALAR_WIDTH, Rates, rescaled, stretched
from cytoform.protrusions.swollen import volume
from cytoform.protrusions.units import local_frame

TIMES = np.linspace(0.1, 0.9, 9)  # shares of the movie at which volumes are compared
POWERS = (0.0, 2.0)  # of the largest volume of a bulge, by which it is drawn more often


@dataclass(frozen=True)
class BulgeLives:
    """Learned bulges, and how often each is to be drawn."""

    bulges: Bulges  # of all cells
    rates: Rates
    rows: Int[np.ndarray, " kept"]  # of the bulges that are drawn

    @classmethod
    def of(cls, cells: Sequence[Bulges]) -> "BulgeLives":
        """The lives of the bulges of learned cells."""
        bulges = joined(cells, cells[0].n_dims)
        rates = Rates.of(bulges.window, len(cells))
        if rates.renewed:
            rates = _as_voluminous(rates, bulges, float(np.mean([[volume(each, t) for t in TIMES] for each in cells])))
        return cls(bulges, rates, np.flatnonzero(rates.kept))

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
        return self._mixed(own, rng) if mixed else own

    @cached_property
    def _logs(self) -> Float[np.ndarray, "kept 2"]:
        """Logarithms of size and life of the bulges that are drawn."""
        return np.stack([_logs(self.bulges[np.array([row])]) for row in self.rows])

    def _mixed(self, own: Bulges, rng: np.random.Generator) -> Bulges:
        """The bulge in another size and with another life; mean and variance of the learned ones are kept."""
        a, b = rng.choice(len(self.rows), 2, p=self.rates.weights)
        step = np.clip(SCALAR_WIDTH * (self._logs[a] - self._logs[b]) / np.sqrt(2), -0.5, 0.5)
        before, mean = _logs(own), self.rates.weights @ self._logs
        larger, lasting = np.exp(mean + (before - mean + step) / np.sqrt(1 + SCALAR_WIDTH**2) - before)
        return replace(
            own,
            window=rescaled(own.window, lasting),
            size=own.size * larger,
            volume=own.volume * larger**3,
        )


def _as_voluminous(rates: Rates, bulges: Bulges, wanted: float) -> Rates:
    """Rates at which bulges fill the wanted volume at any time, as many at a time as before.

    Movies cut off large bulges more often than small ones, so whole lives alone are too small: the larger ones count more.
    """
    lives = np.diff(bulges.window[rates.kept], axis=1)[:, 0]
    filled = lives * bulges.volume[rates.kept].mean(axis=1)
    number = rates.births * float(rates.weights @ lives)
    logs = np.log(np.maximum(bulges.volume[rates.kept].max(axis=1), 1e-12))

    def tilted(power: float) -> Float[np.ndarray, " kept"]:
        weights = rates.weights * np.exp(power * (logs - logs.max()))
        return np.asarray(weights / weights.sum())

    low, high = POWERS
    for _ in range(30):
        middle = (low + high) / 2
        weights = tilted(middle)
        too_small = number * (weights @ filled) / (weights @ lives) < wanted
        low, high = (middle, high) if too_small else (low, middle)
    weights = tilted(low)
    return replace(rates, weights=weights, births=number / float(weights @ lives))


def placed_bulge(
    bulge: Bulges, root: Float[np.ndarray, "2 3"], axis: Float[np.ndarray, "2 3"], rng: np.random.Generator
) -> Bulges:
    """The bulge at another root and axis, both at birth and end, with a random azimuth."""
    frame = local_frame(axis.mean(axis=0)[None], rng.normal(size=3)[None])[0]
    return replace(bulge, root=root[None], axis=axis[None], across=frame[1][None])


def _logs(bulge: Bulges) -> Float[np.ndarray, " 2"]:
    """Logarithms of size and life."""
    return np.array([np.log(bulge.volume.max()) / 3, np.log(bulge.window[0, 1] - bulge.window[0, 0])])

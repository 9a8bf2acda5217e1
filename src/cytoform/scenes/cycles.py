"""When the cells of a lineage divide, rest and die: drawn from distributions, over several generations."""

import math
from dataclasses import dataclass, replace

import numpy as np

from cytoform.errors import InputError
from cytoform.scenes.request import SHORTEST_CYCLE

MOST_LIVES = 100_000
# Shares of their growth between which quiescent cells stop: halfway, so that they are as large as others on average.
RESTING = (0.4, 0.6)


@dataclass(frozen=True)
class Cycle:
    """The time from a division to the next: log-normal, with its mean in frames and its standard deviation over the mean.

    A share of the cells is quiescent and never divides. `deaths` is how many die, per cell and frame.
    """

    mean: float
    spread: float
    quiescent: float = 0.0
    deaths: float = 0.0

    def draw(self, rng: np.random.Generator) -> float:
        """Draw a cycle, in frames."""
        sigma = np.sqrt(np.log1p(self.spread**2))
        return max(SHORTEST_CYCLE, self.mean * float(np.exp(rng.normal(-(sigma**2) / 2, sigma))))


@dataclass(frozen=True)
class Life:
    """A cell of a lineage, from the division of its mother to its own."""

    number: int
    # None: of the cell whose division began the lineage, before the scene.
    parent: int | None
    # In frames of the scene.
    divides: float
    # The frame from which on it is gone, if it dies before it divides.
    dies: float = math.inf
    # A quiescent cell stays as it is after this share of its growth, and never divides.
    rests: float | None = None

    @property
    def has_daughters(self) -> bool:
        """Whether it lives to divide, be it after the scene."""
        return self.rests is None and self.divides < self.dies


def draw_lives(
    first: int, n_frames: int, cycle: Cycle, rng: np.random.Generator, fates: np.random.Generator
) -> tuple[Life, ...]:
    """All cells of a lineage that has one cell in frame `first`, mothers before daughters.

    Number 0 is the mother of that cell, which is number 1. How long ago she divided is drawn as in a population that
    grows steadily: an age, as a share a of the cycle, has the density 2 ln 2 · 2⁻ᵃ (Powell 1956, J. Gen. Microbiol. 15,
    492). `fates` draws who rests and dies. Raises InputError for more cells than a scene can hold.
    """
    age = float(-np.log2(1 - rng.random() / 2))
    length = cycle.draw(rng)
    founder = _fated(Life(1, 0, first + (1 - age) * length), first, cycle, fates)
    lives = [Life(0, None, first - age * length), founder]
    mothers = lives[1:]
    while mothers:
        mother = mothers.pop(0)
        if mother.divides > n_frames - 1 or not mother.has_daughters:
            continue
        born = [Life(len(lives) + i, mother.number, mother.divides + cycle.draw(rng)) for i in range(2)]
        daughters = [_fated(life, mother.divides, cycle, fates) for life in born]
        lives += daughters
        mothers += daughters
        if len(lives) > MOST_LIVES:
            raise InputError(
                f"--cycle: over {MOST_LIVES} cells in {n_frames} frames; choose a longer one, or fewer --frames"
            )
    return tuple(lives)


def _between(ends: tuple[float, float], share: float) -> float:
    return ends[0] + share * (ends[1] - ends[0])


def _fated(life: Life, born: float, cycle: Cycle, rng: np.random.Generator) -> Life:
    """A life with its end, as likely at any age, and its rest."""
    chance, share, wait = rng.random(), rng.random(), rng.exponential()
    dies = born + wait / cycle.deaths if cycle.deaths else math.inf
    return replace(life, dies=dies, rests=_between(RESTING, share) if chance < cycle.quiescent else None)

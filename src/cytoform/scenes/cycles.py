"""When the cells of a lineage divide: cell cycles drawn from a distribution, over several generations."""

from dataclasses import dataclass

import numpy as np

from cytoform.errors import InputError
from cytoform.scenes.request import SHORTEST_CYCLE

MOST_LIVES = 100_000


@dataclass(frozen=True)
class Cycle:
    """The time from a division to the next: log-normal, with its mean in frames and its standard deviation over the mean."""

    mean: float
    spread: float

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


def draw_lives(first: int, n_frames: int, cycle: Cycle, rng: np.random.Generator) -> tuple[Life, ...]:
    """All cells of a lineage that has one cell in frame `first`, mothers before daughters.

    Number 0 is the mother of that cell, which is number 1. How long ago she divided is drawn as in a population that
    grows steadily: an age, as a share a of the cycle, has the density 2 ln 2 · 2⁻ᵃ (Powell 1956, J. Gen. Microbiol. 15,
    492). Raises InputError for more cells than a scene can hold.
    """
    age = float(-np.log2(1 - rng.random() / 2))
    length = cycle.draw(rng)
    lives = [Life(0, None, first - age * length), Life(1, 0, first + (1 - age) * length)]
    mothers = lives[1:]
    while mothers:
        mother = mothers.pop(0)
        if mother.divides > n_frames - 1:
            continue
        daughters = [Life(len(lives) + i, mother.number, mother.divides + cycle.draw(rng)) for i in range(2)]
        lives += daughters
        mothers += daughters
        if len(lives) > MOST_LIVES:
            raise InputError(
                f"--cycle: over {MOST_LIVES} cells in {n_frames} frames; choose a longer one, or fewer --frames"
            )
    return tuple(lives)

"""A prior: a distribution of cells that never existed, as latent codes and, for some priors, further variables."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
from jaxtyping import Float, Int

from cytoform.errors import InputError

Given = Mapping[str, float]


@dataclass(frozen=True)
class DrawnCell:
    """One new cell: its code, and by name further variables that its prior draws (a size, say)."""

    code: Float[np.ndarray, " code"]
    variables: Mapping[str, Float[np.ndarray, "..."]] = field(default_factory=dict)


@dataclass(frozen=True)
class Drawn:
    """Several new cells: a code for each, and further variables by name with a first axis of the same length."""

    codes: Float[np.ndarray, "n code"]
    variables: Mapping[str, Float[np.ndarray, "n ..."]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.codes)

    def __getitem__(self, number: int) -> DrawnCell:
        return DrawnCell(
            self.codes[number], {name: np.asarray(values[number]) for name, values in self.variables.items()}
        )

    def __iter__(self) -> Iterator[DrawnCell]:
        return (self[number] for number in range(len(self)))


class Prior(ABC):
    """A distribution of new cells. A dataclass of arrays and numbers, so that a run can store it by their names."""

    conditions: ClassVar[frozenset[str]] = frozenset()  # names that `given` may hold
    # How many cells a search draws at once, to try the most promising: few, if a draw takes long.
    draws_at_once: ClassVar[int] = 4096

    def draw(self, n: int, rng: np.random.Generator, *, given: Given | None = None) -> Drawn:
        """`n` new cells; `given` fixes values that all of them share. Raises InputError for a name the prior does not know."""
        unknown = sorted(set(given or {}) - self.conditions)
        if unknown:
            known = ", ".join(sorted(self.conditions)) or "nothing"
            raise InputError(f"the prior {type(self).__name__} cannot be given {unknown[0]}; it can be given {known}")
        return self._draw(n, rng, given or {})

    @abstractmethod
    def _draw(self, n: int, rng: np.random.Generator, given: Given) -> Drawn:
        """`n` new cells, for values in `given` that the prior knows."""


def in_turn(n: int, n_learned: int, rng: np.random.Generator) -> Int[np.ndarray, " n"]:
    """`n` row numbers of learned cells: all of them in random order, then all again."""
    return np.concatenate([rng.permutation(n_learned) for _ in range(-(-n // n_learned))])[:n]

"""Daughters that look like their mother: random numbers of a cell that are correlated with the ones of her ancestors."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True)
class Inheritance:
    """The mother of each label that has one, and the correlation of a random number of a cell with her mother's."""

    mothers: Mapping[int, int] = field(default_factory=dict)
    correlation: float = 0.0

    def line(self, label: int) -> list[tuple[int, float]]:
        """A cell and her ancestors, with weights for independent numbers of unit variance.

        Squared weights sum to 1, so that all cells vary equally. Neighbours in the line correlate as asked, and cells that
        are n divisions apart by the n-th power of that.
        """
        line, carried = [], 1.0
        while (mother := self.mothers.get(label, 0)) and self.correlation:
            line.append((label, carried * float(np.sqrt(1 - self.correlation**2))))
            label, carried = mother, carried * self.correlation
        return [*line, (label, carried)]


ALONE = Inheritance()

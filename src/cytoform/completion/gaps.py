"""Which positions are unknown, which known ones lie around them, and which known ones can be hidden for a test.

A position is a frame along time, or a plane along z.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

T = TypeVar("T")


@dataclass(frozen=True)
class Gap:
    """An unknown position of a sequence, with up to two known positions on either side of it, ascending."""

    sequence: str
    position: float
    known: tuple[int, ...]

    @property
    def is_between(self) -> bool:
        """Whether known positions lie on both sides."""
        return self.known[0] < self.position < self.known[-1]

    @property
    def neighbours(self) -> tuple[int, int]:
        """The known positions just before and just after; the gap must lie between known ones."""
        after = int(np.searchsorted(self.known, self.position))
        return self.known[after - 1], self.known[after]

    @property
    def width(self) -> int:
        """Distance between the neighbours."""
        before, after = self.neighbours
        return after - before

    @property
    def nearest(self) -> int:
        """The nearest known position; of two, the one before."""
        return min(self.known, key=lambda one: (abs(one - self.position), one))


def gap_at(sequence: str, position: float, known: Sequence[int]) -> Gap:
    """The gap at a position that is not known; `known` is not empty and ascends."""
    after = int(np.searchsorted(known, position))
    return Gap(sequence, position, tuple(known[max(after - 2, 0) : after + 2]))


def hidden_gaps(sequence: str, known: Sequence[int], *, most: int, reach: int = 1) -> list[Gap]:
    """Known positions to hide, each with its `reach` - 1 neighbours on either side: the narrowest gaps, spread evenly."""
    gaps = [
        gap_at(sequence, known[number], [*known[: number - reach + 1], *known[number + reach :]])
        for number in range(reach, len(known) - reach)
    ]
    if not gaps:
        return []
    narrowest = min(gap.width for gap in gaps)
    return evenly([gap for gap in gaps if gap.width < 2 * narrowest], most)


def evenly(items: Sequence[T], most: int) -> list[T]:
    """At most this many of the items, spread evenly."""
    places = np.linspace(0, len(items) - 1, min(most, len(items))).round().astype(int)
    return [items[place] for place in places]

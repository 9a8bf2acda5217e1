"""Overlap and topology of masks: Jaccard index, Dice coefficient, components and Euler number."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool

from cytoform.shapes.components import components


def jaccard(a: Bool[np.ndarray, "..."], b: Bool[np.ndarray, "..."]) -> float:
    """|A∩B| / |A∪B|; 1 for two empty masks."""
    union = int(np.count_nonzero(a | b))
    return 1.0 if union == 0 else int(np.count_nonzero(a & b)) / union


def dice_of(jaccard_index: float) -> float:
    """Dice coefficient 2|A∩B| / (|A|+|B|), computed from the Jaccard index J as 2J / (1+J)."""
    return 2 * jaccard_index / (1 + jaccard_index)


@dataclass(frozen=True)
class Topology:
    """Connected components (26 neighbours) and Euler number: components - handles + cavities, so 1 for a ball.

    Of an image (8 neighbours), the Euler number is components - holes.
    """

    components: int
    euler: int


@dataclass(frozen=True)
class TopologyCounts:
    """Numbers of frames by components and by Euler number, in ascending order."""

    components: dict[int, int]
    euler: dict[int, int]

    @classmethod
    def of(cls, frames: Sequence[Topology]) -> "TopologyCounts":
        """Counts of some frames."""
        components, euler = Counter(each.components for each in frames), Counter(each.euler for each in frames)
        return cls(dict(sorted(components.items())), dict(sorted(euler.items())))

    @property
    def single_component_share(self) -> float:
        """Share of the frames that are in one piece."""
        return self.components.get(1, 0) / sum(self.components.values())


def topology(mask: Bool[np.ndarray, "*zyx"]) -> Topology:
    """Topology of one mask; an empty one has 0 components."""
    from skimage.measure import euler_number

    n = int(components(mask).max(initial=0))
    return Topology(n, int(euler_number(mask, connectivity=mask.ndim)))

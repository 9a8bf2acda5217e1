"""Images of grey values that were given in place of label images.

In label images nearly all neighbouring voxels of cells have the same value. In grey images, probability maps and
distance maps they differ, or the values lie inside each other like the contour lines of a mountain.
"""

from itertools import pairwise

import numpy as np

from cytoform.base.triples import Slices
from cytoform.movies.extents import LabelExtents
from cytoform.movies.movie import Labels

# Label images of cells reach 0.001, space-filling cells of four voxels across 0.25; noise has 0.8 and more.
MOST_DIFFERENT = 0.5
# Fewer neighbours prove nothing.
FEWEST_NEIGHBOURS = 500
# Nested labels happen by chance for two or three cells.
FEWEST_LEVELS, NESTED_SHARE = 4, 0.9


def grey_reason(labels: Labels, extents: LabelExtents) -> str:
    """Why the values of a frame cannot be labels; empty if they can."""
    if (share := different_neighbours(labels)) > MOST_DIFFERENT:
        return f"{100 * share:.0f} % of neighbouring voxels above 0 have different values"
    if is_nested(extents):
        return f"its {len(extents)} values lie inside each other, as levels of brightness do"
    return ""


def different_neighbours(labels: Labels) -> float:
    """The share of neighbours along x, both above 0, that have different values; 0 where there are few."""
    left, right = labels[..., :-1], labels[..., 1:]
    both = (left > 0) & (right > 0)
    n_both = int(np.count_nonzero(both))
    return int(np.count_nonzero(both & (left != right))) / n_both if n_both >= FEWEST_NEIGHBOURS else 0.0


def is_nested(extents: LabelExtents) -> bool:
    """Whether the boxes of the labels, in the order of their values, lie inside each other."""
    if len(extents) < FEWEST_LEVELS:
        return False
    boxes = [extents[label].box_zyx for label in sorted(extents)]
    pairs = list(pairwise(boxes))
    inwards = sum(_within(after, before) for before, after in pairs)
    outwards = sum(_within(before, after) for before, after in pairs)
    return max(inwards, outwards) >= NESTED_SHARE * len(pairs)


def _within(inner: Slices, outer: Slices) -> bool:
    return all(b.start <= a.start and a.stop <= b.stop for a, b in zip(inner, outer, strict=True))

"""Images of grey values that were given in place of label images.

In label images nearly all neighbouring voxels of cells have the same value. In grey images, probability maps and
distance maps they differ, or the values lie inside each other like the contour lines of a mountain, or each value is
scattered over the image. Labels that were resampled by interpolation have rims of values in between.
"""

from itertools import pairwise

import cc3d
import numpy as np

from cytoform.base.triples import Slices
from cytoform.movies.extents import LabelExtents
from cytoform.movies.movie import Labels

# Label images of cells reach 0.001, space-filling cells of four voxels across 0.25; noise has 0.8 and more.
MOST_DIFFERENT = 0.5
# Fewer neighbours prove nothing.
FEWEST_NEIGHBOURS = 500
# Nested labels and labels in pieces happen by chance for two or three cells.
FEWEST_LEVELS, NESTED_SHARE, SCATTERED_SHARE = 4, 0.9, 0.5
# Rims are wide, and nowhere three voxels thick in the plane. Cells of two voxels are not wide.
FEWEST_RIMS, RIM_SHARE, WIDE = 3, 0.5, 5
# Smaller labels cannot be told from specks.
FEWEST_VOXELS = 8


def grey_reason(labels: Labels, extents: LabelExtents) -> str:
    """Why the values of a frame cannot be labels; empty if they can."""
    if (share := different_neighbours(labels)) > MOST_DIFFERENT:
        return f"{100 * share:.0f} % of neighbouring voxels above 0 have different values"
    if is_nested(extents):
        return f"its {len(extents)} values lie inside each other, as levels of brightness do"
    if (share := scattered_labels(labels, extents)) >= SCATTERED_SHARE:
        return f"{100 * share:.0f} % of its {len(extents)} values are scattered in pieces"
    if (share := rims(labels, extents)) >= RIM_SHARE:
        return (
            f"{100 * share:.0f} % of its {len(extents)} values are thin rims, as in distance maps and labels resampled by "
            "interpolation"
        )
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


def scattered_labels(labels: Labels, extents: LabelExtents) -> float:
    """The share of labels without a connected piece of half of their voxels; 0 where there are few labels."""
    sizes = {label: extent.n_voxels for label, extent in extents.items() if extent.n_voxels >= FEWEST_VOXELS}
    if len(sizes) < FEWEST_LEVELS:
        return 0.0
    pieces = cc3d.connected_components(labels, connectivity=26)
    piece_sizes = np.bincount(pieces.ravel())
    label_of = np.zeros(len(piece_sizes), np.uint16)
    label_of[pieces] = labels
    largest = np.zeros(int(label_of.max()) + 1, np.int64)
    np.maximum.at(largest, label_of, piece_sizes)
    return sum(2 * largest[label] < size for label, size in sizes.items()) / len(sizes)


def rims(labels: Labels, extents: LabelExtents) -> float:
    """The share of labels that are wide but have no inside in any plane; 0 where there are few labels."""
    sizes = {label: extent.box_zyx for label, extent in extents.items() if extent.n_voxels >= FEWEST_VOXELS}
    if len(sizes) < FEWEST_RIMS:
        return 0.0
    middle = labels[:, 1:-1, 1:-1]
    inside = middle > 0
    for neighbours in (labels[:, :-2, 1:-1], labels[:, 2:, 1:-1], labels[:, 1:-1, :-2], labels[:, 1:-1, 2:]):
        inside &= middle == neighbours
    counts = np.bincount(middle[inside], minlength=int(labels.max()) + 1)
    is_wide = {label: all(side.stop - side.start >= WIDE for side in box[1:]) for label, box in sizes.items()}
    return sum(is_wide[label] and not counts[label] for label in sizes) / len(sizes)


def _within(inner: Slices, outer: Slices) -> bool:
    return all(b.start <= a.start and a.stop <= b.stop for a, b in zip(inner, outer, strict=True))

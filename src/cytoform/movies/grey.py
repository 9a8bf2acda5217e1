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
# Rims are wide in the plane, nowhere three voxels thick, and along other labels. Thin cells lie in the background.
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
    """The share of labels that are wide, thin, and all along another label; 0 where there are few labels."""
    boxes = {label: extent.box_zyx for label, extent in extents.items() if extent.n_voxels >= FEWEST_VOXELS}
    if len(boxes) < FEWEST_RIMS:
        return 0.0
    padded = np.pad(labels, 1, mode="edge")
    ends = (slice(None, -2), slice(2, None))
    plane = [padded[1:-1, end, 1:-1] for end in ends] + [padded[1:-1, 1:-1, end] for end in ends]
    along_z = [padded[end, 1:-1, 1:-1] for end in ends]
    inside_plane = np.logical_and.reduce([neighbour == labels for neighbour in plane])
    inside = inside_plane & (along_z[0] == labels) & (along_z[1] == labels)
    touches = np.logical_or.reduce([(neighbour > 0) & (neighbour != labels) for neighbour in plane + along_z])
    flat, solid, touching = (
        np.bincount(labels[where], minlength=int(labels.max()) + 1) for where in (inside_plane, inside, touches)
    )

    def is_rim(label: int) -> bool:
        depth, *sides = (side.stop - side.start for side in boxes[label])
        is_thin = not (solid if depth > 2 else flat)[label]
        return max(sides) >= WIDE and is_thin and 2 * int(touching[label]) >= extents[label].n_voxels

    return sum(is_rim(label) for label in boxes) / len(boxes)


def _within(inner: Slices, outer: Slices) -> bool:
    return all(b.start <= a.start and a.stop <= b.stop for a, b in zip(inner, outer, strict=True))

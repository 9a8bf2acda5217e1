"""Clean a mask before its surface is measured: fill enclosed holes and remove specks."""

from dataclasses import dataclass

import fill_voids
import numpy as np
from jaxtyping import Bool, Integer

from cytoform.shapes.components import components

# Pieces with a smaller share of their label's voxels are specks. Daughter cells are labels of their own, or far larger.
SPECK_SHARE = 0.01


@dataclass(frozen=True)
class CleanMask:
    """The union of some labels without holes and specks, and the number of holes and specks."""

    mask: Bool[np.ndarray, "*zyx"]
    n_holes: int
    n_specks: int
    # Voxels of all holes.
    n_filled: int = 0
    # Labels that lie in several pieces after the specks are gone.
    in_pieces: tuple[int, ...] = ()


def clean_mask(labels: Integer[np.ndarray, "*zyx"], members: tuple[int, ...]) -> CleanMask:
    """Remove the specks of each label in `members`, unite them, and fill the holes of the union.

    A speck is a piece (`components`) with less than 1 % of its label's voxels. A hole is background without a path through
    voxel faces to the outside. Cells are solid, so a hole is a segmentation error; its wall would count as surface.
    """
    mask = np.zeros(labels.shape, bool)
    n_specks = 0
    in_pieces = []
    for member in members:
        pieces = components(labels == member)
        sizes = np.bincount(pieces.ravel())
        sizes[0] = 0
        kept = sizes >= SPECK_SHARE * sizes.sum()
        kept[0] = False
        n_kept = int(kept.sum())
        n_specks += len(sizes) - 1 - n_kept
        if n_kept > 1:
            in_pieces.append(member)
        mask |= kept[pieces]
    filled = np.asarray(fill_voids.fill(mask)).astype(bool)
    holes = filled & ~mask
    n_holes = int(components(holes, faces_only=True).max()) if holes.any() else 0
    return CleanMask(filled, n_holes, n_specks, int(np.count_nonzero(holes)), tuple(in_pieces))

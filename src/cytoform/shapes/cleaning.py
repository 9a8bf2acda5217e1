"""What is put right in a mask before its surface is measured: enclosed holes and specks."""

from dataclasses import dataclass

import cc3d
import fill_voids
import numpy as np
from jaxtyping import Bool, Integer

# A piece of a label with a smaller share of its voxels is a speck. A daughter is a label of its own, or far larger.
SPECK_SHARE = 0.01


@dataclass(frozen=True)
class CleanMask:
    """The union of some labels without holes and specks, and how many of these there were."""

    mask: Bool[np.ndarray, "z y x"]
    n_holes: int
    n_specks: int


def clean_mask(labels: Integer[np.ndarray, "z y x"], members: tuple[int, ...]) -> CleanMask:
    """Unite `members`, drop the specks of each and fill what the union encloses.

    A speck is a piece (26-connected) with under 1 % of its label's voxels. A hole is background that no path through
    faces leads out of. Cells are full bodies: a hole is a fault of the segmentation, and its wall would count as
    surface.
    """
    mask = np.zeros(labels.shape, bool)
    n_specks = 0
    for member in members:
        pieces = cc3d.connected_components((labels == member).astype(np.uint8), connectivity=26)
        sizes = np.bincount(pieces.ravel())
        sizes[0] = 0
        kept = sizes >= SPECK_SHARE * sizes.sum()
        kept[0] = False
        n_specks += len(sizes) - 1 - int(kept.sum())
        mask |= kept[pieces]
    filled = np.asarray(fill_voids.fill(mask)).astype(bool)
    holes = filled & ~mask
    n_holes = int(cc3d.connected_components(holes.astype(np.uint8), connectivity=6).max()) if holes.any() else 0
    return CleanMask(filled, n_holes, n_specks)

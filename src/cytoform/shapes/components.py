"""Connected components of a mask."""

from typing import Literal

import cc3d
import numpy as np
from jaxtyping import Bool, Integer

# Neighbours of a voxel, and of a pixel: all, and those that share a face.
NEIGHBOURS: dict[int, Literal[26, 8]] = {3: 26, 2: 8}
BY_FACES: dict[int, Literal[6, 4]] = {3: 6, 2: 4}


def components(mask: Bool[np.ndarray, "*zyx"], *, faces_only: bool = False) -> Integer[np.ndarray, "*zyx"]:
    """Number of the component of each voxel, from 1; 0 outside. Voxels touch at faces, edges and corners, or at faces only."""
    if not mask.size:
        return np.zeros(mask.shape, np.uint16)
    neighbours = BY_FACES[mask.ndim] if faces_only else NEIGHBOURS[mask.ndim]
    return np.asarray(cc3d.connected_components(mask.astype(np.uint8), connectivity=neighbours))

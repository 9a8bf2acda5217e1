"""The cube that all sequences of a data set share, and its voxels."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from cytoform.base.triples import IntTriple
from cytoform.errors import InputError

MIN_SIZE, MAX_SIZE = 8, 1024


@dataclass(frozen=True)
class Grid:
    """An isotropic grid of `size`³ voxels over a cube of half-width `half_extent_um`.

    Voxel (k, j, i) has its centre at ((k, j, i) + 0.5) · spacing from the corner of the cube. The network sees the cube
    as Ω = [-1, 1]³ (paper section 2).
    """

    size: int
    half_extent_um: float

    def __post_init__(self) -> None:
        if not MIN_SIZE <= self.size <= MAX_SIZE:
            raise InputError(
                f"--grid {self.size}: a grid has {MIN_SIZE} to {MAX_SIZE} voxels a side; choose another size"
            )
        if not (np.isfinite(self.half_extent_um) and self.half_extent_um > 0):
            raise InputError(f"--half-extent {self.half_extent_um}: must be a positive number of micrometres")

    @property
    def spacing_um(self) -> float:
        """Side of a voxel."""
        return 2 * self.half_extent_um / self.size

    @property
    def shape(self) -> IntTriple:
        """Voxels along z, y and x."""
        return (self.size, self.size, self.size)

    @property
    def centres_um(self) -> Float[np.ndarray, " size"]:
        """Positions of the voxel centres along one axis, from the corner of the cube."""
        return (np.arange(self.size) + 0.5) * self.spacing_um

    def points_zyx_um(self) -> Float[np.ndarray, "n 3"]:
        """All voxel centres in C order. Takes 24 bytes per voxel: for small grids only."""
        axis = self.centres_um
        return np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), axis=-1).reshape(-1, 3)


def frame_times(n_frames: int) -> Float[np.ndarray, " frames"]:
    """Network times of `n_frames` frames, evenly spread from -1 to +1; a single frame has time -1."""
    if n_frames < 1:
        raise InputError(f"--frames {n_frames}: a sequence has at least one frame")
    return np.linspace(-1.0, 1.0, n_frames)

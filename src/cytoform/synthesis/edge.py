"""Whether a cell reaches the outermost voxels of a grid, seen without rendering it."""

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from cytoform.representations.bounds import Bounds
from cytoform.representations.parts.frame import PartsFrame
from cytoform.representations.representation import Frame
from cytoform.shapes.tubes import Tube

BLOCK = 8  # voxels a side of the blocks whose outermost voxels are looked at together


@dataclass(frozen=True)
class Edge:
    """The outermost voxels of a grid on Ω, in blocks."""

    voxels: Float[Tensor, "n dims"]  # centres
    block: Int[Tensor, " n"]  # of every voxel
    centres: Float[Tensor, "blocks dims"]
    radius: float  # from the centre of a block to its farthest voxel, at most
    half_width: float  # from the middle of the grid to the voxels
    turn: Float[Tensor, "dims dims"]  # from the axes of the grid to those of Ω

    @classmethod
    @lru_cache(maxsize=4)
    def of(cls, grid_size: int, n_dims: int) -> "Edge":
        """The edge of an upright grid."""
        indices = np.indices((grid_size,) * n_dims).reshape(n_dims, -1).T
        indices = indices[((indices == 0) | (indices == grid_size - 1)).any(axis=1)]
        voxels = (indices + 0.5) * (2 / grid_size) - 1
        _, block = np.unique(indices // BLOCK, axis=0, return_inverse=True)
        sums = np.stack([np.bincount(block, values) for values in voxels.T], axis=1)
        centres = sums / np.bincount(block)[:, None]
        radius = float(np.linalg.norm(voxels - centres[block], axis=1).max())
        return cls(
            torch.from_numpy(voxels).float(),
            torch.from_numpy(block),
            torch.from_numpy(centres).float(),
            radius,
            1 - 1 / grid_size,
            torch.eye(n_dims),
        )

    def turned(self, matrix: Float[Tensor, "dims dims"]) -> "Edge":
        """The edge of a grid that is turned: the point p lies at `matrix` p."""
        return replace(self, voxels=self.voxels @ matrix.T, centres=self.centres @ matrix.T, turn=matrix @ self.turn)

    def is_covered(self, frame: Frame, bounds: Bounds) -> bool:
        """Whether any of the voxels is inside, or a tube passes between them, where a finer grid would have some.

        `bounds` say how far from the surface none can be inside.
        """
        if isinstance(frame, PartsFrame) and any(self._is_reached(tube) for tube in frame.tubes):
            return True
        near = self._may_be_inside(frame, bounds)
        voxels = self.voxels[near[self.block]]
        return bool(len(voxels)) and bool((frame(voxels.to(frame.device)) <= 0).any())

    def _is_reached(self, tube: Tube) -> bool:
        line = np.abs(tube.line @ self.turn.double().numpy())
        return bool((line.max(axis=1) + tube.radii > self.half_width).any())

    def _may_be_inside(self, frame: Frame, bounds: Bounds) -> Bool[Tensor, " blocks"]:
        centres, reach = self.centres.to(frame.device), bounds.reach(self.radius)
        if not isinstance(frame, PartsFrame):
            return (frame(centres) <= reach).cpu()
        near = (frame.body(centres) <= reach + frame.fillet).cpu()
        for solid in frame.solids:
            low, high = torch.from_numpy(solid.bounds).float()
            outside = (low - self.centres).maximum(self.centres - high).clamp(min=0)
            near |= outside.norm(dim=1) <= self.radius + frame.fillet
        return near

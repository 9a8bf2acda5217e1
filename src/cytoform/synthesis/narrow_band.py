"""Where the surface is, found coarse to fine: only the voxels near it are ever evaluated.

A frame is cut into blocks of voxels. A block is skipped when the distance at its centre exceeds what the field can change
across it (slope bound times the reach of the block) plus the band that is wanted exactly; the others are halved, down to
single voxels. Then the surface is followed: wherever an evaluated voxel and a skipped neighbour disagree in sign, the
neighbour is evaluated too, until nothing disagrees. So a slope bound that is too small can only lose a piece of surface
that lies whole inside skipped blocks, far from every voxel that was looked at.

MISE (Mescheder et al. 2019) refines where corners disagree, which loses what is thinner than a cell; this search refines
by distance, which does not.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

COARSEST = 16  # voxels a side of the first blocks

Evaluate = Callable[[Float[Tensor, "n 3"]], Float[Tensor, " n"]]


@dataclass(frozen=True)
class Blocks:
    """Cubic blocks of `size`³ voxels, all inside the cell."""

    size: int
    corners_zyx: Int[Tensor, "n 3"]  # in units of `size` voxels


@dataclass(frozen=True)
class SparseFrame:
    """A frame known exactly near the surface and by sign elsewhere."""

    grid_size: int
    voxels_zyx: Int[Tensor, "n 3"]
    distances: Float[Tensor, " n"]  # units of the half extent
    inside_blocks: tuple[Blocks, ...]
    n_evaluated: int

    def volume(self, dtype: torch.dtype, *, inside: float, outside: float, voxels: Tensor) -> Tensor:
        """A dense volume: `outside`, but `inside` in blocks inside the cell and the values `voxels` near its surface."""
        padded = math.ceil(self.grid_size / COARSEST) * COARSEST
        volume = torch.full((padded,) * 3, outside, dtype=dtype, device=self.voxels_zyx.device)
        for blocks in self.inside_blocks:
            n, size = padded // blocks.size, blocks.size
            view = volume.view(n, size, n, size, n, size).permute(0, 2, 4, 1, 3, 5)
            view[tuple(blocks.corners_zyx.T)] = inside
        volume[tuple(self.voxels_zyx.T)] = voxels.to(dtype)
        return volume[: self.grid_size, : self.grid_size, : self.grid_size]


def voxel_centres(corners_zyx: Int[Tensor, "n 3"], size: int, grid_size: int) -> Float[Tensor, "n 3"]:
    """Centres (x, y, z) in Ω of blocks of `size` voxels; of the voxels themselves for size 1."""
    return ((corners_zyx.flip(1).float() + 0.5) * size) * (2 / grid_size) - 1


def search(evaluate: Evaluate, grid_size: int, *, slope: float, band: float, device: torch.device) -> SparseFrame:
    """Find a frame's voxels within `band` of the surface (units of the half extent) and the sign of all others."""
    size = COARSEST
    corners = _all_blocks(math.ceil(grid_size / size), device)
    inside_blocks: list[Blocks] = []
    n_evaluated = 0
    while True:
        distances = evaluate(voxel_centres(corners, size, grid_size))
        n_evaluated += len(corners)
        if size == 1:
            break
        reach = (size - 1) / 2 * math.sqrt(3) * (2 / grid_size)  # from the block's centre to its farthest voxel centre
        crossed = distances.abs() <= slope * reach + band
        inside_blocks.append(Blocks(size, corners[~crossed & (distances <= 0)]))
        size //= 2
        corners = _halve(corners[crossed], size, grid_size)
    found = SparseFrame(grid_size, corners, distances, tuple(inside_blocks), n_evaluated)
    return _follow_surface(evaluate, found)


def _all_blocks(n: int, device: torch.device) -> Int[Tensor, "blocks 3"]:
    axis = torch.arange(n, device=device)
    return torch.cartesian_prod(axis, axis, axis)


def _halve(corners: Int[Tensor, "n 3"], size: int, grid_size: int) -> Int[Tensor, "m 3"]:
    """The eight halves of each block, less those wholly outside the grid."""
    octants = _all_blocks(2, corners.device)
    halves = (2 * corners[:, None] + octants).reshape(-1, 3)
    if grid_size % COARSEST == 0:
        return halves
    return halves[(halves * size < grid_size).all(dim=1)]


def _follow_surface(evaluate: Evaluate, frame: SparseFrame) -> SparseFrame:
    """Evaluate skipped voxels whose sign disagrees with an evaluated neighbour, until there are none."""
    state = frame.volume(torch.int8, inside=1, outside=0, voxels=_state(frame.distances))
    voxels, distances, new, n_evaluated = [frame.voxels_zyx], [frame.distances], frame.voxels_zyx, frame.n_evaluated
    while len(new := _disagreeing(state, new, frame.grid_size)):
        voxels.append(new)
        distances.append(evaluate(voxel_centres(new, 1, frame.grid_size)))
        state[tuple(new.T)] = _state(distances[-1])
        n_evaluated += len(new)
    return SparseFrame(frame.grid_size, torch.cat(voxels), torch.cat(distances), frame.inside_blocks, n_evaluated)


def _state(distances: Float[Tensor, " n"]) -> Tensor:
    """Bit 0: inside; bit 1: evaluated."""
    return (distances <= 0).to(torch.int8) + 2


def _disagreeing(state: Tensor, voxels: Int[Tensor, "n 3"], grid_size: int) -> Int[Tensor, "m 3"]:
    """Skipped face neighbours of `voxels` whose sign is another than the voxel's."""
    steps = torch.cat([torch.eye(3, dtype=voxels.dtype), -torch.eye(3, dtype=voxels.dtype)]).to(voxels.device)
    found = []
    inside = state[tuple(voxels.T)] & 1
    for step in steps:
        neighbours = voxels + step
        within: Bool[Tensor, " n"] = ((neighbours >= 0) & (neighbours < grid_size)).all(dim=1)
        candidates = neighbours[within]
        states = state[tuple(candidates.T)]
        found.append(candidates[(states < 2) & (states != inside[within])])
    return torch.unique(torch.cat(found), dim=0)


def evaluate_all(evaluate: Evaluate, grid_size: int, *, band: float, device: torch.device) -> SparseFrame:
    """The plain way, slab by slab: every voxel is evaluated. The reference for `search`."""
    axis = torch.arange(grid_size, device=device)
    near, distances, inside = [], [], []
    for z in axis:
        voxels = torch.cartesian_prod(z[None], axis, axis)
        slab = evaluate(voxel_centres(voxels, 1, grid_size))
        is_near = slab.abs() <= band
        near.append(voxels[is_near])
        distances.append(slab[is_near])
        inside.append(voxels[~is_near & (slab < 0)])
    blocks = (Blocks(1, torch.cat(inside)),)
    return SparseFrame(grid_size, torch.cat(near), torch.cat(distances), blocks, grid_size**3)

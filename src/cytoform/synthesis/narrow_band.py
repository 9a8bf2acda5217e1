"""Where the surface is, found coarse to fine: only voxels near it are ever evaluated.

The field is evaluated on a coarse lattice of block centres, and then level by level on finer ones. Each level is first
predicted from the one before by cubic interpolation; a cell is evaluated unless its predicted distance exceeds all that
the field can differ from it across the cell, given the measured bounds on the field's slope and on errors of predictions.
The bounds also choose the levels: a smooth field is predicted in one step from blocks of four or eight voxels. At the
end the surface is followed: wherever neighbouring voxels differ in sign and one of them is only predicted, it is
evaluated too, until none is left. A bound that is too small can therefore only lose a piece of surface that lies wholly
among skipped cells, or beyond the box that the coarser levels found the cell to lie in.

MISE (Mescheder et al. 2019, Occupancy Networks) refines where the corners of a cell disagree, which loses parts thinner
than a cell; range analysis of the network (Sharp and Jacobson 2022) gives proven bounds that are too wide at this depth
to skip much. Bounds measured on the trained field are tight, and checked against the dense grid in the benchmarks.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations, pairwise

import numpy as np
import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from cytoform.base.triples import Ints
from cytoform.representations.bounds import NODES, Bounds, lagrange_weights
from cytoform.shapes.boundary import UNIT_BALLS

SIZES = (32, 16, 8, 4, 2)  # voxels a side of the cells of a lattice before the last
MARGIN = NODES // 2  # cells around the grid, and around the surface, that predictions near them take
SLAB = 2**16  # points of a slab, at least a plane
RADIUS = 0.5  # of the ball, in half extents, that plans are weighed on

Evaluate = Callable[[Float[Tensor, "n dims"]], Float[Tensor, " n"]]


@dataclass(frozen=True)
class Box:
    """Distances (units of the half extent) on a part of the grid; all voxels outside the box are outside the cell.

    They are exact within the band that was asked for; beyond it only their sign is.
    """

    grid_size: int
    corner_zyx: Ints
    distances: Float[Tensor, "*zyx"]
    n_evaluated: int


@dataclass(frozen=True)
class Level:
    """Cells of `size` voxels. They hold nothing within the band if their distance is larger than `reach`.

    `threshold` is the same for predicted distances: the reach plus the largest error of a prediction.
    """

    size: int
    reach: float
    threshold: float


@dataclass
class _Lattice:
    """Distances at the centres of cells of `size` voxels; `corner` counts such cells from the corner of the grid."""

    size: int
    corner: tuple[int, ...]
    distances: Float[Tensor, "*zyx"]


def search(
    evaluate: Evaluate, grid_size: int, *, bounds: Bounds, band: float, device: torch.device, n_dims: int = 3
) -> Box:
    """Distances within `band` (units of the half extent) of the surface, and the sign of every other voxel."""
    coarsest, *finer = plan_levels(bounds, band, grid_size, n_dims)
    if not finer:
        return evaluate_all(evaluate, grid_size, device=device, n_dims=n_dims)
    n_cells = math.ceil(grid_size / coarsest.size) + 2 * MARGIN
    lattice = _Lattice(coarsest.size, (-MARGIN,) * n_dims, torch.empty((n_cells,) * n_dims, device=device))
    exact = torch.ones_like(lattice.distances, dtype=torch.bool)
    n_evaluated = _evaluate_where(exact, lattice, evaluate, grid_size)
    for coarser, level in pairwise((coarsest, *finer)):
        lattice = _predict(lattice, coarser.reach, level.size, grid_size)
        exact = (lattice.distances <= level.threshold) & (lattice.distances >= -level.threshold)
        n_evaluated += _evaluate_where(exact, lattice, evaluate, grid_size)
    while n_doubtful := _evaluate_where(
        doubtful := _at_sign_change(lattice.distances) & ~exact, lattice, evaluate, grid_size
    ):
        n_evaluated += n_doubtful
        exact |= doubtful
    return Box(grid_size, lattice.corner, lattice.distances, n_evaluated)


def evaluate_all(evaluate: Evaluate, grid_size: int, *, device: torch.device, n_dims: int = 3) -> Box:
    """The plain way: every voxel, slab by slab. The reference for `search`."""
    lattice = _Lattice(1, (0,) * n_dims, torch.empty((grid_size,) * n_dims, device=device))
    n_planes = max(1, SLAB // grid_size ** (n_dims - 1))
    for first in range(0, grid_size, n_planes):
        slab = _Lattice(1, (first, *[0] * (n_dims - 1)), lattice.distances[first : first + n_planes])
        _evaluate_where(torch.ones_like(slab.distances, dtype=torch.bool), slab, evaluate, grid_size)
    return Box(grid_size, lattice.corner, lattice.distances, grid_size**n_dims)


@lru_cache(maxsize=64)
def plan_levels(bounds: Bounds, band: float, grid_size: int, n_dims: int = 3) -> tuple[Level, ...]:
    """The levels, coarsest to single voxels, that evaluate the fewest points by the bounds."""
    voxel = 2 / grid_size
    plans = [
        [
            _level(size, predicted_from, bounds, band, voxel, n_dims)
            for predicted_from, size in zip((None, *coarser), (*coarser, 1), strict=True)
        ]
        for n in range(len(SIZES) + 1)
        for coarser in combinations(SIZES, n)
    ]
    return min(map(tuple, plans), key=lambda levels: _n_points(levels, grid_size, n_dims))


def _level(size: int, predicted_from: int | None, bounds: Bounds, band: float, voxel: float, n_dims: int) -> Level:
    # From the centre of a cell to the centres of its outermost voxels.
    reach = band + bounds.reach(math.sqrt(n_dims) / 2 * (size - 1) * voxel)
    return Level(size, reach, reach + (bounds.misprediction(predicted_from * voxel) if predicted_from else 0.0))


def _n_points(levels: tuple[Level, ...], grid_size: int, n_dims: int) -> float:
    """About how many points a plan evaluates: all of the first lattice, then a shell around a ball."""
    coarsest, *finer = levels
    n = float((math.ceil(grid_size / coarsest.size) + (2 * MARGIN if finer else 0)) ** n_dims)
    for level in finer:
        outer, inner = RADIUS + level.threshold, max(RADIUS - level.threshold, 0)
        shell = UNIT_BALLS[n_dims] * (outer**n_dims - inner**n_dims)
        whole = (2 + 2 * MARGIN * level.size * 2 / grid_size) ** n_dims
        n += min(shell, whole) / (level.size * 2 / grid_size) ** n_dims
    return n


def _evaluate_where(where: Bool[Tensor, "*zyx"], lattice: _Lattice, evaluate: Evaluate, grid_size: int) -> int:
    """Replace predicted distances by exact ones; return how many."""
    cells_zyx = _cells(where)
    if not len(cells_zyx[0]):
        return 0
    width = lattice.size * 2 / grid_size
    centres_xyz = [
        ((torch.arange(n, device=where.device) + first + 0.5) * width - 1)[cells]
        for n, first, cells in zip(where.shape, lattice.corner, cells_zyx, strict=True)
    ][::-1]
    lattice.distances[cells_zyx] = evaluate(torch.stack(centres_xyz).T)
    return len(centres_xyz[0])


def _cells(where: Bool[Tensor, "*zyx"]) -> tuple[Int64[Tensor, " n"], ...]:
    """Indices of the true cells. On a CPU NumPy finds them in a third of PyTorch's time."""
    if where.device.type != "cpu":
        return where.nonzero(as_tuple=True)
    found = np.flatnonzero(where.numpy())
    return tuple(torch.from_numpy(axis) for axis in np.unravel_index(found, where.shape))


def _predict(lattice: _Lattice, reach: float, size: int, grid_size: int) -> _Lattice:
    """Interpolate cells of `size` in the box of all that are inside or within `reach`, and in a margin around it."""
    margin = 0 if size == 1 else MARGIN
    n_cells = math.ceil(grid_size / size)
    factor = lattice.size // size
    near = lattice.distances <= reach
    corner, distances = [], lattice.distances
    for axis in range(near.ndim):
        first, n = lattice.corner[axis], near.shape[axis]
        cells = torch.movedim(near, axis, 0).flatten(1).any(dim=1).nonzero().flatten().tolist() or [0, -1]
        low = max(factor * (first + cells[0]) - margin, -margin)
        high = max(min(factor * (first + cells[-1] + 1) + margin, n_cells + margin), low)
        weights = _weights(n, factor, range(low - factor * first, high - factor * first)).to(distances.device)
        distances = torch.tensordot(
            distances, weights, dims=([0], [1])
        )  # rolls the axes: after all of them they are back
        corner.append(low)
    return _Lattice(size, tuple(corner), distances.contiguous())


def _weights(n: int, factor: int, cells: range) -> Float[Tensor, "cells n"]:
    """Weights of `n` coarse cells for finer `cells`, `factor` to a coarse one, counted from the first."""
    nodes = min(NODES, n)
    positions = (np.array(cells) + 0.5) / factor - 0.5
    first = np.clip(np.floor(positions).astype(int) - 1, 0, n - nodes)
    weights = np.zeros((len(cells), n), np.float32)
    columns = first[:, None] + np.arange(nodes)
    np.put_along_axis(weights, columns, lagrange_weights(positions - first, nodes), axis=1)
    return torch.from_numpy(weights)


def _at_sign_change(distances: Float[Tensor, "*zyx"]) -> Bool[Tensor, "*zyx"]:
    """Voxels with a face neighbour on the other side of the surface."""
    inside = distances <= 0
    found = torch.zeros_like(inside)
    for axis in range(inside.ndim):
        n = inside.shape[axis]
        if n > 1:
            changes = inside.narrow(axis, 1, n - 1) != inside.narrow(axis, 0, n - 1)
            found.narrow(axis, 1, n - 1).logical_or_(changes)
            found.narrow(axis, 0, n - 1).logical_or_(changes)
    return found

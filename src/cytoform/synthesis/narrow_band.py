"""Where the surface is, found coarse to fine: only voxels near it are ever evaluated.

The field is evaluated on a coarse lattice of block centres, and then level by level on one twice as fine. Each level is
first predicted from the one before by trilinear interpolation; a cell is evaluated unless its predicted distance exceeds
all that the field can differ from it across the cell, given the measured bounds on the field's slope and bend. At the end
the surface is followed: wherever neighbouring voxels differ in sign and one of them is only predicted, it is evaluated
too, until none is left. A bound that is too small can therefore only lose a piece of surface that lies wholly among
skipped cells, or beyond the box that the coarser levels found the cell to lie in.

MISE (Mescheder et al. 2019, Occupancy Networks) refines where the corners of a cell disagree, which loses what is thinner
than a cell; range analysis of the network (Sharp and Jacobson 2022) gives proven bounds that are too wide at this depth
to skip much. Bounds measured on the trained field are tight, and checked against the dense grid in the benchmarks.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn.functional import interpolate

from cytoform.model.bounds import Bounds

COARSEST = 16  # voxels a side of the cells of the first lattice
# From the centre of a cell to those of its eight halves, and the weighted mean distance from such a centre to the eight
# coarser ones that predict it, both in widths of the coarser cell.
OWN_REACH, MEAN_REACH = math.sqrt(3) / 4, 0.66

Evaluate = Callable[[Float[Tensor, "n 3"]], Float[Tensor, " n"]]


@dataclass(frozen=True)
class Box:
    """Distances (units of the half extent) on a part of the grid; whatever lies outside the box is outside the cell.

    They are exact within the band that was asked for; beyond it only their sign is.
    """

    grid_size: int
    corner_zyx: tuple[int, int, int]
    distances: Float[Tensor, "z y x"]
    n_evaluated: int


@dataclass
class _Lattice:
    """Distances at the centres of cells of `size` voxels; `corner` counts such cells from the corner of the grid."""

    size: int
    corner: tuple[int, ...]
    distances: Float[Tensor, "z y x"]

    def crop(self, low: Sequence[int], high: Sequence[int]) -> "_Lattice":
        """The cells from `low` up to `high`, counted from the corner of the grid."""
        shape = self.distances.shape
        start = [min(max(wanted - have, 0), n) for wanted, have, n in zip(low, self.corner, shape, strict=True)]
        end = [
            max(min(wanted - have, n), s) for wanted, have, n, s in zip(high, self.corner, shape, start, strict=True)
        ]
        part = self.distances[tuple(slice(s, e) for s, e in zip(start, end, strict=True))]
        return _Lattice(self.size, tuple(c + s for c, s in zip(self.corner, start, strict=True)), part)


def search(evaluate: Evaluate, grid_size: int, *, bounds: Bounds, band: float, device: torch.device) -> Box:
    """Distances within `band` (units of the half extent) of the surface, and the sign of every other voxel."""
    size = COARSEST
    n_cells = math.ceil(grid_size / size) + 2  # and one more around the grid, to predict its border from
    lattice = _Lattice(size, (-1, -1, -1), torch.empty((n_cells,) * 3, device=device))
    exact = torch.ones_like(lattice.distances, dtype=torch.bool)
    n_evaluated = _evaluate_where(exact, lattice, evaluate, grid_size)
    while size > 1:
        lattice = _halve(_around(lattice, _threshold(size, bounds, band, grid_size)), grid_size)
        size = lattice.size
        exact = lattice.distances.abs() <= _threshold(size, bounds, band, grid_size)
        n_evaluated += _evaluate_where(exact, lattice, evaluate, grid_size)
    while (doubtful := _at_sign_change(lattice.distances) & ~exact).any():
        n_evaluated += _evaluate_where(doubtful, lattice, evaluate, grid_size)
        exact |= doubtful
    z, y, x = lattice.corner
    return Box(grid_size, (z, y, x), lattice.distances, n_evaluated)


def evaluate_all(evaluate: Evaluate, grid_size: int, *, device: torch.device) -> Box:
    """The plain way: every voxel, plane by plane. The reference for `search`."""
    lattice = _Lattice(1, (0, 0, 0), torch.empty((grid_size,) * 3, device=device))
    for z in range(grid_size):
        plane = lattice.crop((z, 0, 0), (z + 1, grid_size, grid_size))
        _evaluate_where(torch.ones_like(plane.distances, dtype=torch.bool), plane, evaluate, grid_size)
    return Box(grid_size, (0, 0, 0), lattice.distances, grid_size**3)


def _threshold(size: int, bounds: Bounds, band: float, grid_size: int) -> float:
    """Cells of `size` voxels whose predicted distance is larger hold nothing within the band."""
    width = 2 / grid_size
    threshold = band + _misprediction(bounds, 2 * width)
    for cell in range(1, int(math.log2(size)) + 1):
        width *= 2
        threshold += OWN_REACH * bounds.slope * width
        if 2**cell < COARSEST:  # the coarsest are evaluated, not predicted
            threshold += _misprediction(bounds, 2 * width) - _misprediction(bounds, width)
    return threshold


def _misprediction(bounds: Bounds, width: float) -> float:
    """Largest error of a trilinear prediction from cells of `width`."""
    return min(bounds.bend * width**2, MEAN_REACH * bounds.slope * width)


def _evaluate_where(where: Bool[Tensor, "z y x"], lattice: _Lattice, evaluate: Evaluate, grid_size: int) -> int:
    """Replace predicted distances by exact ones; return how many."""
    cells = where.nonzero()
    corner = torch.tensor(lattice.corner, device=cells.device)
    centres = ((cells + corner).flip(1).float() + 0.5) * (lattice.size * 2 / grid_size) - 1
    lattice.distances[where] = evaluate(centres)
    return len(cells)


def _around(lattice: _Lattice, threshold: float) -> _Lattice:
    """The box of cells that are inside or near the surface, and one cell around it."""
    cells = (lattice.distances <= threshold).nonzero()
    if not len(cells):
        return lattice.crop(lattice.corner, lattice.corner)
    low, high = (cells.amin(dim=0) - 1).tolist(), (cells.amax(dim=0) + 2).tolist()
    return lattice.crop(
        [a + c for a, c in zip(low, lattice.corner, strict=True)],
        [b + c for b, c in zip(high, lattice.corner, strict=True)],
    )


def _halve(lattice: _Lattice, grid_size: int) -> _Lattice:
    """Predict the lattice of half the size, up to one cell beyond the grid (single voxels: up to its border)."""
    size = lattice.size // 2
    corner = tuple(2 * c for c in lattice.corner)
    distances = lattice.distances
    if distances.numel():
        # Every cell falls into eight whose centres lie a quarter of its width away: exactly this interpolation.
        distances = interpolate(distances[None, None], scale_factor=2, mode="trilinear", align_corners=False)[0, 0]
    margin = 0 if size == 1 else 1
    return _Lattice(size, corner, distances).crop([-margin] * 3, [math.ceil(grid_size / size) + margin] * 3)


def _at_sign_change(distances: Float[Tensor, "z y x"]) -> Bool[Tensor, "z y x"]:
    """Voxels with a face neighbour on the other side of the surface."""
    inside = distances <= 0
    found = torch.zeros_like(inside)
    for axis in range(3):
        n = inside.shape[axis]
        if n > 1:
            changes = inside.narrow(axis, 1, n - 1) != inside.narrow(axis, 0, n - 1)
            found.narrow(axis, 1, n - 1).logical_or_(changes)
            found.narrow(axis, 0, n - 1).logical_or_(changes)
    return found

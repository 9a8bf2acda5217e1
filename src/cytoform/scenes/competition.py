"""Cells compete for space: where their distance fields overlap, each keeps its number of voxels.

Every cell has a signed distance field and a pressure (µm) that moves its surface outwards. A voxel belongs to the cell
with the smallest distance minus pressure, if that is not above zero. Pressures are such that every cell keeps its number
of voxels. Between cells of equal pressure the border is equally far from both undeformed surfaces: a power diagram with
cells in place of points (Aurenhammer 1987, SIAM J. Comput. 16, 78).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32, Integer

from cytoform.base.triples import Ints, Slices, ints
from cytoform.errors import InputError
from cytoform.shapes.components import components

# Largest error of a size, as a share of the whole cell, and in voxels of a small one.
TOLERANCE, FEW_VOXELS = 0.03, 3
# Pressures are solved until all sizes are this close, as a share and in voxels, or for so many rounds.
CLOSE, CLOSE_VOXELS, ROUNDS = 0.005, 2, 150
# The first rounds go beyond the pressure that is right beside the present neighbours (over-relaxation).
BEYOND, FIRST_ROUNDS = 1.4, 50
# Rounds of taking loose pieces from cells.
FRAGMENTS = 4
# Distance that ties are broken by, µm a voxel from the centre of a cell; and the share of it along a direction of its own.
GRAIN_UM, ASLANT = 0.02, 0.1
FAR_UM = 1e4

Region = tuple[Bool[np.ndarray, "*zyx"], Float32[np.ndarray, "*zyx"]]


@dataclass(eq=False)
class Competitor:
    """A cell and its field on a box of the scene, with the number of voxels and of pieces that it keeps there."""

    number: int
    corner_zyx: Ints
    sdf_um: Float32[np.ndarray, "*zyx"]
    n_voxels: int
    # With the part beyond open borders; errors are shares of this.
    n_whole: int
    n_pieces: int = 1
    # For each side of its box along each axis, 1 where the field ends there at an open border.
    is_open: tuple[tuple[int, int], ...] = ()
    pressure_um: float = 0.0

    @property
    def ends_zyx(self) -> Ints:
        """One beyond the last voxel of its box."""
        return ints(np.add(self.corner_zyx, self.sdf_um.shape))

    @property
    def moved_um(self) -> Float32[np.ndarray, "*zyx"]:
        """Its field with the surface moved outwards by the pressure."""
        return self.sdf_um - np.float32(self.pressure_um)

    def pieces(self, mine: Bool[np.ndarray, "*zyx"]) -> tuple[Integer[np.ndarray, "*zyx"], Integer[np.ndarray, " n"]]:
        """The number of the piece of each voxel, and the size of each number; pieces may be joined beyond open borders."""
        wide = np.pad(mine, self.is_open or 0, constant_values=True)
        inner = tuple(slice(low, n - high) for (low, high), n in zip(self.is_open, wide.shape, strict=False))
        found = np.where(mine, components(wide)[inner], 0)
        n_voxels = np.bincount(found.ravel())
        n_voxels[0] = 0
        return found, n_voxels

    def fragments(self, mine: Bool[np.ndarray, "*zyx"]) -> Bool[np.ndarray, "*zyx"]:
        """The voxels of all but the `n_pieces` largest pieces."""
        found, n_voxels = self.pieces(mine)
        if (n_voxels > 0).sum() <= self.n_pieces:
            return np.zeros(mine.shape, bool)
        return mine & np.isin(found, np.argsort(-n_voxels, kind="stable")[self.n_pieces :])

    def break_ties(self) -> None:
        """Change the field by a grain, so that each voxel has its own pressure at which it goes from one cell to another.

        Where two fields are equally deep, or mirror images, many voxels go over at once, and no pressure parts them.
        """
        places = np.moveaxis(np.indices(self.sdf_um.shape, np.float32), 0, -1)
        offsets = places - places[self.sdf_um <= self.sdf_um.min() / 2].mean(axis=0)
        aslant = offsets @ np.random.default_rng(self.number).normal(size=offsets.shape[-1])
        self.sdf_um += np.float32(GRAIN_UM) * (np.linalg.norm(offsets, axis=-1) + ASLANT * aslant).astype(np.float32)

    def shared(self, other: "Competitor") -> tuple[Slices, Slices]:
        """The part of the scene in both boxes, as a part of each."""
        low = np.maximum(self.corner_zyx, other.corner_zyx)
        high = np.maximum(np.minimum(self.ends_zyx, other.ends_zyx), low)
        mine, its = (
            tuple(slice(l - c, h - c) for l, h, c in zip(low, high, cell.corner_zyx, strict=True))
            for cell in (self, other)
        )
        return mine, its


class Competition:
    """Solves the pressures of cells, so that each keeps its number of voxels (pixels)."""

    def __init__(self, cells: Sequence[Competitor], *, gap_um: float = 0.0, covers: bool = False) -> None:
        self.cells = cells
        self.gap_um = np.float32(gap_um)
        # Where cells cover the field, the nearest cell takes a voxel however far it is.
        self.outermost_um = np.float32(FAR_UM if covers else 0)
        self.near: list[list[tuple[Slices, Slices, int]]] = [[] for _ in cells]
        for one, two in pairs_of_boxes([cell.corner_zyx for cell in cells], [cell.ends_zyx for cell in cells]):
            mine, its = cells[one].shared(cells[two])
            self.near[one].append((mine, its, two))
            self.near[two].append((its, mine, one))

    def settled(self, frame: int) -> list[Region]:
        """The voxels of every cell, which overlap with no other's, and are as many and in as few pieces as asked for.

        Raises InputError for a cell that finds no room.
        """
        regions = self._settle()
        if self._first_wrong([int(mine.sum()) for mine, _ in regions]) is not None:
            for cell in self.cells:
                cell.break_ties()
            regions = self._settle()
        sizes = [int(mine.sum()) for mine, _ in regions]
        if (wrong := self._first_wrong(sizes)) is not None:
            raise InputError(
                f"too crowded: in frame {frame} a cell of {self.cells[wrong].n_voxels} voxels finds room for {sizes[wrong]}; "
                "choose fewer --cells, a larger --size or a smaller --contact, or --confluence, which makes all cells smaller"
            )
        return regions

    def _settle(self) -> list[Region]:
        """The voxels of every cell at the pressures that fit best, in as few pieces as asked for."""
        for _ in range(FRAGMENTS):
            self._solve()
            regions = [self._region(number) for number in range(len(self.cells))]
            fragments = [cell.fragments(mine) for cell, (mine, _) in zip(self.cells, regions, strict=True)]
            if not any(each.any() for each in fragments):
                break
            for cell, loose in zip(self.cells, fragments, strict=True):
                cell.sdf_um[loose] = 2 * FAR_UM  # for good
        return [(mine & ~loose, field) for (mine, field), loose in zip(regions, fragments, strict=True)]

    def _first_wrong(self, sizes: Sequence[int]) -> int | None:
        """The number of the first cell that has too few or too many voxels."""
        for number, (cell, n) in enumerate(zip(self.cells, sizes, strict=True)):
            if abs(n - cell.n_voxels) > max(TOLERANCE * cell.n_whole, FEW_VOXELS):
                return number
        return None

    def _solve(self) -> None:
        """Gauss-Seidel: each cell in turn gets the pressure that is right beside the present ones of its neighbours.

        With n voxels to keep it is the n-th smallest of the pressures at which the cell would take each voxel.
        """
        for n_done in range(ROUNDS):
            is_solved = True
            for number, cell in enumerate(self.cells):
                needed = cell.sdf_um - np.minimum(self._rivals(number) - self.gap_um, self.outermost_um)
                if abs(int((needed <= cell.pressure_um).sum()) - cell.n_voxels) <= max(
                    CLOSE * cell.n_voxels, CLOSE_VOXELS
                ):
                    continue
                is_solved = False
                rank = min(cell.n_voxels, needed.size) - 1
                wanted = float(np.partition(needed, rank, axis=None)[rank])
                cell.pressure_um += (BEYOND if n_done < FIRST_ROUNDS else 1) * (wanted - cell.pressure_um)
            if is_solved:
                return

    def _rivals(self, number: int) -> Float32[np.ndarray, "*zyx"]:
        """The smallest field of all other cells, on the box of a cell."""
        least = np.full(self.cells[number].sdf_um.shape, FAR_UM, np.float32)
        for mine, its, other in self.near[number]:
            rival = self.cells[other]
            np.minimum(least[mine], rival.sdf_um[its] - np.float32(rival.pressure_um), out=least[mine])
        return least

    def _region(self, number: int) -> Region:
        """The voxels of a cell, and its field: halfway between it and its rivals, where these are near."""
        cell, rivals = self.cells[number], self._rivals(number)
        moved = cell.moved_um
        mine = (moved <= self.outermost_um) & (moved <= rivals - self.gap_um)
        for part, its, other in self.near[number]:
            if other < number:  # a voxel that is equally far belongs to the first
                mine[part] &= moved[part] < self.cells[other].moved_um[its]
        return mine, np.maximum(moved - self.outermost_um, (moved - rivals + self.gap_um) / 2)


def pairs_of_boxes(lows: Sequence[Ints | np.ndarray], highs: Sequence[Ints | np.ndarray]) -> list[tuple[int, int]]:
    """Pairs of boxes that overlap."""
    if not lows:
        return []
    low, high = np.array(lows), np.array(highs)
    meet = ((low[:, None] < high[None]) & (low[None] < high[:, None])).all(axis=2)
    return [(int(one), int(two)) for one, two in np.argwhere(np.triu(meet, 1))]

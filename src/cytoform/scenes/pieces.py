"""Assign the connected pieces of a family to cells by tracking backwards in time.

Forwards it is unknown whether two pieces will join again. Backwards it is clear: two cells that share a piece have not
yet divided. A piece that splits off and joins again therefore never becomes a cell of its own.
"""

from dataclasses import dataclass, replace

import cc3d
import numpy as np
from jaxtyping import Float, Integer

from cytoform.base.triples import Ints, ints
from cytoform.shapes.box import BoxedField
from cytoform.shapes.cleaning import SPECK_SHARE
from cytoform.shapes.components import NEIGHBOURS

# In the last frame a piece with a smaller share of the family's voxels is a fragment of a cell.
DAUGHTER_SHARE = 0.05


@dataclass(frozen=True)
class Pieces:
    """The connected pieces of one shape, labelled from 1 on in a box of the grid; without specks."""

    corner_zyx: Ints
    labels: Integer[np.ndarray, "*zyx"]
    n_voxels: Integer[np.ndarray, " pieces"]
    # In voxels of the grid.
    centroids_zyx: Float[np.ndarray, "pieces dims"]

    @property
    def n(self) -> int:
        """Number of pieces."""
        return len(self.n_voxels)


@dataclass(frozen=True)
class Member:
    """One cell of a family, from shape `first` to shape `last`; `parent` is the number of its mother."""

    number: int
    first: int
    last: int
    parent: int | None = None


def find_pieces(shape: BoxedField) -> Pieces:
    """The pieces with at least 1 % of the voxels."""
    if shape.is_empty:
        return Pieces(
            ints(shape.corner_zyx),
            shape.inside.astype(np.uint8),
            np.empty(0, np.int64),
            np.empty((0, shape.grid.n_dims)),
        )
    found = cc3d.connected_components(np.ascontiguousarray(shape.inside), connectivity=NEIGHBOURS[shape.grid.n_dims])
    statistics = cc3d.statistics(found, no_slice_conversion=True)
    n_voxels = np.array(statistics["voxel_counts"], np.int64)
    n_voxels[0] = 0
    kept = (n_voxels > 0) & (n_voxels >= SPECK_SHARE * n_voxels.sum())
    number = np.where(kept, np.cumsum(kept), 0).astype(np.uint8 if kept.sum() < 256 else np.uint32)
    centroids_zyx = np.asarray(statistics["centroids"], float)[kept] + shape.corner_zyx
    return Pieces(ints(shape.corner_zyx), number[found], n_voxels[kept], centroids_zyx)


class Follower:
    """Tracks the cells of a family from its last shape to its first.

    Without `divides` all pieces of all shapes are one cell.
    """

    def __init__(self, n_shapes: int, *, divides: bool) -> None:
        self._at = n_shapes
        self._divides = divides
        self._members: list[Member] = []
        # Pieces of the shape that comes next in time, and their cells.
        self._later: tuple[Pieces, Integer[np.ndarray, " pieces"]] | None = None

    @property
    def members(self) -> tuple[Member, ...]:
        """The cells found so far, by number."""
        return tuple(self._members)

    def step_back(self, pieces: Pieces) -> Integer[np.ndarray, " pieces"]:
        """Add the shape before the last one added; return the cell number of each of its pieces."""
        self._at -= 1
        if not self._divides:
            owners = self._all_one(pieces)
        elif self._later is None:
            owners = self._at_the_end(pieces)
        else:
            owners = self._earlier(pieces, *self._later)
        for number in set(owners.tolist()):
            self._members[number] = replace(self._members[number], first=self._at)
        self._later = pieces, owners
        return owners

    def _new(self) -> int:
        self._members.append(Member(len(self._members), self._at, self._at))
        return len(self._members) - 1

    def _all_one(self, pieces: Pieces) -> Integer[np.ndarray, " pieces"]:
        if not self._members:
            self._new()
        return np.zeros(pieces.n, int)

    def _at_the_end(self, pieces: Pieces) -> Integer[np.ndarray, " pieces"]:
        cells = pieces.n_voxels >= DAUGHTER_SHARE * pieces.n_voxels.sum()
        owners = np.array([self._new() if cell else -1 for cell in cells])
        return _with_nearest(owners, pieces)

    def _earlier(
        self, pieces: Pieces, later: Pieces, owners: Integer[np.ndarray, " later"]
    ) -> Integer[np.ndarray, " pieces"]:
        """Cells that share a piece get a mother; a piece without a cell joins the nearest piece with one."""
        claims: dict[int, list[int]] = {}
        shared = shared_voxels(pieces, later)
        for member in sorted(set(owners.tolist())):
            overlaps = shared[:, owners == member].sum(axis=1)
            centroid = np.average(
                later.centroids_zyx[owners == member], axis=0, weights=later.n_voxels[owners == member]
            )
            nearest = np.linalg.norm(pieces.centroids_zyx - centroid, axis=1).argmin()
            claims.setdefault(int(overlaps.argmax() if overlaps.any() else nearest), []).append(member)
        before = np.full(pieces.n, -1)
        for piece, members in claims.items():
            before[piece] = members[0] if len(members) == 1 else self._mother(members)
        return _with_nearest(before, pieces)

    def _mother(self, daughters: list[int]) -> int:
        number = self._new()
        for daughter in daughters:
            self._members[daughter] = replace(self._members[daughter], parent=number)
        return number


def shared_voxels(first: Pieces, second: Pieces) -> Integer[np.ndarray, "first second"]:
    """Number of voxels that each piece of one shape shares with each piece of another."""
    shared = np.zeros((first.n + 1, second.n + 1), int)
    low = np.maximum(first.corner_zyx, second.corner_zyx)
    high = np.minimum(np.add(first.corner_zyx, first.labels.shape), np.add(second.corner_zyx, second.labels.shape))
    if (low < high).all():
        a, b = (
            pieces.labels[tuple(slice(l - c, h - c) for l, h, c in zip(low, high, pieces.corner_zyx, strict=True))]
            for pieces in (first, second)
        )
        both = (a > 0) & (b > 0)
        np.add.at(shared, (a[both], b[both]), 1)
    return shared[1:, 1:]


def _with_nearest(owners: Integer[np.ndarray, " pieces"], pieces: Pieces) -> Integer[np.ndarray, " pieces"]:
    """Give pieces without an owner (-1) the owner of the nearest owned piece."""
    owned = np.flatnonzero(owners >= 0)
    complete = owners.copy()
    for piece in np.flatnonzero(owners < 0):
        away = np.linalg.norm(pieces.centroids_zyx[owned] - pieces.centroids_zyx[piece], axis=1)
        complete[piece] = owners[owned[away.argmin()]]
    return complete

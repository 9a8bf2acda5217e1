"""Protrusions as numbers: each with its branches over its whole life, so that one can be moved, mixed and drawn anew.

A unit is a protrusion or a branch. Its centre line is given by its tangents, as angles from an axis at the root: low
polynomials of arc length and of time. Its length, its root and its axis change over an explicit window of time, outside
which there is nothing. Points are (x, y, z) in the cube Ω = [-1, 1]³, in images (x, y) in a square; there a tangent has one
angle. Lengths are in half extents of the cube, and times are shares of the learned movie: 0 is its first frame, 1 its last.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from typing import ClassVar

import numpy as np
from jaxtyping import Float, Int

from cytoform.protrusions.rows import Rows

# Values of the length over a window, of the radius along a line, and orders of the angles along a line and over time.
PHASES, PLACES, ALONG, OVER = 10, 5, 6, 5
LARGEST = 1e4  # of all numbers of a unit
CUT = 1e-3  # frames that a window reaches beyond a movie that cuts it off
STOPS = 41  # places along a line where its tangents are evaluated


@dataclass(frozen=True)
class Units(Rows):
    """The protrusions of one cell, parents before their branches. Some of its rows keep the numbers of their parents."""

    WHOLE: ClassVar[tuple[str, ...]] = ("parent",)

    parent: Int[np.ndarray, " n"]  # row of the parent; -1: it starts on the body
    window: Float[np.ndarray, "n 2"]  # it is born and gone; before 0 or after 1 where the movie cuts it off
    root: Float[np.ndarray, "n 2 dims"]  # near the body's surface, at both ends of the window
    axis: Float[np.ndarray, "n 2 dims"]  # unit vectors, the normal of the body; unused for branches
    across: Float[np.ndarray, "n dims"]  # unit vector, not along the axis: where angles are counted from
    at: Float[np.ndarray, " n"]  # arc length along the parent where a branch starts
    length: Float[np.ndarray, " n"]  # the largest
    growth: Float[np.ndarray, "n phases"]  # length at equal times in the window, as a share of the largest
    radii: Float[np.ndarray, "n places"]  # at equal places from the root to the largest length
    angles: Float[np.ndarray, "n angles along over"]  # coefficients of Legendre polynomials, in rad

    @classmethod
    def shapes(cls, n_dims: int) -> dict[str, tuple[int, ...]]:
        return {
            "parent": (),
            "window": (2,),
            "root": (2, n_dims),
            "axis": (2, n_dims),
            "across": (n_dims,),
            "at": (),
            "length": (),
            "growth": (PHASES,),
            "radii": (PLACES,),
            "angles": (n_dims - 1, ALONG, OVER),
        }

    def are_sound(self) -> bool:
        """Whether parents stand before branches, windows have a length, and no size is negative or too large."""
        sizes = np.concatenate([self.length[:, None], self.growth, self.radii, self.at[:, None]], axis=1)
        return bool(
            (self.parent >= -1).all()
            and (self.parent < np.arange(len(self))).all()
            and (self.window[:, 0] < self.window[:, 1]).all()
            and (sizes >= 0).all()
            and max(np.abs(getattr(self, each.name)).max(initial=0) for each in fields(self)) <= LARGEST
        )

    def families(self) -> Iterator[Int[np.ndarray, " family"]]:
        """Rows of each protrusion on the body with all its branches, itself first."""
        top = np.arange(len(self))
        for row in np.flatnonzero(self.parent >= 0):
            top[row] = top[self.parent[row]]
        for row in np.flatnonzero(self.parent < 0):
            yield np.flatnonzero(top == row)


def joined(parts: Sequence[Units], n_dims: int = 3) -> Units:
    """Units of several lists as one, with the numbers of parents moved."""
    if not parts:
        return Units.none(n_dims)
    starts = np.cumsum([0, *(len(each) for each in parts)])
    moved = [
        replace(each, parent=np.where(each.parent < 0, -1, each.parent + start))
        for each, start in zip(parts, starts, strict=False)
    ]
    return Units(*(np.concatenate([getattr(each, f.name) for each in moved]) for f in fields(Units)))


def basis(shares: Float[np.ndarray, " n"], phases: Float[np.ndarray, " n"]) -> Float[np.ndarray, "n terms"]:
    """Products of Legendre polynomials of the share of the length and of the phase of the window, both in [0, 1]."""
    from numpy.polynomial.legendre import legvander

    along = legvander(2 * np.clip(shares, 0, 1) - 1, ALONG - 1)
    over = legvander(2 * np.clip(phases, 0, 1) - 1, OVER - 1)
    return np.einsum("ni,nj->nij", along, over).reshape(len(along), -1)


def local_frame(
    axis: Float[np.ndarray, "n dims"], across: Float[np.ndarray, "n dims"]
) -> Float[np.ndarray, "n dims dims"]:
    """Orthonormal rows: the axis, the part of `across` at right angles to it, and in 3D one at right angles to both."""
    axis = axis / np.maximum(np.linalg.norm(axis, axis=1, keepdims=True), 1e-9)
    first = across - np.sum(across * axis, axis=1, keepdims=True) * axis
    first /= np.maximum(np.linalg.norm(first, axis=1, keepdims=True), 1e-9)
    return np.stack([axis, first, *_THIRD[axis.shape[1]](axis, first)], axis=1)


# The directions at right angles to two others, by the number of dimensions.
_THIRD: dict[int, Callable[[np.ndarray, np.ndarray], list[np.ndarray]]] = {
    3: lambda axis, first: [np.cross(axis, first)],
    2: lambda axis, first: [],
}


def turned(
    angles: Float[np.ndarray, "n k angles"], frames: Float[np.ndarray, "n dims dims"]
) -> Float[np.ndarray, "n k dims"]:
    """Unit tangents of angles in local frames: the inverse of `angles_of`."""
    size = np.linalg.norm(angles, axis=2, keepdims=True)
    local = np.concatenate([np.cos(size), np.sinc(size / np.pi) * angles], axis=2)
    return np.asarray(local @ frames)

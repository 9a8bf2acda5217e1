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

from cytoform.protrusions.curves import Curve
from cytoform.protrusions.parts import PartsOfSequence
from cytoform.protrusions.rows import Rows
from cytoform.protrusions.tracks import Track

# Values of the length over a window, of the radius along a line, and orders of the angles along a line and over time.
PHASES, PLACES, ALONG, OVER = 10, 5, 6, 5
# Weight of the penalty on angles, in samples: higher orders need more evidence.
RIDGE = 0.1
LARGEST = 1e4  # of all numbers of a unit
CUT = 1e-3  # frames that a window reaches beyond a movie that cuts it off
FLARE_RADII = 2.0  # length of the widened part of a protrusion at its root
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


def units_of(parts: PartsOfSequence, half_extent_um: float) -> Units:
    """The protrusions of a sequence as units, fitted to the curves of their tracks."""
    rows: dict[int, int] = {}
    found = []
    for track in parts.tracks:
        if track.parent is not None and track.parent not in rows:
            continue
        found.append(_fit(track, parts, half_extent_um, rows.get(track.parent or 0, -1)))
        rows[track.label] = len(found) - 1
    if not found:
        return Units.none(len(parts.frames[0].centre_zyx_um))
    return Units(*(np.concatenate([getattr(each, f.name) for each in found]) for f in fields(Units)))


def _fit(track: Track, parts: PartsOfSequence, half_extent_um: float, parent: int) -> Units:
    """One unit; its parent is a row of all units."""
    frames = np.array(sorted(track.curves))
    curves = [_in_cube(track.curves[frame], half_extent_um) for frame in frames]
    lengths = np.array([curve.length_um for curve in curves])
    (birth, end), growth = _life(frames, lengths, parts.n_frames)
    phases = (frames - birth) / max(end - birth, 1e-9)
    root = line_in_time(phases, np.stack([c.line_zyx_um[0] for c in curves]))
    axis = line_in_time(phases, np.stack([c.normal_zyx for c in curves]))
    axis /= np.maximum(np.linalg.norm(axis, axis=1, keepdims=True), 1e-9)
    across = np.eye(axis.shape[1])[int(np.argmin(np.abs(axis.mean(axis=0))))]
    longest = float(lengths.max())
    span = max(parts.n_frames - 1, 1)
    values = (
        parent,
        np.array([birth, end]) / span,
        root,
        axis,
        across,
        np.mean([c.at_um for c in curves]),
        longest,
        growth / longest,
        _radii(curves, longest),
        _angles(curves, phases, axis, across, longest),
    )
    return Units(*(np.asarray(value)[None] for value in values))


def _in_cube(curve: Curve, half_extent_um: float) -> Curve:
    """The curve with points (x, y, z) in Ω and lengths in half extents."""
    return Curve(
        curve.line_zyx_um[:, ::-1] / half_extent_um - 1,
        curve.radii_um / half_extent_um,
        curve.normal_zyx[::-1],
        curve.parent,
        curve.at_um / half_extent_um,
    )


def _life(
    frames: Int[np.ndarray, " n"], lengths: Float[np.ndarray, " n"], n_frames: int
) -> tuple[tuple[float, float], Float[np.ndarray, " phases"]]:
    """When the unit is born and gone, in frames, and its length at equal times between.

    It grows from nothing, and withdraws, at the speed at which its length changes: in at most one frame beyond those in
    which it is seen. Where the movie begins or ends with it, its window reaches beyond the movie.
    """
    speed = max(float(np.abs(np.diff(lengths)).max(initial=0)), float(lengths.max()) / 6)
    times, values = frames.astype(float), lengths
    if frames[0] > 0:
        times = np.concatenate([[times[0] - min(1.0, max(lengths[0] / speed, 0.2))], times])
        values = np.concatenate([[0.0], values])
    else:
        times, values = np.concatenate([[-CUT], times]), np.concatenate([values[:1], values])
    if frames[-1] < n_frames - 1:
        times = np.concatenate([times, [times[-1] + min(1.0, max(lengths[-1] / speed, 0.2))]])
        values = np.concatenate([values, [0.0]])
    else:
        times, values = np.concatenate([times, [times[-1] + CUT]]), np.concatenate([values, values[-1:]])
    birth, end = float(times[0]), float(times[-1])
    return (birth, end), np.interp(np.linspace(birth, end, PHASES), times, values)


def line_in_time(phases: Float[np.ndarray, " n"], values: Float[np.ndarray, "n dims"]) -> Float[np.ndarray, "2 dims"]:
    """Values at phases 0 and 1 of the straight line through values at `phases`; the mean of fewer than four."""
    middle = values.mean(axis=0)
    if len(phases) < 4:
        return np.stack([middle, middle])
    offsets = phases - phases.mean()
    slope = offsets @ (values - middle) / max(float(offsets @ offsets), 1e-9)
    return np.stack([middle - phases.mean() * slope, middle + (1 - phases.mean()) * slope])


def _radii(curves: list[Curve], longest: float) -> Float[np.ndarray, " places"]:
    """Median radius near each place, over all curves that reach it."""
    # Near the body a protrusion widens into it, which the union of both does anew.
    kept = [(c.arc_um > FLARE_RADII * c.radius_um) | (c.parent is not None) for c in curves]
    kept = [each if each.any() else np.ones(len(each), bool) for each in kept]
    shares = np.concatenate([c.arc_um[k] / longest for c, k in zip(curves, kept, strict=True)])
    values = np.concatenate([c.radii_um[k] for c, k in zip(curves, kept, strict=True)])
    places = np.linspace(0, 1, PLACES)
    nearest = np.abs(shares[:, None] - places).argmin(axis=1)
    found = np.array([np.median(values[nearest == n]) if (nearest == n).any() else np.nan for n in range(PLACES)])
    known = np.isfinite(found)
    return np.interp(places, places[known], found[known])


def _angles(
    curves: list[Curve],
    phases: Float[np.ndarray, " n"],
    axis: Float[np.ndarray, "2 dims"],
    across: Float[np.ndarray, " dims"],
    longest: float,
) -> Float[np.ndarray, "angles along over"]:
    """Coefficients of the angles by least squares, with a penalty on high orders."""
    rows, values = [], []
    for curve, phase in zip(curves, phases, strict=True):
        if len(curve.arc_um) < 3:
            continue
        tangents = np.gradient(curve.line_zyx_um, curve.arc_um, axis=0)
        tangents /= np.maximum(np.linalg.norm(tangents, axis=1, keepdims=True), 1e-9)
        # A branch is turned from its parent's direction, which changes from frame to frame.
        middle = curve.normal_zyx if curve.parent is not None else (1 - phase) * axis[0] + phase * axis[1]
        frame = local_frame(middle[None], across[None])[0]
        rows.append(basis(curve.arc_um / longest, np.full(len(curve.arc_um), phase)))
        values.append(_logarithm(tangents @ frame.T))
    coefficients = np.zeros((len(across) - 1, ALONG, OVER))
    if rows:
        design, wanted = np.concatenate(rows), np.concatenate(values)
        orders = np.add.outer(np.arange(ALONG) ** 2, 2 * np.arange(OVER) ** 2).ravel()
        normal = design.T @ design + RIDGE * np.diag(orders + 1e-3)
        coefficients = np.linalg.solve(normal, design.T @ wanted).T.reshape(coefficients.shape)
    return coefficients


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


def _logarithm(tangents: Float[np.ndarray, "n dims"]) -> Float[np.ndarray, "n angles"]:
    """Angles towards the other directions of a frame that turn its first into each tangent."""
    aside = np.linalg.norm(tangents[:, 1:], axis=1)
    angle = np.arctan2(aside, tangents[:, 0])
    return tangents[:, 1:] * (angle / np.maximum(aside, 1e-9))[:, None]


def turned(
    angles: Float[np.ndarray, "n k angles"], frames: Float[np.ndarray, "n dims dims"]
) -> Float[np.ndarray, "n k dims"]:
    """Unit tangents of angles in local frames: the inverse of `_logarithm`."""
    size = np.linalg.norm(angles, axis=2, keepdims=True)
    local = np.concatenate([np.cos(size), np.sinc(size / np.pi) * angles], axis=2)
    return np.asarray(local @ frames)

"""Units fitted to the curves of tracks."""

from dataclasses import dataclass, fields, replace

import numpy as np
from jaxtyping import Float, Int

from cytoform.protrusions.curves import Curve
from cytoform.protrusions.parts import PartsOfSequence
from cytoform.protrusions.tracks import Track
from cytoform.protrusions.tubes import Points, angles_at, between, centre_line, interpolated
from cytoform.protrusions.units import ALONG, CUT, OVER, PHASES, PLACES, STOPS, Units, basis, local_frame

# Weight of the penalty on angles, in samples: higher orders need more evidence.
RIDGE = 0.1
FLARE_RADII = 2.0  # length of the widened part of a protrusion at its root
# A unit begins beside its curve: its root moves evenly, and a branch follows its parent. So many radii on it is on the curve.
REACH_RADII = 3.0
# A root, and the direction there.
Foot = tuple[Float[np.ndarray, " dims"], Float[np.ndarray, " dims"]]


@dataclass(frozen=True)
class _Fitted:
    """A unit of one row, with the unit that it branches from."""

    unit: Units
    parent: "_Fitted | None"
    span: int  # frames from the first of the movie to its last

    def phases(self, frames: Int[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
        """Shares of the window that have passed."""
        birth, end = self.unit.window[0] * self.span
        return np.clip((frames - birth) / max(end - birth, 1e-9), 0, 1)

    def foot(self, frame: int) -> Foot:
        """Root and direction there; of a branch on the centre line of its parent, where `tubes.grown_at` puts it too."""
        if self.parent is None:
            phase = self.phases(np.array([frame]))
            return between(self.unit.root, phase)[0], between(self.unit.axis, phase)[0]
        points, tangents = self.parent._line(frame)
        place = np.clip(float(self.unit.at[0]) / float(self.parent.unit.length[0]), 0, 1) * (STOPS - 1)
        return interpolated(points, place), interpolated(tangents, place)

    def _line(self, frame: int) -> tuple[Points, Points]:
        angles = angles_at(self.unit, np.array([0]), self.phases(np.array([frame])))
        return centre_line(self.unit, 0, angles[0], *self.foot(frame))


def units_of(parts: PartsOfSequence, half_extent_um: float) -> Units:
    """The protrusions of a sequence as units, fitted to the curves of their tracks."""
    rows: dict[int, int] = {}
    found: list[_Fitted] = []
    for track in parts.tracks:
        if track.parent is not None and track.parent not in rows:
            continue
        row = -1 if track.parent is None else rows[track.parent]
        found.append(_fit(track, parts, half_extent_um, row, found[row] if row >= 0 else None))
        rows[track.label] = len(found) - 1
    if not found:
        return Units.none(len(parts.frames[0].centre_zyx_um))
    return Units(*(np.concatenate([getattr(each.unit, f.name) for each in found]) for f in fields(Units)))


def _fit(track: Track, parts: PartsOfSequence, half_extent_um: float, row: int, parent: _Fitted | None) -> _Fitted:
    """One unit. `row` is the row of its parent among all units, or -1."""
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
        row,
        np.array([birth, end]) / span,
        root,
        axis,
        across,
        np.mean([c.at_um for c in curves]),
        longest,
        growth / longest,
        _radii(curves, longest),
        np.zeros((len(across) - 1, ALONG, OVER)),
    )
    straight = _Fitted(Units(*(np.asarray(value)[None] for value in values)), parent, span)
    feet = [straight.foot(frame) for frame in frames.tolist()]
    angles = _angles(curves, phases, feet, across, longest)
    return replace(straight, unit=replace(straight.unit, angles=angles[None]))


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
    feet: list[Foot],
    across: Float[np.ndarray, " dims"],
    longest: float,
) -> Float[np.ndarray, "angles along over"]:
    """Coefficients of the angles by least squares, with a penalty on high orders; `feet` are the roots and axes of the unit."""
    rows, values = [], []
    for curve, phase, (root, axis) in zip(curves, phases, feet, strict=True):
        if len(curve.arc_um) < 3:
            continue
        # From the root of the unit the line leads to the curve.
        reach = max(min(REACH_RADII * curve.radius_um, curve.length_um), 1e-9)
        fading = np.clip(1 - curve.arc_um / reach, 0, 1)[:, None]
        line = curve.line_zyx_um + fading * (root - curve.line_zyx_um[0])
        tangents = np.gradient(line, curve.arc_um, axis=0)
        tangents /= np.maximum(np.linalg.norm(tangents, axis=1, keepdims=True), 1e-9)
        frame = local_frame(axis[None], across[None])[0]
        rows.append(basis(curve.arc_um / longest, np.full(len(curve.arc_um), phase)))
        values.append(angles_of(tangents @ frame.T))
    coefficients = np.zeros((len(across) - 1, ALONG, OVER))
    if rows:
        design, wanted = np.concatenate(rows), np.concatenate(values)
        orders = np.add.outer(np.arange(ALONG) ** 2, 2 * np.arange(OVER) ** 2).ravel()
        normal = design.T @ design + RIDGE * np.diag(orders + 1e-3)
        coefficients = np.linalg.solve(normal, design.T @ wanted).T.reshape(coefficients.shape)
    return coefficients


def angles_of(tangents: Float[np.ndarray, "n dims"]) -> Float[np.ndarray, "n angles"]:
    """Angles towards the other directions of a frame that turn its first into each tangent."""
    aside = np.linalg.norm(tangents[:, 1:], axis=1)
    angle = np.arctan2(aside, tangents[:, 0])
    return tangents[:, 1:] * (angle / np.maximum(aside, 1e-9))[:, None]

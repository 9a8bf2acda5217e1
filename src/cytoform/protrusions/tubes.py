"""Units as tubes at one time, on a body."""

from collections.abc import Callable, Sequence

import numpy as np
from jaxtyping import Float, Int

from cytoform.protrusions.units import ALONG, OVER, PHASES, PLACES, STOPS, Units, basis, local_frame, turned
from cytoform.shapes.boundary import UNIT_BALLS
from cytoform.shapes.tubes import Tube

Points = Float[np.ndarray, "n dims"]
# From points near the surface of the body to the nearest points on it.
OnSurface = Callable[[Points], Points]
# How deep a tube begins below the surface of the body, in radii, so that it is joined to the body wherever it is.
DEPTH_RADII = 2.6
BELOW = 2  # points of a tube below the surface
# A branch withdraws while the tip of its parent comes nearer to its root than so many of its own radii.
ROOM_RADII = 3.0


def tubes_at(units: Units, time: float, on_surface: OnSurface) -> list[Tube]:
    """The tubes of all units at a time, a share of the learned movie; points and lengths in Ω."""
    return list(grown_at(units, time, on_surface).values())


def grown_at(units: Units, time: float, on_surface: OnSurface) -> dict[int, Tube]:
    """The tube of every unit that is there at a time, by the unit's row, parents before their branches."""
    alive = np.flatnonzero((units.window[:, 0] < time) & (time < units.window[:, 1]))
    if not len(alive):
        return {}
    phases = np.clip((time - units.window[:, 0]) / np.diff(units.window, axis=1)[:, 0], 0, 1)
    lengths = _length_at(units, phases)
    on_body = alive[units.parent[alive] < 0]
    starts = dict(zip(on_body.tolist(), on_surface(between(units.root[on_body], phases[on_body])), strict=True))
    axes = dict(zip(on_body.tolist(), between(units.axis[on_body], phases[on_body]), strict=True))
    angles = dict(zip(alive.tolist(), angles_at(units, alive, phases[alive]), strict=True))
    lines: dict[int, tuple[Points, Points, float]] = {}
    tubes = {}
    for row in alive.tolist():  # parents come first
        length = float(lengths[row])
        parent = int(units.parent[row])
        if parent < 0:
            start, axis = starts[row], axes[row]
        elif parent in lines:
            points, tangents, reached = lines[parent]
            room = reached - float(units.at[row])
            if room <= 0:
                continue
            length *= _smoothstep(room / (ROOM_RADII * float(units.radii[row].mean())))
            place = np.clip(float(units.at[row]) / float(units.length[parent]), 0, 1) * (STOPS - 1)
            start, axis = (interpolated(values, place) for values in (points, tangents))
        else:
            continue
        if length <= 0:
            continue
        points, tangents = centre_line(units, row, angles[row], start, axis)
        lines[row] = points, tangents, length
        tubes[row] = _tube(units, row, points, axis, length, below=parent < 0)
    return tubes


def volume(units: Units, time: float) -> float:
    """Volume of all units at a time outside the body, taken as straight tubes, in cubed half extents; in images their area."""
    if not len(units):
        return 0.0
    phases = np.clip((time - units.window[:, 0]) / np.diff(units.window, axis=1)[:, 0], 0, 1)
    is_alive = (units.window[:, 0] < time) & (time < units.window[:, 1])
    lengths = np.where(is_alive, _length_at(units, phases), 0)
    shares = lengths[:, None] / np.maximum(units.length, 1e-9)[:, None] * np.linspace(0, 1, 9)
    radii = np.stack([np.interp(s, np.linspace(0, 1, PLACES), r) for s, r in zip(shares, units.radii, strict=True)])
    across = units.n_dims - 1
    return float(np.sum(UNIT_BALLS[across] * np.mean(radii**across, axis=1) * lengths))


def centre_of(tubes: Sequence[Tube], n_dims: int = 3) -> Float[np.ndarray, " dims"]:
    """Centroid of tubes by their volume; the centre of the cube without any."""
    total, moment, across = 0.0, np.zeros(n_dims), n_dims - 1
    for tube in tubes:
        steps = np.linalg.norm(np.diff(tube.line, axis=0), axis=1)
        volumes = steps * (tube.radii[1:] ** across + tube.radii[:-1] ** across) / 2
        total += float(volumes.sum())
        moment += volumes @ (tube.line[1:] + tube.line[:-1]) / 2
    return moment / total if total > 0 else moment


def _length_at(units: Units, phases: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    """Lengths at phases of the windows, linear between the values that are kept."""
    place = phases * (PHASES - 1)
    low = np.clip(place.astype(int), 0, PHASES - 2)
    share, rows = place - low, np.arange(len(units))
    growth = (1 - share) * units.growth[rows, low] + share * units.growth[rows, low + 1]
    return np.asarray(growth * units.length)


def angles_at(
    units: Units, rows: Int[np.ndarray, " n"], phases: Float[np.ndarray, " n"]
) -> Float[np.ndarray, "n stops angles"]:
    """Angles of some units at phases of their windows, at STOPS equal arc lengths."""
    shares = np.linspace(0, 1, STOPS)
    terms = basis(np.tile(shares, len(rows)), np.repeat(phases, STOPS)).reshape(len(rows), STOPS, -1)
    coefficients = units.angles[rows].reshape(len(rows), -1, ALONG * OVER)
    return np.asarray(terms @ coefficients.transpose(0, 2, 1))


def centre_line(
    units: Units,
    row: int,
    angles: Float[np.ndarray, "stops angles"],
    start: Float[np.ndarray, " dims"],
    axis: Float[np.ndarray, " dims"],
) -> tuple[Points, Points]:
    """Points and tangents of a unit at STOPS equal arc lengths up to its largest length."""
    tangents = turned(angles[None], local_frame(axis[None], units.across[row][None]))[0]
    steps = (tangents[1:] + tangents[:-1]) / 2 * (float(units.length[row]) / (STOPS - 1))
    return start + np.concatenate([np.zeros((1, units.n_dims)), np.cumsum(steps, axis=0)]), tangents


def _tube(
    units: Units, row: int, points: Points, axis: Float[np.ndarray, " dims"], length: float, *, below: bool
) -> Tube:
    """The part of a centre line that has grown, ending a radius before its length, since the tip is round."""
    longest = float(units.length[row])
    radii = units.radii[row]
    tip = float(np.interp(length / longest, np.linspace(0, 1, PLACES), radii))
    grown = max(length - tip, 0.1 * length)
    stops = np.linspace(0, grown, max(int(np.ceil(grown / longest * (STOPS - 1))), 1) + 1)
    line = np.stack([np.interp(stops, np.linspace(0, longest, STOPS), places) for places in points.T], axis=1)
    along = np.interp(stops / longest, np.linspace(0, 1, PLACES), radii)
    # A thin tip that has hardly grown does not stick out of the body.
    along = np.minimum(along, max(length, 1e-6))
    if below:
        depth = DEPTH_RADII * along[0]
        line = np.vstack([line[0] - depth * axis, line[0] - depth / 2 * axis, line])
        along = np.concatenate([np.repeat(along[0], BELOW), along])
    return Tube(line, along)


def between(values: Float[np.ndarray, "n 2 dims"], phases: Float[np.ndarray, " n"]) -> Points:
    return (1 - phases)[:, None] * values[:, 0] + phases[:, None] * values[:, 1]


def interpolated(values: Points, place: float) -> Float[np.ndarray, " dims"]:
    low = min(int(place), len(values) - 2)
    return np.asarray((1 - (place - low)) * values[low] + (place - low) * values[low + 1])


def _smoothstep(value: float) -> float:
    share = min(max(value, 0.0), 1.0)
    return share * share * (3 - 2 * share)

"""Cells with filopodia that sprout, grow, bend, branch and retract."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float

from cytoform.movies.lineage import Track
from cytoform.simulate.analytic import smooth_union
from cytoform.simulate.cell import Part, Time
from cytoform.simulate.parameters import DEPTH
from cytoform.simulate.polyhedron import Polyhedron, globe
from cytoform.simulate.randomness import Drift, Warp, smoothstep
from cytoform.simulate.tubes import Tube, tubes_distance_um

Place = Callable[[Float[np.ndarray, "n 3"]], Float[np.ndarray, "n 3"]]

FILLET_UM = 0.25
STEP_UM = 0.05
BRANCH_RADIUS = 0.85  # of the mother's radius there


@dataclass(frozen=True)
class Filopodium:
    """One filopodium or branch: when it lives, how long it grows, which way it bends. Times are in s, lengths in µm."""

    birth_s: float
    end_s: float
    growing_s: float
    length_um: float
    radius_um: float  # at the root
    tip_radius_um: float  # once full grown
    across: Float[np.ndarray, " 3"]  # fixes which way it bends
    # Bends around two directions: in rad over its length, and a wave on top that sways slowly.
    bends: Float[np.ndarray, "2"]
    waves: Float[np.ndarray, "2"]
    wavelength_um: float
    phases: Float[np.ndarray, "2"]
    sway_s: float
    # On the body: the direction of the root and how much the filopodium leans over.
    root: Float[np.ndarray, " 3"]
    lean: Float[np.ndarray, " 3"]
    # On another filopodium: how far up, and the angle between them in rad.
    at_um: float = 0.0
    angle: float = 0.0
    branches: "tuple[Filopodium, ...]" = ()

    def extension(self, time_s: float) -> float:
        """Share of its length that is out: grows, stays, withdraws."""
        return smoothstep((time_s - self.birth_s) / self.growing_s) * smoothstep((self.end_s - time_s) / self.growing_s)


@dataclass(frozen=True)
class FilopodialBody:
    """A cell with its filopodia at one time: body and tubes joined by small fillets."""

    body: Polyhedron
    tubes: list[Tube]
    label: int = 1
    steepness: float = 1.25

    @cached_property
    def bounds_zyx_um(self) -> Float[np.ndarray, "2 3"]:
        """Box around the cell; fillets stay within a fillet's width of it."""
        boxes = [self.body.bounds_zyx_um, *(tube.bounds_zyx_um for tube in self.tubes)]
        return np.stack([np.min([b[0] for b in boxes], axis=0), np.max([b[1] for b in boxes], axis=0)])

    @property
    def lines_zyx_um(self) -> list[Float[np.ndarray, "_ 3"]]:
        """Centre lines of the filopodia."""
        return [tube.line_zyx_um for tube in self.tubes]

    def distance_um(self, points_zyx_um: Float[np.ndarray, "n 3"]) -> Float[np.ndarray, " n"]:
        """Signed distance: that of a polyhedron and of round cones, exact outside but for the fillets."""
        body = self.body.distance_um(points_zyx_um)
        tubes = tubes_distance_um(self.tubes, points_zyx_um, enough_um=body + FILLET_UM)
        return smooth_union(body, tubes, FILLET_UM)


@dataclass(frozen=True)
class FilopodiaCell:
    """A cell with filopodia: `parts(frame)` and `distance_um(points, frame)` at any time."""

    n_frames: int
    time_step_s: float
    volume_um3: float
    irregularity: float
    flatness: Float[np.ndarray, "3 3"]  # the body before warping is a ball stretched by this matrix
    filopodia: tuple[Filopodium, ...]
    warp: Warp
    drift: Drift

    @property
    def tracks(self) -> tuple[Track, ...]:
        """One cell all the time."""
        return (Track(1, 0, self.n_frames - 1, 0),)

    def parts(self, frame: Time) -> list[Part]:
        """The cell."""
        return [self.at(frame)]

    def distance_um(self, points_zyx_um: Float[np.ndarray, "n 3"], frame: Time) -> Float[np.ndarray, " n"]:
        """Signed distance in the cell's own coordinates."""
        return self.at(frame).distance_um(points_zyx_um)

    def at(self, frame: Time) -> FilopodialBody:
        """Body and filopodia at a time; what is in the filopodia is missing in the body."""
        time_s = frame * self.time_step_s
        radius = (3 * self.volume_um3 / (4 * np.pi)) ** (1 / 3)
        alive = [f for f in self.filopodia if f.birth_s < time_s < f.end_s]
        outside = sum(_volume_outside_um3(f, time_s, depth_um=DEPTH * f.radius_um) for f in alive)

        def place(directions: Float[np.ndarray, "n 3"]) -> Float[np.ndarray, "n 3"]:
            flat = directions @ self.flatness
            return radius * (flat + self.irregularity * self.warp.shift(flat, time_s)) + self.drift.at(time_s)

        template = globe()
        loose = Polyhedron(place(template.vertices_zyx_um), template.faces)
        middle = self.drift.at(time_s)
        body = loose.resized(self.volume_um3 - outside, middle)
        scale = (body.volume_um3 / loose.volume_um3) ** (1 / 3)
        tubes: list[Tube] = []
        for filopodium in alive:
            point, normal = _surface_at(place, filopodium.root)
            heading = normal + filopodium.lean - (filopodium.lean @ normal) * normal
            grown = filopodium.extension(time_s)
            depth = DEPTH * filopodium.radius_um
            start = middle + scale * (point - middle) - depth * normal
            _grow(tubes, filopodium, start, heading, time_s, reach_um=(filopodium.length_um + depth) * grown)
        return FilopodialBody(body, tubes)


def _surface_at(place: Place, direction: Float[np.ndarray, " 3"]) -> tuple[Float[np.ndarray, " 3"], ...]:
    """Point of the body's surface in a direction, and the outward normal there."""
    helper = np.eye(3)[np.argmin(np.abs(direction))]
    first = np.cross(direction, helper)
    second = np.cross(direction, first)
    near = np.stack([direction, direction + 1e-4 * first, direction + 1e-4 * second])
    point, one, two = place(near / np.linalg.norm(near, axis=1, keepdims=True))
    normal = np.cross(one - point, two - point)
    return point, normal / np.linalg.norm(normal)


def _grow(
    tubes: list[Tube],
    filopodium: Filopodium,
    start: Float[np.ndarray, " 3"],
    heading: Float[np.ndarray, " 3"],
    time_s: float,
    *,
    reach_um: float,
) -> None:
    """Add the tube of a filopodium, `reach_um` long from `start`, and those of its branches."""
    stops = np.linspace(0, reach_um, max(int(np.ceil(reach_um / STEP_UM)), 1) + 1)
    ways = _ways(filopodium, stops, heading / np.linalg.norm(heading), time_s)
    steps = (ways[1:] + ways[:-1]) / 2 * np.diff(stops)[:, None]
    line = start + np.concatenate([np.zeros((1, 3)), np.cumsum(steps, axis=0)])
    thinning = (filopodium.tip_radius_um - filopodium.radius_um) / filopodium.length_um
    tubes.append(Tube(line, filopodium.radius_um + thinning * np.minimum(stops, filopodium.length_um)))
    for branch in filopodium.branches:
        room_um = reach_um - branch.at_um
        if not branch.birth_s < time_s < branch.end_s or room_um <= 0:
            continue
        at = np.array([np.interp(branch.at_um, stops, line[:, axis]) for axis in range(3)])
        way = ways[np.searchsorted(stops, branch.at_um)]
        aside = branch.across - branch.across @ way * way
        turned = np.cos(branch.angle) * way + np.sin(branch.angle) * aside / np.linalg.norm(aside)
        # A branch is gone before its mother has withdrawn to where it sits.
        out_um = branch.length_um * branch.extension(time_s) * smoothstep(room_um / 1.0)
        _grow(tubes, branch, at, turned, time_s, reach_um=out_um)


def _ways(
    filopodium: Filopodium, stops: Float[np.ndarray, " n"], heading: Float[np.ndarray, " 3"], time_s: float
) -> Float[np.ndarray, "n 3"]:
    """Unit tangents of a centre line at arc lengths `stops`: a steady bend and a wave that sways."""
    first = filopodium.across - filopodium.across @ heading * heading
    first /= np.linalg.norm(first)
    second = np.cross(heading, first)
    phases = filopodium.phases + 2 * np.pi * time_s / filopodium.sway_s
    waving = np.sin(2 * np.pi * stops[:, None] / filopodium.wavelength_um + phases) - np.sin(phases)
    turns = stops[:, None] / filopodium.length_um * filopodium.bends + filopodium.waves * waving
    angles = np.linalg.norm(turns, axis=1, keepdims=True)
    aside = turns[:, :1] * first + turns[:, 1:] * second
    return np.asarray(np.cos(angles) * heading + np.sinc(angles / np.pi) * aside)


def _volume_outside_um3(filopodium: Filopodium, time_s: float, *, depth_um: float) -> float:
    """Volume of what sticks out, branches included; a few per cent of the cell, so a straight tube will do."""
    out_um = (filopodium.length_um + depth_um) * filopodium.extension(time_s) - depth_um
    mean_radius = (filopodium.radius_um + filopodium.tip_radius_um) / 2
    own = np.pi * mean_radius**2 * max(out_um, 0.0)
    alive = [branch for branch in filopodium.branches if branch.birth_s < time_s < branch.end_s]
    return float(own + sum(_volume_outside_um3(branch, time_s, depth_um=0.0) for branch in alive))

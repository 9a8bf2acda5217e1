"""Cells with filopodia that sprout, grow, bend, branch and retract."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from cytoform.movies.lineage import Track
from cytoform.simulate.cell import Part, Time
from cytoform.simulate.parameters import DEPTH, ball_radius_um
from cytoform.simulate.polyhedron import Polyhedron, surface_at, unit_sphere
from cytoform.simulate.protrusions import ProtrudingBody
from cytoform.simulate.randomness import Drift, Warp, smoothstep
from cytoform.simulate.tubes import Tube

STEP_UM = 0.05
BRANCH_RADIUS = 0.85  # relative to the mother's radius at the branch point


@dataclass(frozen=True)
class Filopodium:
    """One filopodium or branch: its lifetime, growth and bending. Times are in s, lengths in µm."""

    birth_s: float
    end_s: float
    growing_s: float
    length_um: float
    radius_um: float  # at the root
    tip_radius_um: float  # when fully grown
    across: Float[np.ndarray, " 3"]  # reference direction of bending
    # Bending angles around two directions: total over the length in rad, and a slowly swaying wave.
    bends: Float[np.ndarray, "2"]
    waves: Float[np.ndarray, "2"]
    wavelength_um: float
    phases: Float[np.ndarray, "2"]
    sway_s: float
    # For a root on the body: its direction from the centre, and the tilt of the filopodium.
    root: Float[np.ndarray, " 3"]
    lean: Float[np.ndarray, " 3"]
    # For a branch: its arc length along the mother, and the angle between them in rad.
    at_um: float = 0.0
    angle: float = 0.0
    branches: "tuple[Filopodium, ...]" = ()

    def extension(self, time_s: float) -> float:
        """Share of its length that is extended: grows, stays, withdraws."""
        return smoothstep((time_s - self.birth_s) / self.growing_s) * smoothstep((self.end_s - time_s) / self.growing_s)


@dataclass(frozen=True)
class FilopodiaCell:
    """A cell with filopodia: `parts(frame)` and `distance_um(points, frame)` at any time."""

    n_frames: int
    time_step_s: float
    volume_um3: float
    irregularity: float
    flatness: Float[np.ndarray, "3 3"]  # matrix that flattens the ball before warping
    filopodia: tuple[Filopodium, ...]
    warp: Warp
    drift: Drift

    @property
    def tracks(self) -> tuple[Track, ...]:
        """One cell all the time."""
        return (Track(1, 0, self.n_frames - 1, 0),)

    def parts(self, frame: Time) -> list[Part]:
        """The cell as a single part."""
        return [self.at(frame)]

    def distance_um(self, points_zyx_um: Float[np.ndarray, "n 3"], frame: Time) -> Float[np.ndarray, " n"]:
        """Signed distance in the cell's own coordinates."""
        return self.at(frame).distance_um(points_zyx_um)

    def at(self, frame: Time) -> ProtrudingBody:
        """Body and filopodia at a time; the body shrinks by the volume of the filopodia, so that the total is constant."""
        time_s = frame * self.time_step_s
        radius = ball_radius_um(self.volume_um3)
        alive = [f for f in self.filopodia if f.birth_s < time_s < f.end_s]
        outside = sum(_volume_outside_um3(f, time_s, depth_um=DEPTH * f.radius_um) for f in alive)

        def place(directions: Float[np.ndarray, "n 3"]) -> Float[np.ndarray, "n 3"]:
            flat = directions @ self.flatness
            return radius * (flat + self.irregularity * self.warp.shift(flat, time_s)) + self.drift.at(time_s)

        template = unit_sphere()
        loose = Polyhedron(place(template.vertices_zyx_um), template.faces)
        middle = self.drift.at(time_s)
        body = loose.resized(self.volume_um3 - outside, middle)
        scale = (body.volume_um3 / loose.volume_um3) ** (1 / 3)
        tubes: list[Tube] = []
        for filopodium in alive:
            point, normal = surface_at(place, filopodium.root)
            heading = normal + filopodium.lean - (filopodium.lean @ normal) * normal
            grown = filopodium.extension(time_s)
            depth = DEPTH * filopodium.radius_um
            start = middle + scale * (point - middle) - depth * normal
            _grow(tubes, filopodium, start, heading, time_s, reach_um=(filopodium.length_um + depth) * grown)
        return ProtrudingBody(body, tubes)


def _grow(
    tubes: list[Tube],
    filopodium: Filopodium,
    start: Float[np.ndarray, " 3"],
    heading: Float[np.ndarray, " 3"],
    time_s: float,
    *,
    reach_um: float,
) -> None:
    """Add the tube of a filopodium, `reach_um` long from `start`, and the tubes of its branches."""
    stops = np.linspace(0, reach_um, max(int(np.ceil(reach_um / STEP_UM)), 1) + 1)
    tangents = _tangents(filopodium, stops, heading / np.linalg.norm(heading), time_s)
    steps = (tangents[1:] + tangents[:-1]) / 2 * np.diff(stops)[:, None]
    line = start + np.concatenate([np.zeros((1, 3)), np.cumsum(steps, axis=0)])
    thinning = (filopodium.tip_radius_um - filopodium.radius_um) / filopodium.length_um
    tubes.append(Tube(line, filopodium.radius_um + thinning * np.minimum(stops, filopodium.length_um)))
    for branch in filopodium.branches:
        room_um = reach_um - branch.at_um
        if not branch.birth_s < time_s < branch.end_s or room_um <= 0:
            continue
        at = np.array([np.interp(branch.at_um, stops, line[:, axis]) for axis in range(3)])
        tangent = tangents[np.searchsorted(stops, branch.at_um)]
        aside = branch.across - branch.across @ tangent * tangent
        heading = np.cos(branch.angle) * tangent + np.sin(branch.angle) * aside / np.linalg.norm(aside)
        # A branch has withdrawn before the tip of its mother reaches the branch point.
        out_um = branch.length_um * branch.extension(time_s) * smoothstep(room_um / 1.0)
        _grow(tubes, branch, at, heading, time_s, reach_um=out_um)


def _tangents(
    filopodium: Filopodium, stops: Float[np.ndarray, " n"], heading: Float[np.ndarray, " 3"], time_s: float
) -> Float[np.ndarray, "n 3"]:
    """Unit tangents of a centre line at arc lengths `stops`: a constant bend plus a swaying wave."""
    first = filopodium.across - filopodium.across @ heading * heading
    first /= np.linalg.norm(first)
    second = np.cross(heading, first)
    phases = filopodium.phases + 2 * np.pi * time_s / filopodium.sway_s
    waving = np.sin(2 * np.pi * stops[:, None] / filopodium.wavelength_um + phases) - np.sin(phases)
    bending = stops[:, None] / filopodium.length_um * filopodium.bends + filopodium.waves * waving
    angles = np.linalg.norm(bending, axis=1, keepdims=True)
    aside = bending[:, :1] * first + bending[:, 1:] * second
    return np.asarray(np.cos(angles) * heading + np.sinc(angles / np.pi) * aside)


def _volume_outside_um3(filopodium: Filopodium, time_s: float, *, depth_um: float) -> float:
    """Volume outside the body, branches included. It is a few per cent of the cell, so a straight tube is accurate enough."""
    out_um = (filopodium.length_um + depth_um) * filopodium.extension(time_s) - depth_um
    mean_radius = (filopodium.radius_um + filopodium.tip_radius_um) / 2
    own = np.pi * mean_radius**2 * max(out_um, 0.0)
    alive = [branch for branch in filopodium.branches if branch.birth_s < time_s < branch.end_s]
    return float(own + sum(_volume_outside_um3(branch, time_s, depth_um=0.0) for branch in alive))

"""Cells with blebs and ruffles that come and go on a lobed body."""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from cytoform.movies.lineage import Track
from cytoform.simulate.cell import Part, Time
from cytoform.simulate.parameters import ball_radius_um
from cytoform.simulate.polyhedron import Polyhedron, SurfaceMap, surface_at, unit_sphere
from cytoform.simulate.protrusions import FILLET_UM, ProtrudingBody, Protrusion
from cytoform.simulate.randomness import Drift, Lobes, Warp, smoothstep
from cytoform.simulate.sheets import Sheet
from cytoform.simulate.tubes import Tube

# Radius of a bleb that has not swollen yet, which lies hidden under the surface, relative to its full radius.
BUD = 0.6
# How much deeper than a hidden ruffle's crest its foot lies, in µm.
FOOT_UM = 0.3
# Share of the volume in the body on which the volume outside is measured; its true share changes that by under 0.3 %
# of the cell, so that once is enough.
FIRST_BODY = 0.8
COLUMNS, ROWS = 21, 13
# A finer body than other simulators have, because lobes stretch its triangles.
RINGS, SPOKES = 72, 96


@dataclass(frozen=True)
class Bleb:
    """One bleb: a round cone, with a narrow root under the body's surface and a ball outside."""

    birth_s: float
    swelling_s: float
    holding_s: float
    retraction_s: float
    radius_um: float
    neck: float  # radius of the root, relative to the bleb
    height: float  # of the ball's centre above the surface when fully grown, in bleb radii
    root: Float[np.ndarray, " 3"]
    lean: Float[np.ndarray, " 3"]

    @property
    def end_s(self) -> float:
        """End of the retraction."""
        return self.birth_s + self.swelling_s + self.holding_s + self.retraction_s

    @property
    def full_um3(self) -> float:
        """Volume of the full-grown ball."""
        return 4 / 3 * math.pi * self.radius_um**3

    def extension(self, time_s: float) -> float:
        """Share of its size: swells, stays, and is drawn back more slowly."""
        swollen = smoothstep((time_s - self.birth_s) / self.swelling_s)
        return swollen * smoothstep((self.end_s - time_s) / self.retraction_s)

    def at(self, place: SurfaceMap, time_s: float) -> Tube:
        """The bleb on the surface that `place` makes of a unit sphere."""
        point, normal = surface_at(place, self.root)
        heading = normal + self.lean - self.lean @ normal * normal
        grown = self.extension(time_s)
        radius = self.radius_um * (BUD + (1 - BUD) * grown)
        # A bud touches neither the surface nor its fillet.
        depth = BUD * self.radius_um + FILLET_UM
        height = self.height * self.radius_um * grown - depth * (1 - grown)
        line = np.stack([point - depth * normal, point + height * heading / np.linalg.norm(heading)])
        return Tube(line, np.array([self.neck * radius, radius]))


@dataclass(frozen=True)
class Ruffle:
    """One ruffle: a bent sheet that rises from a curved line on the surface, travels across it, and sinks."""

    birth_s: float
    end_s: float
    rising_s: float
    width_um: float
    height_um: float
    thickness_um: float
    speed_um_per_s: float
    # Halfway through its life: the middle of its foot, and the direction of the foot; unit vectors.
    root: Float[np.ndarray, " 3"]
    along: Float[np.ndarray, " 3"]
    bow: float  # curvature of the foot, in units of the body's curvature
    winding: float  # of the foot, in parts of its half width
    lean: float  # angles at foot, from foot to crest, and of the waves of the crest, in rad
    curl: float
    wave: float
    wavelength_um: float
    phase: float
    sway_s: float

    def extension(self, time_s: float) -> float:
        """Share of its height: rises, stays, sinks."""
        return smoothstep((time_s - self.birth_s) / self.rising_s) * smoothstep((self.end_s - time_s) / self.rising_s)

    def at(self, place: SurfaceMap, time_s: float, *, body_radius_um: float) -> Sheet:
        """The ruffle on the surface that `place` makes of a unit sphere."""
        across = np.cross(self.along, self.root)
        travelled = self.speed_um_per_s * (time_s - (self.birth_s + self.end_s) / 2) / body_radius_um
        middle = np.cos(travelled) * self.root + np.sin(travelled) * across
        ahead = np.cos(travelled) * across - np.sin(travelled) * self.root
        share = np.linspace(-1, 1, COLUMNS)
        angle = share * self.width_um / 2 / body_radius_um
        foot = (
            np.outer(np.cos(angle), middle) + np.outer(np.sin(angle), self.along) + np.outer(self.bow * angle**2, ahead)
        )
        foot /= np.linalg.norm(foot, axis=1, keepdims=True)
        points, normals = (np.array(found) for found in zip(*(surface_at(place, way) for way in foot), strict=True))
        forward = ahead - (normals @ ahead)[:, None] * normals
        forward /= np.linalg.norm(forward, axis=1, keepdims=True)
        # The crest is half an ellipse that rises out of the surface, highest in the middle.
        hidden = self.thickness_um / 2 + FILLET_UM
        reach = FOOT_UM + (hidden + self.height_um) * self.extension(time_s) * np.sqrt(1 - share**2)
        rise = np.linspace(0, 1, ROWS)
        waving = np.sin(
            2 * np.pi * (share * self.width_um / 2 / self.wavelength_um + time_s / self.sway_s) + self.phase
        )
        bend = self.lean + np.outer(rise, self.curl + self.wave * waving)
        ways = np.cos(bend)[:, :, None] * normals + np.sin(bend)[:, :, None] * forward
        steps = (ways[1:] + ways[:-1]) / 2 * (reach / (ROWS - 1))[:, None]
        base = points - (FOOT_UM + hidden) * normals
        return Sheet(base + np.concatenate([np.zeros((1, COLUMNS, 3)), np.cumsum(steps, axis=0)]), self.thickness_um)


@dataclass(frozen=True)
class BlebsCell:
    """A cell with blebs and ruffles: `parts(frame)` and `distance_um(points, frame)` at any time."""

    n_frames: int
    time_step_s: float
    volume_um3: float
    irregularity: float
    flatness: Float[np.ndarray, "3 3"]  # matrix that flattens the ball before warping
    blebs: tuple[Bleb, ...]
    ruffles: tuple[Ruffle, ...]
    lobes: Lobes
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
        """Body, blebs and ruffles at a time; the body shrinks by the volume outside it, so that the total is constant."""
        time_s = float(frame) * self.time_step_s
        outside_um3 = self._of_body(FIRST_BODY * self.volume_um3, time_s).volume_outside_um3()
        return self._of_body(self.volume_um3 - outside_um3, time_s)

    def _of_body(self, body_um3: float, time_s: float) -> ProtrudingBody:
        """The cell with a body of this volume."""
        radius, middle = ball_radius_um(self.volume_um3), self.drift.at(time_s)

        def shape(directions: Float[np.ndarray, "n 3"]) -> Float[np.ndarray, "n 3"]:
            flat = (directions * self.lobes.radii(directions, time_s)[:, None]) @ self.flatness
            return radius * (flat + self.irregularity * self.warp.shift(flat, time_s))

        template = unit_sphere(rings=RINGS, spokes=SPOKES)
        loose = Polyhedron(shape(template.vertices_zyx_um), template.faces)
        scale = (body_um3 / loose.volume_um3) ** (1 / 3)

        def place(directions: Float[np.ndarray, "n 3"]) -> Float[np.ndarray, "n 3"]:
            return middle + scale * shape(directions)

        protrusions: list[Protrusion] = [bleb.at(place, time_s) for bleb in self.blebs if _alive(bleb, time_s)]
        for ruffle in self.ruffles:
            if _alive(ruffle, time_s):
                protrusions.append(ruffle.at(place, time_s, body_radius_um=radius))
        return ProtrudingBody(Polyhedron(middle + scale * loose.vertices_zyx_um, template.faces), protrusions)


def _alive(protrusion: Bleb | Ruffle, time_s: float) -> bool:
    return protrusion.birth_s < time_s < protrusion.end_s

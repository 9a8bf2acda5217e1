"""Shapes with exactly known distance, volume and area: ground truth for tests, documentation and simulators.

Points are (z, y, x) in µm; every shape lies around its `centre_zyx_um` with its axis along x. `time` runs from 0 to 1
and is ignored by static shapes. Signed distances are exact everywhere and negative inside.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from jaxtyping import Float

from cytoform.base.triples import Triple

Points = Float[np.ndarray, "n 3"]
PointValues = Float[np.ndarray, " n"]
ORIGIN: Triple = (0.0, 0.0, 0.0)


class AnalyticShape(Protocol):
    """A shape over time."""

    def distance_um(self, points_zyx_um: Points, time: float = 0.0) -> PointValues:
        """Signed distance, negative inside."""
        ...

    def volume_um3(self, time: float = 0.0) -> float:
        """Volume."""
        ...

    def area_um2(self, time: float = 0.0) -> float:
        """Surface area."""
        ...


@dataclass(frozen=True)
class Ball:
    """A ball; its radius goes from `radius_um` to `end_radius_um` (constant by default)."""

    radius_um: float
    end_radius_um: float | None = None
    centre_zyx_um: Triple = ORIGIN

    def radius_at(self, time: float) -> float:
        """Radius, linear in time."""
        end = self.radius_um if self.end_radius_um is None else self.end_radius_um
        return self.radius_um + (end - self.radius_um) * time

    def distance_um(self, points_zyx_um: Points, time: float = 0.0) -> PointValues:
        """Signed distance."""
        return np.linalg.norm(points_zyx_um - np.array(self.centre_zyx_um), axis=1) - self.radius_at(time)

    def volume_um3(self, time: float = 0.0) -> float:
        """4/3 π r³."""
        return 4 / 3 * np.pi * self.radius_at(time) ** 3

    def area_um2(self, time: float = 0.0) -> float:
        """4 π r²."""
        return 4 * np.pi * self.radius_at(time) ** 2


@dataclass(frozen=True)
class Capsule:
    """All points within `radius_um` of a line segment of `length_um` along x."""

    radius_um: float
    length_um: float
    centre_zyx_um: Triple = ORIGIN

    def distance_um(self, points_zyx_um: Points, time: float = 0.0) -> PointValues:
        """Signed distance."""
        along, across = _around_axis(points_zyx_um, self.centre_zyx_um)
        beyond = np.maximum(np.abs(along) - self.length_um / 2, 0)
        return np.hypot(beyond, across) - self.radius_um

    def volume_um3(self, time: float = 0.0) -> float:
        """A cylinder and a ball."""
        return np.pi * self.radius_um**2 * (self.length_um + 4 / 3 * self.radius_um)

    def area_um2(self, time: float = 0.0) -> float:
        """The side of a cylinder and a sphere."""
        return 2 * np.pi * self.radius_um * (self.length_um + 2 * self.radius_um)


@dataclass(frozen=True)
class Torus:
    """All points within `thin_radius_um` of a circle of `radius_um` around the x axis (thin radius < radius)."""

    radius_um: float
    thin_radius_um: float
    centre_zyx_um: Triple = ORIGIN

    def distance_um(self, points_zyx_um: Points, time: float = 0.0) -> PointValues:
        """Signed distance."""
        along, across = _around_axis(points_zyx_um, self.centre_zyx_um)
        return np.hypot(across - self.radius_um, along) - self.thin_radius_um

    def volume_um3(self, time: float = 0.0) -> float:
        """2 π² R r² (Pappus)."""
        return 2 * np.pi**2 * self.radius_um * self.thin_radius_um**2

    def area_um2(self, time: float = 0.0) -> float:
        """4 π² R r."""
        return 4 * np.pi**2 * self.radius_um * self.thin_radius_um


@dataclass(frozen=True)
class DividingPair:
    """A ball that divides: two equal balls, centres 0 to `end_separation_um` apart.

    They separate at time 2 · radius / `end_separation_um`.
    """

    radius_um: float
    end_separation_um: float
    centre_zyx_um: Triple = ORIGIN

    def separation_um(self, time: float) -> float:
        """Distance between the two centres."""
        return self.end_separation_um * time

    def distance_um(self, points_zyx_um: Points, time: float = 0.0) -> PointValues:
        """Signed distance."""
        along, across = _around_axis(points_zyx_um, self.centre_zyx_um)
        half, radius = self.separation_um(time) / 2, self.radius_um
        # By symmetry the nearest surface point is on the nearer ball, or on the rim where the balls intersect.
        height = np.abs(along) - half
        to_ball = np.hypot(height, across) - radius
        if half >= radius:
            return to_ball
        rim = np.sqrt(radius**2 - half**2)
        # From inside, the cap of a ball within the other ball is no part of the surface.
        hidden = (to_ball < 0) & (height * rim < -half * across)
        return np.where(hidden, -np.hypot(along, across - rim), to_ball)

    def volume_um3(self, time: float = 0.0) -> float:
        """Two balls minus the two overlapping caps."""
        cap = max(self.radius_um - self.separation_um(time) / 2, 0.0)
        return 2 * (4 / 3 * np.pi * self.radius_um**3 - np.pi * cap**2 * (3 * self.radius_um - cap) / 3)

    def area_um2(self, time: float = 0.0) -> float:
        """Two spheres minus the two overlapping caps."""
        cap = max(self.radius_um - self.separation_um(time) / 2, 0.0)
        return 2 * (4 * np.pi * self.radius_um**2 - 2 * np.pi * self.radius_um * cap)


@dataclass(frozen=True)
class SpikedBall:
    """A ball with one straight filopodium along +x: a capsule from its centre that reaches `reach_um` at time 1."""

    radius_um: float
    spike_radius_um: float
    reach_um: float
    centre_zyx_um: Triple = ORIGIN

    def tip_um(self, time: float) -> float:
        """Position on the x axis of the centre of the round tip; starts at the surface of the ball."""
        return self._root_um + (self.reach_um - self.spike_radius_um - self._root_um) * time

    @property
    def _root_um(self) -> float:
        return float(np.sqrt(self.radius_um**2 - self.spike_radius_um**2))

    def distance_um(self, points_zyx_um: Points, time: float = 1.0) -> PointValues:
        """Signed distance."""
        along, across = _around_axis(points_zyx_um, self.centre_zyx_um)
        root, tip, thin = self._root_um, self.tip_um(time), self.spike_radius_um
        to_ball = np.hypot(along, across) - self.radius_um
        to_spike = np.hypot(along - np.clip(along, 0, tip), across) - thin
        outside = np.minimum(to_ball, to_spike)
        # Inside, the nearest surface is the ball outside the spike's root, the spike outside the ball, or the rim.
        to_rim = np.hypot(along - root, across - thin)
        open_ball = np.where(along * thin > across * root, to_rim, np.abs(to_ball))
        open_spike = np.where(along < root, to_rim, np.abs(to_spike))
        return np.where(outside > 0, outside, -np.minimum(open_ball, open_spike))

    def volume_um3(self, time: float = 1.0) -> float:
        """The ball minus the cap inside the spike, plus a cylinder and half a ball."""
        cap, thin = self.radius_um - self._root_um, self.spike_radius_um
        ball = 4 / 3 * np.pi * self.radius_um**3 - np.pi * cap**2 * (3 * self.radius_um - cap) / 3
        return float(ball + np.pi * thin**2 * (self.tip_um(time) - self._root_um) + 2 / 3 * np.pi * thin**3)

    def area_um2(self, time: float = 1.0) -> float:
        """The sphere minus the cap inside the spike, plus the side of a cylinder and half a sphere."""
        cap, thin = self.radius_um - self._root_um, self.spike_radius_um
        ball = 4 * np.pi * self.radius_um**2 - 2 * np.pi * self.radius_um * cap
        return float(ball + 2 * np.pi * thin * (self.tip_um(time) - self._root_um) + 2 * np.pi * thin**2)


def _around_axis(points_zyx_um: Points, centre_zyx_um: Triple) -> tuple[PointValues, PointValues]:
    """Coordinates along x and distance from the x axis."""
    offset = points_zyx_um - np.array(centre_zyx_um)
    return offset[:, 2], np.hypot(offset[:, 0], offset[:, 1])

"""Random building blocks of simulated cells: directions, rotations, smooth motion, and spread-out draws."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.stats import norm


def smoothstep(x: float) -> float:
    """0 below 0, 1 above 1, and 3x² - 2x³ between: starts and ends without a jerk."""
    x = min(max(x, 0.0), 1.0)
    return x * x * (3 - 2 * x)


def random_direction(rng: np.random.Generator) -> Float[np.ndarray, " 3"]:
    """A unit vector, uniform on the sphere (a normalised Gaussian; uniform angles would crowd the poles)."""
    vector = rng.normal(size=3)
    return vector / np.linalg.norm(vector)


def perpendicular(direction: Float[np.ndarray, " 3"], rng: np.random.Generator) -> Float[np.ndarray, " 3"]:
    """A unit vector perpendicular to `direction`, uniform on that circle."""
    vector = rng.normal(size=3)
    vector -= vector @ direction * direction
    return vector / np.linalg.norm(vector)


def frame_along(axis: Float[np.ndarray, " 3"]) -> Float[np.ndarray, "3 3"]:
    """Three orthonormal rows: two across `axis`, and `axis` itself. A pure function of the axis."""
    helper = np.eye(3)[np.argmin(np.abs(axis))]
    across = np.cross(axis, helper)
    across /= np.linalg.norm(across)
    return np.stack([across, np.cross(axis, across), axis])


def stratified_normal(n: int, rng: np.random.Generator) -> Float[np.ndarray, " n"]:
    """`n` standard scores, one from each n-th of the normal distribution, in random order.

    Thirty-three independent draws would miss the wanted standard deviation by 12 % on average; these do not.
    """
    scores = norm.ppf((np.arange(n) + 0.5) / n)
    if n > 1:
        scores = scores / scores.std()
    return rng.permutation(scores)


@dataclass(frozen=True)
class Warp:
    """A smooth, slowly changing displacement of space that makes round things irregular.

    Each mode shifts points along a direction across its wave vector, which keeps volumes to first order. Lengths are
    in cell radii, so that the same warp fits a cell of any size; `shift` has a root mean square of 1 per mode set.
    """

    waves: Float[np.ndarray, "modes 3"]
    directions: Float[np.ndarray, "modes 3"]
    phases: Float[np.ndarray, " modes"]
    speeds_per_s: Float[np.ndarray, " modes"]

    @classmethod
    def draw(cls, rng: np.random.Generator, *, modes: int, wavelengths: tuple[float, float], period_s: float) -> "Warp":
        """Random modes with wavelengths in cell radii and phases that turn once in `period_s` or slower."""
        ways = [random_direction(rng) for _ in range(modes)]
        numbers = 2 * np.pi / rng.uniform(*wavelengths, size=modes)
        return cls(
            waves=np.array(ways) * numbers[:, None],
            directions=np.array([perpendicular(way, rng) for way in ways]),
            phases=rng.uniform(0, 2 * np.pi, size=modes),
            speeds_per_s=rng.uniform(-1, 1, size=modes) * 2 * np.pi / period_s,
        )

    def shift(self, points: Float[np.ndarray, "n 3"], time_s: float) -> Float[np.ndarray, "n 3"]:
        """Displacement of points, both in cell radii, for an amplitude of 1."""
        angles = points @ self.waves.T + (self.phases + self.speeds_per_s * time_s)
        return np.sqrt(2 / len(self.phases)) * np.sin(angles) @ self.directions

    def steepest(self) -> float:
        """Upper bound of the shift's gradient: an amplitude below its inverse never folds space."""
        return float(np.sqrt(2 / len(self.phases)) * np.linalg.norm(self.waves, axis=1).sum())


@dataclass(frozen=True)
class Drift:
    """A slow, smooth wandering of the whole cell: a steady velocity and one slow swing."""

    velocity_um_per_s: Float[np.ndarray, " 3"]
    swing_um: Float[np.ndarray, " 3"]
    period_s: float
    phase: float

    @classmethod
    def draw(cls, rng: np.random.Generator, *, speed_um_per_s: float, swing_um: float, period_s: float) -> "Drift":
        """A random direction at the given speed, and a swing across it."""
        way = random_direction(rng)
        return cls(
            velocity_um_per_s=way * speed_um_per_s,
            swing_um=perpendicular(way, rng) * swing_um,
            period_s=period_s,
            phase=rng.uniform(0, 2 * np.pi),
        )

    def at(self, time_s: float) -> Float[np.ndarray, " 3"]:
        """Displacement in µm at a time."""
        return self.velocity_um_per_s * time_s + self.swing_um * np.sin(2 * np.pi * time_s / self.period_s + self.phase)

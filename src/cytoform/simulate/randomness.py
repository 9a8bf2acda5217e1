"""Random building blocks of simulated cells: directions, rotations, smooth motion, stratified samples."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.stats import norm


def smoothstep(x: float) -> float:
    """0 below 0, 1 above 1, 3x² - 2x³ between; its slope is 0 at both ends."""
    x = min(max(x, 0.0), 1.0)
    return x * x * (3 - 2 * x)


def random_direction(rng: np.random.Generator, n_dims: int = 3) -> Float[np.ndarray, " dims"]:
    """A unit vector, uniform on the sphere (normalised Gaussian; uniform angles would crowd the poles)."""
    vector = rng.normal(size=n_dims)
    return vector / np.linalg.norm(vector)


def perpendicular(direction: Float[np.ndarray, " dims"], rng: np.random.Generator) -> Float[np.ndarray, " dims"]:
    """A unit vector perpendicular to `direction`, uniform on that circle; in a plane one of two."""
    vector = rng.normal(size=len(direction))
    vector -= vector @ direction * direction
    return vector / np.linalg.norm(vector)


def farthest_direction(
    candidates: Float[np.ndarray, "n 3"], neighbours: Sequence[Float[np.ndarray, " 3"]]
) -> Float[np.ndarray, " 3"]:
    """Of n unit vectors, the one farthest from all neighbours (best-candidate sampling, Mitchell 1991)."""
    if not neighbours:
        return candidates[0]
    return candidates[np.argmin(np.max(candidates @ np.array(neighbours).T, axis=1))]


def frame_along(axis: Float[np.ndarray, " 3"]) -> Float[np.ndarray, "3 3"]:
    """Orthonormal rows: two perpendicular to `axis`, then `axis`. Deterministic."""
    helper = np.eye(3)[np.argmin(np.abs(axis))]
    across = np.cross(axis, helper)
    across /= np.linalg.norm(across)
    return np.stack([across, np.cross(axis, across), axis])


def stratified_normal(n: int, rng: np.random.Generator) -> Float[np.ndarray, " n"]:
    """`n` standard scores, one from each n-th of the normal distribution, in random order.

    Their standard deviation is exactly 1; 33 independent draws would miss it by 12 % on average.
    """
    scores = norm.ppf((np.arange(n) + 0.5) / n)
    if n > 1:
        scores = scores / scores.std()
    return rng.permutation(scores)


@dataclass(frozen=True)
class Warp:
    """A smooth, slowly changing displacement field that makes round shapes irregular.

    Each mode shifts points perpendicular to its wave vector, which preserves volume (area) to first order. Lengths are in cell
    radii, so that one warp fits cells of any size. The root mean square of `shift` is 1.
    """

    waves: Float[np.ndarray, "modes dims"]
    directions: Float[np.ndarray, "modes dims"]
    phases: Float[np.ndarray, " modes"]
    speeds_per_s: Float[np.ndarray, " modes"]

    @classmethod
    def draw(
        cls,
        rng: np.random.Generator,
        *,
        modes: int,
        wavelengths: tuple[float, float],
        period_s: float,
        n_dims: int = 3,
    ) -> "Warp":
        """Random modes; wavelengths in cell radii, phases of period `period_s` or longer."""
        wave_directions = [random_direction(rng, n_dims) for _ in range(modes)]
        numbers = 2 * np.pi / rng.uniform(*wavelengths, size=modes)
        return cls(
            waves=np.array(wave_directions) * numbers[:, None],
            directions=np.array([perpendicular(direction, rng) for direction in wave_directions]),
            phases=rng.uniform(0, 2 * np.pi, size=modes),
            speeds_per_s=rng.uniform(-1, 1, size=modes) * 2 * np.pi / period_s,
        )

    def shift(self, points: Float[np.ndarray, "n dims"], time_s: float) -> Float[np.ndarray, "n dims"]:
        """Displacement of points in cell radii, for an amplitude of 1."""
        angles = points @ self.waves.T + (self.phases + self.speeds_per_s * time_s)
        return np.sqrt(2 / len(self.phases)) * np.sin(angles) @ self.directions

    def max_slope(self) -> float:
        """Upper bound of the shift's gradient; amplitudes below its inverse never fold space."""
        return float(np.sqrt(2 / len(self.phases)) * np.linalg.norm(self.waves, axis=1).sum())


@dataclass(frozen=True)
class Lobes:
    """Broad bulges of a unit sphere that wander slowly, wax and wane."""

    centres: Float[np.ndarray, "lobes 3"]
    ahead: Float[np.ndarray, "lobes 3"]  # perpendicular to the centres: where they wander
    speeds_per_s: Float[np.ndarray, " lobes"]
    heights: Float[np.ndarray, " lobes"]
    sharpness: Float[np.ndarray, " lobes"]
    phases: Float[np.ndarray, " lobes"]
    period_s: float

    @classmethod
    def draw(cls, rng: np.random.Generator, *, lobes: int, heights: tuple[float, float], period_s: float) -> "Lobes":
        """Random lobes far from each other; heights in radii, a circuit or a pulse in `period_s` or longer."""
        centres: list[Float[np.ndarray, " 3"]] = []
        for _ in range(lobes):
            candidates = np.array([random_direction(rng) for _ in range(8)])
            centres.append(farthest_direction(candidates, centres))
        return cls(
            centres=np.array(centres).reshape(-1, 3),
            ahead=np.array([perpendicular(centre, rng) for centre in centres]).reshape(-1, 3),
            speeds_per_s=rng.uniform(-1, 1, lobes) * 2 * np.pi / period_s,
            heights=rng.uniform(*heights, lobes),
            sharpness=rng.uniform(4.0, 9.0, lobes),
            phases=rng.uniform(0, 2 * np.pi, lobes),
            period_s=period_s,
        )

    def radii(self, directions: Float[np.ndarray, "n 3"], time_s: float) -> Float[np.ndarray, " n"]:
        """Radius of the lobed sphere in each direction; 1 without lobes."""
        turned = (self.speeds_per_s * time_s)[:, None]
        centres = np.cos(turned) * self.centres + np.sin(turned) * self.ahead
        heights = self.heights * (1 + 0.3 * np.sin(2 * np.pi * time_s / self.period_s + self.phases))
        # Gaussian bumps on the sphere (von Mises-Fisher).
        return 1 + np.exp(self.sharpness * (directions @ centres.T - 1)) @ heights


@dataclass(frozen=True)
class Drift:
    """Slow motion of the whole cell: a constant velocity plus one slow sinusoidal swing."""

    velocity_um_per_s: Float[np.ndarray, " dims"]
    swing_um: Float[np.ndarray, " dims"]
    period_s: float
    phase: float

    @classmethod
    def draw(
        cls, rng: np.random.Generator, *, speed_um_per_s: float, swing_um: float, period_s: float, n_dims: int = 3
    ) -> "Drift":
        """A random direction with the given speed, and a swing perpendicular to it."""
        direction = random_direction(rng, n_dims)
        return cls(
            velocity_um_per_s=direction * speed_um_per_s,
            swing_um=perpendicular(direction, rng) * swing_um,
            period_s=period_s,
            phase=rng.uniform(0, 2 * np.pi),
        )

    def at(self, time_s: float) -> Float[np.ndarray, " dims"]:
        """Displacement in µm at a time."""
        return self.velocity_um_per_s * time_s + self.swing_um * np.sin(2 * np.pi * time_s / self.period_s + self.phase)

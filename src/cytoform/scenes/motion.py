"""Cell motion: a persistent random walk, or the trajectories of real cells."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float

from cytoform.errors import InputError
from cytoform.scenes.bodies import Body
from cytoform.scenes.request import WALK, SceneRequest
from cytoform.shapes.store import ShapeStore

# The default walk: speed as a share of the mean diameter per frame, and correlation time.
SPEED_DIAMETERS, PERSISTENCE_FRAMES = 0.1, 5.0
Steps = Float[np.ndarray, "steps 3"]


@runtime_checkable
class Motion(Protocol):
    """Draws trajectories."""

    def steps_um(self, n: int, rng: np.random.Generator, *, towards: Float[np.ndarray, " 3"] | None = None) -> Steps:
        """`n` steps (z, y, x) in µm, one per frame; the first points `towards` a direction if one is given."""
        ...


@dataclass(frozen=True)
class Walk:
    """A persistent random walk (Ornstein-Uhlenbeck process).

    `speed_um` is the root mean square step per frame, `persistence` the correlation time in frames. Squared displacements
    follow Fürth's formula (Fürth 1920, Z. Phys. 2, 244; Campos et al. 2010, J. Theor. Biol. 267, 526).
    """

    speed_um: float
    persistence: float

    def steps_um(self, n: int, rng: np.random.Generator, *, towards: Float[np.ndarray, " 3"] | None = None) -> Steps:
        """Steps of a new walk, stationary from the first step on."""
        kept = np.exp(-1 / self.persistence) if self.persistence > 0 else 0.0
        noise = rng.normal(size=(n, 3)) * self.speed_um / np.sqrt(3)
        steps = np.empty((n, 3))
        velocity = noise[0] if n else np.zeros(3)
        if towards is not None and n:
            velocity = np.asarray(towards) * self.speed_um
        for number in range(n):
            if number:
                velocity = kept * velocity + np.sqrt(1 - kept**2) * noise[number]
            steps[number] = velocity
        return steps


@dataclass(frozen=True)
class RealTrajectories:
    """Trajectories of real cells: positions in µm, one per frame of the scene.

    Trajectories that are too short are played forwards and backwards. Each is rotated about the optical axis at random.
    """

    trajectories_zyx_um: Sequence[Float[np.ndarray, "frames 3"]]

    def steps_um(self, n: int, rng: np.random.Generator, *, towards: Float[np.ndarray, " 3"] | None = None) -> Steps:
        """Steps of a random trajectory from a random frame on."""
        places_um = self.trajectories_zyx_um[int(rng.integers(len(self.trajectories_zyx_um)))]
        phase = (int(rng.integers(2 * len(places_um) - 2)) + np.arange(n + 1)) % (2 * len(places_um) - 2)
        steps = np.diff(places_um[np.minimum(phase, 2 * len(places_um) - 2 - phase)], axis=0)
        turn = rng.uniform(0, 2 * np.pi)
        if towards is not None and n:
            turn = np.arctan2(towards[1], towards[2]) - np.arctan2(*steps.sum(axis=0)[1:])
        y, x = steps[:, 1].copy(), steps[:, 2].copy()
        steps[:, 1], steps[:, 2] = np.cos(turn) * y + np.sin(turn) * x, np.cos(turn) * x - np.sin(turn) * y
        return steps


def real_trajectories(path: Path, *, time_step_s: float) -> RealTrajectories:
    """Trajectories of the cells of a shape store, resampled to `time_step_s`. Raises InputError if no cell moves."""
    found = []
    for sequence in ShapeStore.open(path):
        info = sequence.info
        places_um = np.array(info.offsets_zyx_um, float).reshape(-1, 3)
        if len(places_um) < 2 or np.ptp(places_um, axis=0).max() == 0:
            continue
        step_s = time_step_s if info.time_step_s is None else info.time_step_s
        times_s = np.arange(len(places_um)) * step_s
        wanted_s = np.arange(0, times_s[-1] + 1e-9 * step_s, time_step_s)
        found.append(np.stack([np.interp(wanted_s, times_s, places_um[:, axis]) for axis in range(3)], axis=1))
    found = [places_um for places_um in found if len(places_um) > 1]
    if not found:
        raise InputError(
            f"--motion {path}: no sequence records how its cell moved; prepare movies without --keep-motion, "
            "or choose --motion walk"
        )
    return RealTrajectories(tuple(found))


def chosen_motion(request: SceneRequest, bodies: Sequence[Body], *, time_step_s: float) -> Motion:
    """The motion that a request chooses; a walk is by default as fast as its bodies are large. Raises InputError."""
    if request.motion != WALK:
        return real_trajectories(Path(request.motion), time_step_s=time_step_s)
    step_min = time_step_s / 60
    diameter_um = float(np.mean([np.cbrt(6 / np.pi * body.shapes[0].volume_um3) for body in bodies]))
    speed, persistence = request.speed_um_per_min, request.persistence_min
    return Walk(
        speed_um=SPEED_DIAMETERS * diameter_um if speed is None else speed * step_min,
        persistence=PERSISTENCE_FRAMES if persistence is None else persistence / step_min,
    )

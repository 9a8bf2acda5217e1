"""Cell motion: a persistent random walk, or the trajectories of real cells."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float, Num

from cytoform.base.triples import Floats, floats
from cytoform.errors import InputError
from cytoform.scenes.bodies import Body, Shape
from cytoform.scenes.request import WALK, SceneRequest
from cytoform.shapes.grid import ROOTS
from cytoform.shapes.store import ShapeStore

# The default walk: speed as a share of the mean diameter per frame, and correlation time.
SPEED_DIAMETERS, PERSISTENCE_FRAMES = 0.1, 5.0
# Cells that are twice as long as wide follow their axis as far as polarity says, rounder ones less.
ROD = 0.5
# By number of dimensions: the cube of a ball's diameter over its volume, and the square of a disc's over its area.
DIAMETERS = {3: 6 / np.pi, 2: 4 / np.pi}
Steps = Float[np.ndarray, "steps dims"]


@runtime_checkable
class Motion(Protocol):
    """Draws trajectories."""

    def steps_um(self, n: int, rng: np.random.Generator, *, towards: Float[np.ndarray, " dims"] | None = None) -> Steps:
        """`n` steps (z, y, x or y, x) in µm, one per frame; the first points `towards` a direction if one is given."""
        ...


@dataclass(frozen=True)
class Guidance:
    """Directions that all cells of a scene follow, whatever their motion."""

    # How far elongated cells move along their long axis: 0 in any direction, 1 along it only.
    polarity: float = 0.0
    # Added to every step (z, y, x or y, x), in µm: a flow, or cells that follow a gradient.
    drift_um: Floats = ()

    def followed(self, step_um: Num[np.ndarray, " dims"], shape: Shape) -> Num[np.ndarray, " dims"]:
        """A step of a cell with this shape. On average over directions, its square is that of the step without drift."""
        drift_um = np.array(self.drift_um or (0.0,) * len(step_um))
        axis = np.array(shape.long_axis_zyx or (0.0,) * len(step_um))
        elongation = float(np.linalg.norm(axis))
        across = 1 - self.polarity * min(elongation / ROD, 1.0)
        if across == 1:
            return np.asarray(step_um + drift_um)
        along = np.sqrt(1 + (len(step_um) - 1) * (1 - across**2))
        part = (step_um @ axis) * axis / elongation**2
        return np.asarray(along * part + across * (step_um - part) + drift_um)


@dataclass(frozen=True)
class Walk:
    """A persistent random walk (Ornstein-Uhlenbeck process).

    `speed_um` is the root mean square step per frame, `persistence` the correlation time in frames. Squared displacements
    follow Fürth's formula (Fürth 1920, Z. Phys. 2, 244; Campos et al. 2010, J. Theor. Biol. 267, 526).
    """

    speed_um: float
    persistence: float
    n_dims: int = 3
    # How far a cell is from its course, independently in every frame: root mean square.
    wobble_um: float = 0.0

    def steps_um(self, n: int, rng: np.random.Generator, *, towards: Float[np.ndarray, " dims"] | None = None) -> Steps:
        """Steps of a new walk, stationary from the first step on."""
        kept = np.exp(-1 / self.persistence) if self.persistence > 0 else 0.0
        noise = rng.normal(size=(n, self.n_dims)) * self.speed_um / np.sqrt(self.n_dims)
        steps = np.empty((n, self.n_dims))
        velocity = noise[0] if n else np.zeros(self.n_dims)
        if towards is not None and n:
            velocity = np.asarray(towards) * self.speed_um
        for number in range(n):
            if number:
                velocity = kept * velocity + np.sqrt(1 - kept**2) * noise[number]
            steps[number] = velocity
        if self.wobble_um:
            off_um = rng.normal(size=(n + 1, self.n_dims)) * self.wobble_um / np.sqrt(self.n_dims)
            steps += np.diff(off_um, axis=0)
        return steps


@dataclass(frozen=True)
class RealTrajectories:
    """Trajectories of real cells: positions in µm, one per frame of the scene.

    Trajectories that are too short are played forwards and backwards. Each is rotated about the optical axis at random.
    """

    trajectories_zyx_um: Sequence[Float[np.ndarray, "frames dims"]]

    def steps_um(self, n: int, rng: np.random.Generator, *, towards: Float[np.ndarray, " dims"] | None = None) -> Steps:
        """Steps of a random trajectory from a random frame on."""
        places_um = self.trajectories_zyx_um[int(rng.integers(len(self.trajectories_zyx_um)))]
        phase = (int(rng.integers(2 * len(places_um) - 2)) + np.arange(n + 1)) % (2 * len(places_um) - 2)
        steps = np.diff(places_um[np.minimum(phase, 2 * len(places_um) - 2 - phase)], axis=0)
        turn = rng.uniform(0, 2 * np.pi)
        if towards is not None and n:
            turn = np.arctan2(towards[-2], towards[-1]) - np.arctan2(*steps.sum(axis=0)[-2:])
        y, x = steps[:, -2].copy(), steps[:, -1].copy()
        steps[:, -2], steps[:, -1] = np.cos(turn) * y + np.sin(turn) * x, np.cos(turn) * x - np.sin(turn) * y
        return steps


def real_trajectories(path: Path, *, time_step_s: float, n_dims: int = 3) -> RealTrajectories:
    """Trajectories of the cells of a shape store, resampled to `time_step_s`.

    Raises InputError if no cell moves, and for a store whose cells do not have `n_dims` dimensions.
    """
    found, store = [], ShapeStore.open(path)
    if store.grid.n_dims != n_dims:
        raise InputError(
            f"--motion {path}: its cells are {store.grid.n_dims}D, those of the scene {n_dims}D; choose other cells"
        )
    for sequence in store:
        info = sequence.info
        places_um = np.array(info.offsets_zyx_um, float).reshape(-1, n_dims)
        if len(places_um) < 2 or np.ptp(places_um, axis=0).max() == 0:
            continue
        step_s = time_step_s if info.time_step_s is None else info.time_step_s
        times_s = np.arange(len(places_um)) * step_s
        wanted_s = np.arange(0, times_s[-1] + 1e-9 * step_s, time_step_s)
        found.append(np.stack([np.interp(wanted_s, times_s, places_um[:, axis]) for axis in range(n_dims)], axis=1))
    found = [places_um for places_um in found if len(places_um) > 1]
    if not found:
        raise InputError(
            f"--motion {path}: no sequence records how its cell moved; prepare movies without --keep-motion, "
            "or choose --motion walk"
        )
    return RealTrajectories(tuple(found))


def chosen_motion(request: SceneRequest, bodies: Sequence[Body], *, time_step_s: float, n_dims: int) -> Motion:
    """The motion that a request chooses; a walk is by default as fast as its bodies are large. Raises InputError."""
    if request.motion != WALK:
        return real_trajectories(Path(request.motion), time_step_s=time_step_s, n_dims=n_dims)
    step_min = time_step_s / 60
    diameter_um = float(np.mean([ROOTS[n_dims](DIAMETERS[n_dims] * body.shapes[0].size) for body in bodies]))
    speed, persistence = request.speed_um_per_min, request.persistence_min
    return Walk(
        speed_um=SPEED_DIAMETERS * diameter_um if speed is None else speed * step_min,
        persistence=PERSISTENCE_FRAMES if persistence is None else persistence / step_min,
        n_dims=n_dims,
        wobble_um=request.wobble_um or 0.0,
    )


def chosen_guidance(request: SceneRequest, *, time_step_s: float, n_dims: int) -> Guidance:
    """The directions that a request asks all cells to follow."""
    drift = request.drift_zyx_um_per_min
    drift_um = () if drift is None else floats(np.array(drift[-n_dims:]) * time_step_s / 60)
    return Guidance(request.polarity or 0.0, drift_um)

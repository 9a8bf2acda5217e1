"""Balls, in images discs, with thorns of known length, radius and life: the smallest bodies with protrusions."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cytoform.shapes.box import BoxedField
from cytoform.shapes.grid import Grid
from cytoform.shapes.store import SequenceInfo, ShapeStore
from cytoform.shapes.tubes import Tube, smooth_union, tubes_distance

GRID, FLAT = Grid(48, 6.0), Grid(48, 6.0, 2)
RADIUS_UM, FILLET_UM = 0.32, 0.2
N_FRAMES, TIME_STEP_S = 8, 10.0


@dataclass(frozen=True)
class Thorn:
    """Grows from nothing at `birth` to `length_um` and withdraws until `end`, in frames."""

    direction_zyx: tuple[float, ...]
    length_um: float = 2.5
    birth: float = -10.0
    end: float = 100.0
    growing: float = 2.0

    def length_at(self, frame: float) -> float:
        share = min((frame - self.birth) / self.growing, (self.end - frame) / self.growing, 1.0)
        return self.length_um * max(share, 0.0)


@dataclass(frozen=True)
class Ball:
    """A ball with thorns about the centre of the cube."""

    radius_um: float
    thorns: tuple[Thorn, ...]

    def field(self, frame: float, grid: Grid = GRID) -> BoxedField:
        """Exact but for the fillets."""
        points = grid.points_zyx_um() - grid.half_extent_um
        body = np.linalg.norm(points, axis=1) - self.radius_um
        tubes = []
        for thorn in self.thorns:
            length = thorn.length_at(frame)
            if length > 0:
                direction = np.array(thorn.direction_zyx) / np.linalg.norm(thorn.direction_zyx)
                reach = self.radius_um + length - RADIUS_UM
                line = np.linspace(0.5 * self.radius_um, max(reach, 0.6 * self.radius_um), 40)[:, None] * direction
                tubes.append(Tube(line, np.full(40, RADIUS_UM)))
        band_um = 4 * grid.spacing_um
        bound = np.minimum(body + FILLET_UM, band_um + FILLET_UM)
        distances = smooth_union(body, tubes_distance(tubes, points, bound=bound), FILLET_UM)
        return BoxedField(grid, (0,) * grid.n_dims, distances.reshape(grid.shape).clip(-band_um, band_um), band_um)


def random_ball(rng: np.random.Generator, *, n_thorns: int, n_frames: int = N_FRAMES, n_dims: int = 3) -> Ball:
    """A ball with thorns in directions that keep apart, born and gone at random."""
    directions: list[np.ndarray] = []
    while len(directions) < n_thorns:
        drawn = rng.normal(size=n_dims)
        drawn /= np.linalg.norm(drawn)
        if all(drawn @ other < 0.6 for other in directions):
            directions.append(drawn)
    births = rng.uniform(-4, n_frames - 2, n_thorns)
    return Ball(
        float(rng.uniform(1.8, 2.2)),
        tuple(
            Thorn(tuple(d), float(rng.uniform(1.6, 2.6)), float(b), float(b + rng.uniform(4, 6)))
            for d, b in zip(directions, births, strict=True)
        ),
    )


def write_thorny(
    path: Path, *, n_cells: int = 5, n_thorns: int = 7, seed: int = 0, n_frames: int = N_FRAMES, grid: Grid = GRID
) -> list[Ball]:
    """A shape store of balls with `n_thorns` thorns each over time; returns them."""
    store = ShapeStore.create(path, grid, band_um=4 * grid.spacing_um, attributes={"command": "test"})
    rng, balls = np.random.default_rng(seed), []
    for number in range(n_cells):
        ball = random_ball(rng, n_thorns=n_thorns, n_frames=n_frames, n_dims=grid.n_dims)
        sequence = store.add(SequenceInfo(f"c{number}", n_frames, TIME_STEP_S))
        for frame in range(n_frames):
            sequence.write_box(frame, ball.field(frame, grid))
        balls.append(ball)
    return balls


SETTINGS = (
    "model.kind=parts",
    "model.width=32",
    "model.depth=3",
    "model.code_dim=8",
    "model.code_layers=[1, 2]",
    "model.omega=6.0",
    "training.epochs=120",
    "training.frames_per_batch=4",
    "training.points_per_frame=256",
    "training.learning_rate=2e-3",
    "training.code_learning_rate=2e-3",
    "training.schedule=cosine",
    "training.code_penalty=1e-4",
    "training.checkpoint_epochs=60",
    "sampling.pool_points=3000",
    "sampling.truncation=0.3",
    "data.align=principal",
)

"""A small run of a network in the frame of components: bodies in several poses and sizes, learned in seconds."""

from pathlib import Path

import numpy as np
import stores
from scipy.spatial.transform import Rotation

from cytoform.runs.config import Config, load_config
from cytoform.runs.stage import train
from cytoform.shapes.grid import Grid

GRID, N_FRAMES = Grid(32, 8.0), 5
SIZES = (0.8, 1.0, 1.1, 1.2)
TURNS = Rotation.random(len(SIZES) + 1, random_state=np.random.default_rng(3))
SMALL = ["model.nodes=16", "model.components=12", "model.knots=4", "model.width=32", "model.depth=3",
         "model.omega=8.0", "training.epochs=100", "training.learning_rate=2e-3",
         "training.matrix_learning_rate=5e-3", "training.frames_per_batch=5", "training.points_per_frame=128",
         "training.checkpoint_epochs=2", "sampling.pool_points=2000"]  # fmt: skip


def movie(turn: Rotation, size: float, *, n_frames: int = N_FRAMES) -> list[np.ndarray]:
    """The lopsided body as it grows, in a pose and at a size: on a grid that is finer by it, distances are larger."""
    grid = Grid(GRID.size, GRID.half_extent_um / size)
    return [size * stores.lopsided(turn, growth=growth, grid=grid) for growth in np.linspace(0.8, 1.3, n_frames)]


def write_bodies(path: Path) -> Path:
    """Write a shape store of four bodies, s0 to s3."""
    pairs = zip(TURNS[: len(SIZES)], SIZES, strict=True)
    return stores.write_store(path, {f"s{n}": movie(turn, size) for n, (turn, size) in enumerate(pairs)}, grid=GRID)


def refined_config(*more: str) -> Config:
    """Settings small enough for a test."""
    return load_config(preset="unseen", settings=[*SMALL, *more])


def write_refined_run(folder: Path) -> Path:
    """Train a run in `folder`/run."""
    train(write_bodies(folder / "bodies.zarr"), folder / "run", refined_config())
    return folder / "run"

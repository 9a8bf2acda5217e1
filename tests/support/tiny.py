"""A small population of growing balls, and settings to learn it in seconds."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from cytoform.runs.config import Config, load_config
from cytoform.shapes.grid import Grid
from cytoform.shapes.store import SequenceInfo, ShapeStore
from cytoform.simulate.analytic import Ball

TWO_BALLS = {"a": 3.0, "b": 4.0}


def write_balls(path: Path, end_radii_um: Mapping[str, float] = TWO_BALLS, *, n_frames: int = 4) -> Path:
    """Write a shape store of balls that grow from a radius of 2 µm."""
    grid = Grid(32, 6.0)
    store = ShapeStore.create(path, grid, band_um=2.0, attributes={"command": "test"})
    points = grid.points_zyx_um()
    for name, end in end_radii_um.items():
        sequence = store.add(SequenceInfo(name, n_frames, time_step_s=10.0))
        ball = Ball(2.0, end, centre_zyx_um=(6.0, 6.0, 6.0))
        for frame in range(n_frames):
            sequence.write(
                frame, ball.distance_um(points, frame / (n_frames - 1)).reshape(grid.shape).astype(np.float32)
            )
    return path


SMALL = ["model.width=24", "model.depth=3", "model.code_dim=4", "model.code_layers=[1, 2]", "model.omega=6.0",
         "training.points_per_frame=256", "training.frames_per_batch=3", "training.checkpoint_epochs=2",
         "sampling.pool_points=3000"]  # fmt: skip


def small_config(*more: str) -> Config:
    """Settings small enough for a test."""
    return load_config(preset="quick", settings=[*SMALL, *more])

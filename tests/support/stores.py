"""Shape stores of exact shapes, for tests."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

from cytoform.shapes.grid import Grid
from cytoform.shapes.store import SequenceInfo, ShapeStore

GRID = Grid(32, 8.0)


def ball(radius_um: float, *, shift_zyx_um: tuple[float, float, float] = (0, 0, 0), grid: Grid = GRID) -> np.ndarray:
    """Signed distance to a ball in the middle of the cube, or shifted from there."""
    away = grid.points_zyx_um() - grid.half_extent_um - shift_zyx_um
    return (np.linalg.norm(away, axis=1) - radius_um).reshape(grid.shape).astype(np.float32)


def empty(grid: Grid = GRID) -> np.ndarray:
    """A frame without a cell."""
    return np.full(grid.shape, grid.half_extent_um, np.float32)


def lopsided(turn: Rotation, *, growth: float = 1.0, grid: Grid = GRID) -> np.ndarray:
    """Signed distance (outside) to three rotated balls in the middle of the cube, a shape with three different axes."""
    points_xyz = turn.inv().apply((grid.points_zyx_um() - grid.half_extent_um)[:, ::-1])
    balls = ((0.0, 0.0, 0.0), 2.2), ((2.6 * growth, 0.0, 0.0), 1.6), ((-0.6, 1.8, 0.0), 1.2)
    distances = [np.linalg.norm(points_xyz - centre, axis=1) - radius for centre, radius in balls]
    return np.min(distances, axis=0).reshape(grid.shape).astype(np.float32)


def write_store(
    path: Path,
    sequences: dict[str, Sequence[np.ndarray]],
    *,
    grid: Grid = GRID,
    command: str = "prepare",
    time_step_s: float | None = 60.0,
) -> Path:
    """A store of these distances."""
    store = ShapeStore.create(path, grid, band_um=2.0, attributes={"command": command})
    for name, frames in sequences.items():
        sequence = store.add(SequenceInfo(name, len(frames), time_step_s=time_step_s))
        for frame, sdf_um in enumerate(frames):
            sequence.write(frame, sdf_um)
    return path

"""Growing balls, and discs, with exact distances."""

from pathlib import Path

import numpy as np

from cytoform.shapes.grid import Grid
from cytoform.shapes.store import SequenceInfo, ShapeStore

FRAMES, GRID = 3, 16
WAIT_MS = 240_000  # for a job at most; on a busy machine the process alone takes a minute to start


def ball_um(grid: Grid, radius_um: float) -> np.ndarray:
    """Signed distance of a ball (a disc) in the middle of the cube."""
    centre = np.full(grid.n_dims, grid.half_extent_um)
    return (np.linalg.norm(grid.points_zyx_um() - centre, axis=1) - radius_um).reshape(grid.shape).astype(np.float32)


def write_balls(path: Path, n_dims: int, radii_um: tuple[float, ...] = (4.0, 5.0)) -> Path:
    """A store of growing balls, a sequence for each radius."""
    grid = Grid(GRID, 8.0, n_dims)
    store = ShapeStore.create(path, grid, band_um=3.0, attributes={"command": "test", "seed": 0})
    for number, radius_um in enumerate(radii_um):
        sequence = store.add(SequenceInfo(f"ball{number}", FRAMES, 60.0))
        for frame in range(FRAMES):
            sequence.write(frame, ball_um(grid, radius_um + 0.3 * frame))
    store.note()
    return path

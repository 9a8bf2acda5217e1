"""Balls with straight spikes: the distance to a ball united with capsules, whose number, lengths and places are known."""

from collections.abc import Mapping, Sequence

import numpy as np
from stores import ball

from cytoform.shapes.box import BoxedField
from cytoform.shapes.grid import Grid

GRID = Grid(57, 5.7)  # voxels of 0.2 µm, one of them in the middle
BODY_UM, THIN_UM = 1.8, 0.3
OPENING_UM = 0.8  # of a ball between spikes and body

# Directions, z y x, at right angles to each other.
UP, FRONT, SIDE = (1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)
Spikes = Mapping[tuple[float, float, float], float]


def spiky(spikes: Spikes, *, body_um: float = BODY_UM, grid: Grid = GRID) -> np.ndarray:
    """Signed distance (outside) to a ball in the middle of the cube with spikes: lengths beyond the ball by direction."""
    found = ball(body_um, grid=grid)
    for direction, length_um in spikes.items():
        found = np.minimum(found, capsule((0, 0, 0), direction, body_um + length_um - THIN_UM, grid=grid))
    return found


def capsule(
    start_zyx_um: Sequence[float], direction: Sequence[float], length_um: float, *, grid: Grid = GRID
) -> np.ndarray:
    """Signed distance to a capsule that starts at a point, from the middle of the cube; length between its end points."""
    points = grid.points_zyx_um() - grid.half_extent_um - start_zyx_um
    out = np.array(direction) / np.linalg.norm(direction)
    along = np.clip(points @ out, 0, length_um)
    away = np.linalg.norm(points - along[:, None] * out, axis=1)
    return (away - THIN_UM).reshape(grid.shape).astype(np.float32)


def field(sdf_um: np.ndarray, grid: Grid = GRID) -> BoxedField:
    """The field on the whole grid."""
    return BoxedField(grid, (0, 0, 0), sdf_um, float(np.abs(sdf_um).max()))


def moving(n_frames: int, lengths_um: Sequence[float]) -> list[np.ndarray]:
    """Frames with up to six spikes along the axes, 0.4 µm longer in every other frame."""
    ways = [UP, FRONT, SIDE, (-1.0, 0.0, 0.0), (0.0, -1.0, 0.0), (0.0, 0.0, -1.0)]
    return [
        spiky({way: length + 0.4 * (t % 2) for way, length in zip(ways, lengths_um, strict=False)})
        for t in range(n_frames)
    ]

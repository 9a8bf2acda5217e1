"""Shapes that move, divide or turn, as frames on a small grid: what lies between two of them is known exactly."""

import numpy as np
from scipy.spatial.transform import Rotation
from stores import GRID, ball

from cytoform.shapes.grid import Grid


def moving_ball(time: float) -> np.ndarray:
    """A ball of 3 µm that moves by 1.2 µm a frame, along x."""
    return ball(3.0, shift_zyx_um=(0, 0, 1.2 * time - 3))


def splitting_ball(time: float) -> np.ndarray:
    """Two balls of 2.6 µm whose centres part by 1 µm a frame."""
    return np.minimum(*(ball(2.6, shift_zyx_um=(0, 0, side * 0.5 * time)) for side in (-1, 1)))


def turning_ellipsoid(time: float, grid: Grid = GRID) -> np.ndarray:
    """About the distance to an ellipsoid of 5 × 2.5 × 2.5 µm that turns by 15° a frame about z."""
    points = grid.points_zyx_um() - grid.half_extent_um
    axes = np.array((2.5, 2.5, 5.0))
    turned = Rotation.from_euler("z", 15 * time, degrees=True).apply(points[:, ::-1])[:, ::-1]
    scaled = np.linalg.norm(turned / axes, axis=1)
    slope = np.linalg.norm(turned / axes**2, axis=1) / np.maximum(scaled, 1e-6)
    return ((scaled - 1) / np.maximum(slope, 0.2)).reshape(grid.shape).astype(np.float32)


def overlap(one: np.ndarray, other: np.ndarray) -> float:
    """Jaccard index of two masks."""
    return float((one & other).sum() / (one | other).sum())

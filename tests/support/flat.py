"""Cells in images with known figures, for tests."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import tifffile

from cytoform.shapes.grid import Grid
from cytoform.shapes.store import SequenceInfo, ShapeStore

FLAT = Grid(64, 8.0, 2)


def disc(radius_um: float, *, shift_yx_um: tuple[float, float] = (0, 0), grid: Grid = FLAT) -> np.ndarray:
    """Signed distance to a disc in the middle of the square, or shifted from there."""
    away = grid.points_zyx_um() - grid.half_extent_um - shift_yx_um
    return (np.linalg.norm(away, axis=1) - radius_um).reshape(grid.shape).astype(np.float32)


def box(half_yx_um: tuple[float, float], *, grid: Grid = FLAT, shift_yx_um: tuple[float, float] = (0, 0)) -> np.ndarray:
    """Signed distance to a rectangle."""
    beyond = np.abs(grid.points_zyx_um() - grid.half_extent_um - shift_yx_um) - half_yx_um
    distance = np.linalg.norm(np.maximum(beyond, 0), axis=1) + np.minimum(beyond.max(axis=1), 0)
    return distance.reshape(grid.shape).astype(np.float32)


def ellipse(
    half_yx_um: tuple[float, float], *, grid: Grid = FLAT, shift_yx_um: tuple[float, float] = (0, 0)
) -> np.ndarray:
    """Distance to an ellipse to first order, exact at its outline."""
    away = grid.points_zyx_um() - grid.half_extent_um - shift_yx_um
    level = np.linalg.norm(away / half_yx_um, axis=1)
    slope = np.maximum(np.linalg.norm(away / np.square(half_yx_um), axis=1), 1e-6)
    return (level * (level - 1) / slope).reshape(grid.shape).astype(np.float32)


def ellipse_mask(half_yx_um: tuple[float, float], spacing_yx_um: tuple[float, float], *, size_um: float) -> np.ndarray:
    """Pixels whose centres lie in an ellipse in the middle of a square image."""
    axes = [(np.arange(round(size_um / s)) + 0.5) * s - size_um / 2 for s in spacing_yx_um]
    y, x = np.meshgrid(*axes, indexing="ij")
    return np.hypot(y / half_yx_um[0], x / half_yx_um[1]) < 1


def write_flat(path: Path, sequences: dict[str, Sequence[np.ndarray]], *, grid: Grid = FLAT) -> Path:
    """A store of these distances."""
    store = ShapeStore.create(path, grid, band_um=1.0, attributes={"command": "test"})
    for name, frames in sequences.items():
        sequence = store.add(SequenceInfo(name, len(frames), time_step_s=60.0))
        for frame, sdf_um in enumerate(frames):
            sequence.write(frame, sdf_um)
    return path


def square(path: Path) -> Path:
    """A store of one cell in one image."""
    return write_flat(path, {"a": [box((3.0, 3.0))]})


def ellipses(path: Path, n: int = 6, n_frames: int = 4) -> Path:
    """A store of ellipses that become longer, each in its own direction of growth."""
    rng = np.random.default_rng(0)
    cells = {}
    for number in range(n):
        first, last = rng.uniform(2.5, 3.5), rng.uniform(3.5, 5.5)
        longs = np.linspace(first, last, n_frames)
        cells[f"cell{number}"] = [ellipse((2.2 + 0.1 * number, long)) for long in longs]
    return write_flat(path, cells)


def write_movie(path: Path, frames: np.ndarray, *, pixel_um: float = 0.25, time_step_s: float = 60.0) -> Path:
    """Labels over time as an ImageJ TIFF with axes T Y X."""
    metadata = {"axes": "TYX"[-frames.ndim :], "unit": "um", "finterval": time_step_s, "tunit": "s"}
    tifffile.imwrite(path, frames, imagej=True, resolution=(1 / pixel_um, 1 / pixel_um), metadata=metadata)
    return path


def dividing(n_frames: int = 6, size_px: int = 96) -> np.ndarray:
    """Labels of an ellipse that becomes two discs, and of a disc that grows."""
    y, x = np.indices((size_px, size_px))
    frames = np.zeros((n_frames, size_px, size_px), np.uint16)
    for t in range(n_frames):
        apart = 3.0 * t
        for side in (-1, 1):
            frames[t][np.hypot(y - 30, x - 40 - side * apart) < 11] = 1
        frames[t][np.hypot(y - 70, x - 60) < 9 + t] = 2
    return frames

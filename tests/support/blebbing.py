"""Balls with smaller balls that come and go on them: thick protrusions that are known exactly."""

import numpy as np
from protruding import GRID, OFF, cell, direction

from cytoform.shapes.grid import Grid

BODY_UM, BLEB_UM, HEIGHT_UM = 1.7, 0.9, 0.8  # HEIGHT_UM: of a bleb's centre above the surface of the body
N_FRAMES, LIFE, EVERY = 14, 4, 3  # frames


def births(seed: int) -> list[tuple[int, np.ndarray]]:
    """The first frame of every bleb, and its direction: each a third of a turn from the one before."""
    start = np.random.default_rng(seed).uniform(0, 360)
    return [(first, direction(start + 130 * n, 25 * (-1) ** n)) for n, first in enumerate(range(-3, N_FRAMES, EVERY))]


def blebbing_frames(seed: int = 0, *, grid: Grid = GRID) -> list[np.ndarray]:
    """A movie; a bleb is smaller in the first and the last of its frames."""
    frames = []
    for frame in range(N_FRAMES):
        balls = [(OFF, BODY_UM)]
        for first, out in births(seed):
            if first <= frame < first + LIFE:
                size = BLEB_UM * (0.8 if frame in {first, first + LIFE - 1} else 1.0)
                balls.append((OFF + (BODY_UM + HEIGHT_UM / BLEB_UM * size) * out, size))
        frames.append(cell([], balls=balls, grid=grid))
    return frames

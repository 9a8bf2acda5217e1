"""Stores of balls with straight spikes, whose number, lengths and places are known."""

from collections.abc import Mapping, Sequence

import numpy as np
from protruding import BODY_UM, GRID, MIDDLE, cell, spike

from cytoform.shapes.tubes import Tube

Direction = tuple[float, float, float]
CENTRE = MIDDLE + GRID.spacing_um / 2  # in the middle of a voxel
# Directions, z y x, at right angles to each other.
UP, FRONT, SIDE = (1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)


def spiky(spikes: Mapping[Direction, float]) -> np.ndarray:
    """Signed distance to a ball with spikes: lengths in µm beyond the ball, by direction."""
    return united(
        *(spike(np.array(out) / np.linalg.norm(out), length, centre=CENTRE) for out, length in spikes.items())
    )


def united(*tubes: Tube) -> np.ndarray:
    """Signed distance to the ball with these tubes."""
    return cell(tubes, balls=((CENTRE, BODY_UM),))


def moving(n_frames: int, lengths_um: Sequence[float]) -> list[np.ndarray]:
    """Frames with up to three spikes at right angles, 0.4 µm longer in every other frame."""
    return [
        spiky({out: length + 0.4 * (t % 2) for out, length in zip((UP, FRONT, SIDE), lengths_um, strict=False)})
        for t in range(n_frames)
    ]

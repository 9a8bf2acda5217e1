"""Movies of square cells in images, with known tracks."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from cytoform.movies.ctc import CtcWriter
from cytoform.movies.lineage import Lineage, Track

SIDE, PIXEL_UM, STEP_S = 60, 0.5, 120.0


def frame_of(corners: Mapping[int, tuple[int, int]], side: int = 6) -> np.ndarray:
    """Labels of squares by their first pixels (y, x); those beyond the field are cut."""
    labels = np.zeros((1, SIDE, SIDE), np.uint16)
    for label, (y, x) in corners.items():
        labels[0, max(y, 0) : y + side, max(x, 0) : x + side] = label
    return labels


def two_squares(frame: int) -> dict[int, tuple[int, int]]:
    """Cell 1 moves by 2 pixels a frame along x, cell 2 rests until it divides into 3 and 4 in frame 5."""
    there = {1: (10, 5 + 2 * frame)}
    return there | ({2: (40, 30)} if frame < 5 else {3: (40, 24), 4: (40, 36)})


def write_squares(folder: Path, n_frames: int = 10, *, scale: bool = True) -> Path:
    """Write this movie as a Challenge folder."""
    writer = CtcWriter(folder, n_frames, (PIXEL_UM,) * 3, STEP_S if scale else None)
    for frame in range(n_frames):
        writer.write(frame, frame_of(two_squares(frame)))
    last = n_frames - 1
    writer.finish(Lineage((Track(1, 0, last, 0), Track(2, 0, 4, 0), Track(3, 5, last, 2), Track(4, 5, last, 2))))
    return folder

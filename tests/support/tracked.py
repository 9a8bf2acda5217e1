"""Tracks of bent protrusions on a ball, as a sequence that was taken apart."""

import numpy as np

from cytoform.protrusions.curves import Curve
from cytoform.protrusions.parts import PartsOfFrame, PartsOfSequence
from cytoform.protrusions.tracks import Track

HALF_UM, BODY_UM, N_FRAMES = 10.0, 2.0, 11
CENTRE = np.full(3, HALF_UM)


def bent(length_um: float, bend: float, *, start=None, radius_um: float = 0.2) -> Curve:
    """An arc in the plane of x and y that starts along x and turns by `bend` rad over 4 µm."""
    if start is None:
        start = CENTRE + np.array([0, 0, BODY_UM])
    arc = np.linspace(0, length_um, 30)
    angle = bend * arc / 4
    tangents = np.stack([0 * arc, np.sin(angle), np.cos(angle)], axis=1)
    steps = (tangents[1:] + tangents[:-1]) / 2 * np.diff(arc)[:, None]
    line = start + np.concatenate([np.zeros((1, 3)), np.cumsum(steps, axis=0)])
    return Curve(line, np.full(30, radius_um), np.array([0.0, 0.0, 1.0]))


def sequence(*tracks: Track) -> PartsOfSequence:
    frame = PartsOfFrame([], 40.0, 35.0, CENTRE, 1)
    return PartsOfSequence("s", N_FRAMES, 10.0, 0.5, [frame] * N_FRAMES, list(tracks))


def lengths(first: int, last: int, longest: float = 4.0) -> dict[int, float]:
    """Grows by 1 µm a frame, stays and withdraws."""
    return {f: min(1.0 * (f - first + 1), longest, 1.0 * (last - f + 1)) for f in range(first, last + 1)}

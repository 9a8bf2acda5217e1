"""Paths through the space of codes, from one cell's code to another's."""

from collections.abc import Callable
from typing import Literal

import numpy as np
from jaxtyping import Float

from cytoform.errors import InputError

PathKind = Literal["straight", "spherical"]
# Directions that are opposite to within this leave the plane of the turn undefined in float32.
OPPOSITE = 1e-6


def code_path(
    start: Float[np.ndarray, " code"], end: Float[np.ndarray, " code"], steps: int, *, kind: PathKind
) -> Float[np.ndarray, "steps code"]:
    """`steps` codes at equal distances along a path; the first and the last are `start` and `end` to the bit.

    straight: the line between them. spherical: the direction turns at an even rate in the plane of both codes while the
    length goes evenly from one to the other, so that codes between cells are as long as codes of cells; a code of zero has no
    direction, and the path is straight. Codes of opposite directions turn towards the axis that they have
    least of; of a single number, they take the straight path. Raises InputError for fewer than 2 steps.
    """
    weights = path_weights(steps)[:, None]
    path = PATHS[kind](start.astype(np.float64), end.astype(np.float64), weights).astype(np.float32)
    path[0], path[-1] = start, end
    return path


def path_weights(steps: int) -> Float[np.ndarray, " steps"]:
    """How far along a path each step lies, 0 to 1. Raises InputError for fewer than 2 steps."""
    if steps < 2:
        raise InputError(f"--steps {steps}: a path has at least 2, its two ends")
    return np.linspace(0.0, 1.0, steps)


def _straight(start: np.ndarray, end: np.ndarray, weights: np.ndarray) -> np.ndarray:
    return (1 - weights) * start + weights * end


def _spherical(start: np.ndarray, end: np.ndarray, weights: np.ndarray) -> np.ndarray:
    length_start, length_end = float(np.linalg.norm(start)), float(np.linalg.norm(end))
    if min(length_start, length_end) == 0:
        return _straight(start, end, weights)
    ahead, target = start / length_start, end / length_end
    cosine = float(ahead @ target)
    aside = target - cosine * ahead
    angle = np.arctan2(np.linalg.norm(aside), cosine)
    if np.linalg.norm(aside) < OPPOSITE and cosine < 0:
        axis = np.eye(1, len(ahead), int(np.abs(ahead).argmin()))[0]
        aside = axis - (axis @ ahead) * ahead
    if np.linalg.norm(aside) < OPPOSITE:
        return _straight(start, end, weights)
    directions = np.cos(weights * angle) * ahead + np.sin(weights * angle) * aside / np.linalg.norm(aside)
    return np.asarray((length_start + weights * (length_end - length_start)) * directions)


PATHS: dict[PathKind, Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]] = {
    "straight": _straight,
    "spherical": _spherical,
}

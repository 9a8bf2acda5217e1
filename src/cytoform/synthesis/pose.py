"""Which way a generated cell lies: runs that turned their sequences give cells in any pose."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Literal

import numpy as np
from jaxtyping import Float

from cytoform.errors import InputError
from cytoform.representations import rotation
from cytoform.runs.run import Run
from cytoform.synthesis.field import Field
from cytoform.synthesis.render import RenderedFrame

Pose = Literal["random", "canonical"]
POSES = 5  # a stream of random numbers
# How often a pose is drawn in which the cube cuts the cell, and the grid on which that is seen.
TRIES, TRIAL_GRID = 100, 64
REMEDY = (
    "draw closer to the learned codes, choose another --pose, or prepare with a larger --half-extent and train anew"
)


def chosen_pose(run: Run, wanted: Pose | None) -> Pose:
    """What is wanted, or what suits the run. Raises InputError for random poses of a run that knows but one."""
    if wanted == "random" and not run.config.has_rotations:
        raise InputError(
            f"--pose random: {run.path} knows its cells in the pose they had only; train with --align principal"
        )
    return wanted or ("random" if run.config.has_rotations else "canonical")


def draw_rotation(
    field: Field, times: Float[np.ndarray, " frames"], name: str, rng: np.random.Generator
) -> Float[np.ndarray, " 4"]:
    """A uniform rotation, among those in which the cube holds the whole cell; `name` is for messages.

    Raises InputError where none is found.
    """
    for _ in range(TRIES):
        drawn = rotation.random(1, rng)[0]
        turned = replace(field, rotation=drawn)
        if not any(is_cut(turned.render(float(time), TRIAL_GRID)) for time in times):
            return drawn.numpy()
    raise InputError(f"{name}: the cube cuts the cell in each of {TRIES} poses; {REMEDY}")


def uncut(frames: Iterable[RenderedFrame], name: str) -> Iterator[RenderedFrame]:
    """The frames as they come. Raises InputError at one in which the cell leaves the cube."""
    for number, frame in enumerate(frames):
        if is_cut(frame):
            raise InputError(f"{name}, frame {number}: the cube cuts the cell; {REMEDY}")
        yield frame


def is_cut(frame: RenderedFrame) -> bool:
    """Whether an outermost voxel of the grid is inside the cell."""
    inside = frame.box_sdf_um <= 0
    for axis, low in enumerate(frame.corner_zyx):
        filled = low + np.flatnonzero(inside.any(axis=tuple({0, 1, 2} - {axis})))
        if len(filled) and (filled[0] == 0 or filled[-1] == frame.grid.size - 1):
            return True
    return False

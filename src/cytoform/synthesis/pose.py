"""The pose of a generated cell: runs with rotations give cells in any pose."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Literal

import numpy as np
from jaxtyping import Float

from cytoform.errors import InputError
from cytoform.representations import rotation
from cytoform.runs.run import Run
from cytoform.shapes.box import BoxedField
from cytoform.shapes.grid import CUBES
from cytoform.synthesis.edge import Edge
from cytoform.synthesis.field import CodeField
from cytoform.synthesis.options import SAFETY
from cytoform.synthesis.render import bounds_at

Pose = Literal["random", "canonical"]
POSES = 5  # a stream of random numbers
# How often a pose is drawn in which the cube cuts the cell, and the grid on which that is seen.
TRIES, TRIAL_GRID = 100, 64
REMEDY = (
    "draw closer to the learned codes, choose another --pose, or prepare with a larger --half-extent and train anew"
)


class NoPoseError(InputError):
    """The cube cuts a cell in every pose."""


def chosen_pose(run: Run, wanted: Pose | None) -> Pose:
    """The wanted pose, or the default of the run. Raises InputError for random poses of a run without rotations."""
    if wanted == "random" and not run.config.has_rotations:
        raise InputError(
            f"--pose random: {run.path} knows its cells in the pose they had only; train with --align principal"
        )
    return wanted or ("random" if run.config.has_rotations else "canonical")


def draw_rotation(
    field: CodeField, times: Float[np.ndarray, " frames"], name: str, rng: np.random.Generator
) -> Float[np.ndarray, " 4"]:
    """A random rotation, uniform among the poses in which the cube holds the whole cell; `name` is for messages.

    Raises NoPoseError where none is found.
    """
    upright = replace(field, rotation=None)
    frames = [upright.at(float(time)) for time in times]
    for _ in range(TRIES):
        drawn = rotation.random(1, rng, field.n_dims)[0]
        turn = rotation.to_matrix(drawn[None], field.n_dims)[0]
        edge = Edge.of(TRIAL_GRID, field.n_dims).turned(turn)
        if not any(edge.is_covered(frame, bounds_at(frame, field.bounds, SAFETY)) for frame in frames):
            return drawn.numpy()
    raise NoPoseError(f"{name}: the {CUBES[field.n_dims]} cuts the cell in each of {TRIES} poses; {REMEDY}")


def uncut(frames: Iterable[BoxedField], name: str) -> Iterator[BoxedField]:
    """The frames as they come. Raises InputError at one in which the cell leaves the cube."""
    for number, frame in enumerate(frames):
        if frame.is_cut:
            raise InputError(f"{name}, frame {number}: the {CUBES[frame.grid.n_dims]} cuts the cell; {REMEDY}")
        yield frame

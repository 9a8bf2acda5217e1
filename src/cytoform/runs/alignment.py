"""The principal frame of every sequence of a shape store (`data.align = "principal"`)."""

from itertools import groupby

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from cytoform.representations.rotation import Moments, principal_rotation
from cytoform.runs.samples import TrainingFrame
from cytoform.shapes.box import BoxedField
from cytoform.shapes.store import ShapeSequence, ShapeStore


def principal_rotations(store: ShapeStore, frames: list[TrainingFrame]) -> Float[Tensor, "sequences 4"]:
    """One rotation a sequence, from all its training frames together: every voxel inside the cell counts alike."""
    rotations = []
    for name, group in groupby(frames, key=lambda frame: frame.sequence):
        first, *others = (moments_of(store[name], frame.frame) for frame in group)
        rotations.append(principal_rotation(sum(others, start=first)))
    return torch.stack(rotations)


def moments_of(sequence: ShapeSequence, frame: int) -> Moments:
    """The moments of one frame, in half extents from the centre of the cube."""
    return moments_inside(sequence.box(frame))


def moments_inside(field: BoxedField) -> Moments:
    """The moments of the voxels inside a cell, in half extents from the centre of the cube."""
    voxels_zyx = np.argwhere(field.inside) + np.array(field.corner_zyx)
    points_zyx = (voxels_zyx + 0.5) * 2 / field.grid.size - 1
    return Moments.of(torch.from_numpy(points_zyx[:, ::-1].copy()))

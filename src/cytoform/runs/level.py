"""The level of a trained network: learned cells are to have their volume.

The mean absolute error hardly changes when a field is moved by a twentieth of a voxel, but all volumes change in the same
direction. Bodies of cells taken apart are too small besides: an opening loses what a rough surface has beyond it.
"""

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float

from cytoform.protrusions.body import shares
from cytoform.representations.representation import ScaledFrame
from cytoform.runs.run import Run
from cytoform.runs.samples import TrainingFrame
from cytoform.shapes.store import ShapeStore

# Learned frames, at equal places of their list, and voxels of each, that are compared.
FRAMES, VOXELS = 32, 4096
# Around the learned surface; beyond, bodies have protrusions. A field is moved by no more than this.
REACH_VOXELS = 1.0
ROUNDS, BISECTIONS = 2, 30  # protrusions do not move with their body, so that the first round is a little off


def mend_level(run: Run, frames: Sequence[TrainingFrame], cells: ShapeStore, learned: ShapeStore) -> None:
    """Move the field of a trained network so that learned cells have as much volume near their surfaces as `cells`.

    `learned` has the shapes that the network learned: the cells themselves, or their bodies. A volume counts the share of
    every voxel that is inside.
    """
    chosen = [frames[row] for row in np.unique(np.linspace(0, len(frames) - 1, FRAMES).astype(int))]
    for _ in range(ROUNDS):
        near = [_near(run, frame, cells, learned) for frame in chosen]
        run.decoder.lower(_level(*np.concatenate(near, axis=1), spacing=2 / cells.grid.size))


def _near(run: Run, place: TrainingFrame, cells: ShapeStore, learned: ShapeStore) -> Float[np.ndarray, "3 n"]:
    """Of voxels near the surface of a frame: the distance in half extents, the share that is inside, the scale of the cell."""
    grid, box = cells.grid, learned[place.sequence].box(place.frame)
    voxels = np.argwhere(np.abs(box.box_sdf_um) < REACH_VOXELS * grid.spacing_um)
    voxels = voxels[:: max(-(-len(voxels) // VOXELS), 1)] + np.array(box.corner_zyx)
    inside = shares(cells[place.sequence].box(place.frame).at(voxels), grid.spacing_um)
    frame = run.frame(place.sequence, place.time)
    points = torch.tensor((voxels[:, ::-1] + 0.5) * 2 / grid.size - 1, dtype=torch.float32, device=frame.device)
    scale = frame.scale if isinstance(frame, ScaledFrame) else 1.0
    return np.stack([frame(points).cpu().double().numpy(), inside, np.full(len(inside), scale)])


def _level(
    found: Float[np.ndarray, " n"], inside: Float[np.ndarray, " n"], scales: Float[np.ndarray, " n"], *, spacing: float
) -> float:
    """How much too large distances are, by bisection. A cell of another size has its distances moved by that much more."""
    low, high = -REACH_VOXELS * spacing, REACH_VOXELS * spacing
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        is_small = shares(found - middle * scales, spacing).sum() < inside.sum()
        low, high = (middle, high) if is_small else (low, middle)
    return (low + high) / 2

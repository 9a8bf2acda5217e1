"""Shape sequences as Cell Tracking Challenge ground truth."""

from itertools import groupby
from pathlib import Path

import numpy as np

from cytoform.movies.ctc import CtcWriter
from cytoform.movies.lineage import Lineage, Track
from cytoform.shapes.store import ShapeSequence


def write_ctc(sequence: ShapeSequence, folder: Path) -> None:
    """Write a sequence as the next NN_GT: the whole family under one label, in the coordinates of the cube.

    A shape store does not know which daughter is which, so a family is one track. A track may not have gaps: after
    empty frames the family goes on under the next label, with the one before as its parent.
    """
    info, spacing_um = sequence.info, sequence.grid.spacing_um
    writer = CtcWriter(
        folder,
        info.n_frames,
        (spacing_um, spacing_um, spacing_um),
        time_step_s=info.time_step_s,
        sequence=f"{len(list(folder.glob('*_GT'))) + 1:02d}",
    )
    label, labels = 0, []
    before = False
    for frame in range(info.n_frames):
        mask = sequence.mask(frame)
        present = bool(mask.any())
        label += present and not before
        before = present
        labels.append(label if present else 0)
        writer.write(frame, (mask * label).astype(np.uint16))
    writer.finish(Lineage(_tracks(labels)))


def _tracks(labels: list[int]) -> tuple[Track, ...]:
    """Tracks of the labels seen in each frame; 0 is none."""
    frames = groupby(range(len(labels)), key=lambda frame: labels[frame])
    runs = [(label, list(run)) for label, run in frames if label]
    return tuple(Track(label, run[0], run[-1], parent=label - 1) for label, run in runs)

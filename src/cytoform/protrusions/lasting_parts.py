"""A sequence taken apart into a body that lasts and protrusions that come and go (lasting.py, pieces.py)."""

from pathlib import Path

import cc3d
import numpy as np

from cytoform.protrusions.body import BAND_VOXELS, shares
from cytoform.protrusions.lasting import around, lasting_body, on_one_box, window_of
from cytoform.protrusions.parts import PartsOfFrame, PartsOfSequence
from cytoform.protrusions.pieces import Piece, labelled, pieces_of
from cytoform.protrusions.tracks import Track
from cytoform.shapes.box import BoxedField
from cytoform.shapes.store import ShapeSequence, ShapeStore


def lasting_parts(path: Path, out: Path | None, name: str, frames: range, *, coarser: int = 1) -> PartsOfSequence:
    """One sequence of a store taken apart, the given frames of it; the bodies go into the store `out`, on the same grid.

    The frames of a window are in memory, and the distances around all protrusions. Raises ValueError for a movie that is
    too short for a window.
    """
    sequence = ShapeStore.open(path)[name]
    bodies = None if out is None else ShapeStore.open(out, writable=True)[name]
    window = window_of(sequence.info.n_frames)
    if window is None:
        raise ValueError(f"{name}: {sequence.info.n_frames} frames are too few to tell what lasts")
    known: dict[int, BoxedField] = {}
    before, n_labels = np.zeros([side // coarser for side in sequence.grid.shape], np.int32), 0
    found: list[PartsOfFrame] = []
    tracks: dict[int, Track] = {}
    for frame in frames:
        near = around(frame, sequence.info.n_frames, window)
        known = {number: known[number] if number in known else sequence.box(number).coarser(coarser) for number in near}
        if known[frame].is_empty:
            found.append(_empty(sequence))
            continue
        filled = [number for number in near if not known[number].is_empty]
        fields = on_one_box([known[number] for number in filled], int(BAND_VOXELS) + 1)
        field, body = fields[filled.index(frame)], lasting_body(fields, sequence.band_um)
        labels = labelled(field, body, before, n_labels)
        n_labels = max(n_labels, int(labels.max()))
        before = np.zeros_like(before)
        before[field.slices] = labels
        pieces = pieces_of(field, body, labels)
        for label, piece in pieces.items():
            tracks.setdefault(label, Track(label, None)).curves[frame] = piece
        found.append(_frame(field, body, list(pieces.values())))
        if bodies is not None:
            bodies.write_box(frame, body)
    return PartsOfSequence(
        name, len(frames), sequence.info.time_step_s, None, found, [tracks[label] for label in sorted(tracks)]
    )


def _frame(field: BoxedField, body: BoxedField, pieces: list[Piece]) -> PartsOfFrame:
    spacing_um = field.grid.spacing_um
    inside = np.argwhere(body.inside)
    if not len(inside):
        return PartsOfFrame([], _volume_um3(field), 0.0, np.full(3, field.grid.half_extent_um), 0)
    centre = (inside.mean(axis=0) + np.array(field.corner_zyx) + 0.5) * spacing_um
    n_bodies = int(cc3d.connected_components(body.inside, connectivity=26).max())
    return PartsOfFrame(list(pieces), _volume_um3(field), _volume_um3(body), centre, n_bodies)


def _empty(sequence: ShapeSequence) -> PartsOfFrame:
    return PartsOfFrame([], 0.0, 0.0, np.full(3, sequence.grid.half_extent_um), 0)


def _volume_um3(field: BoxedField) -> float:
    return float(shares(field.box_sdf_um, field.grid.spacing_um).sum()) * field.grid.spacing_um**3

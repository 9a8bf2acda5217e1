"""A frame between two known ones, where cells are bodies with protrusions: the body, and tracked protrusions as tubes.

What body and tubes lose of the two known frames is added to the frame between, so that these come back at either end.
"""

from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from cytoform.base.triples import ints
from cytoform.completion.fields import BoxOfFrames, Field
from cytoform.completion.registration import SMOOTH, halfway
from cytoform.protrusions.between import tubes_between
from cytoform.protrusions.curves import OUTSIDE_VOXELS
from cytoform.protrusions.decompose import parts_of
from cytoform.protrusions.parts import PartsOfFrame
from cytoform.shapes.box import BoxedField
from cytoform.shapes.tubes import Tube, add_solids

FILLET_RADII = 1.2  # width of the rounding where tubes meet the body, in mean radii of the tubes
BESIDE_VOXELS = 2.0  # beside a protrusion, where the cell is replaced by its body
BAND_VOXELS = 4.0  # around tubes; beyond, distances to the body stand for the cell


@dataclass(frozen=True, eq=False)
class PairOfFrames:
    """Two known frames of a box, and the radius of the ball that tells bodies from protrusions."""

    box: BoxOfFrames
    frames: tuple[int, int]
    radius_um: float


def parts_between(pair: PairOfFrames, share: float) -> Field | None:
    """The field at `share` of the way; None where a frame is too thin to have a body."""
    (before, body_before), (after, body_after) = (
        parts_of(pair.box.stored[frame], pair.radius_um) for frame in pair.frames
    )
    if body_before.is_empty or body_after.is_empty:
        return None
    smooth = (_smoothed(before, body_before, pair, pair.frames[0]), _smoothed(after, body_after, pair, pair.frames[1]))
    step_um = body_before.grid.spacing_um
    between = _united(halfway(*smooth, share, SMOOTH), tubes_between(before, after, share, step_um), pair)
    for frame, parts, body, weight in zip(pair.frames, (before, after), smooth, (1 - share, share), strict=True):
        rebuilt = _united(body, tubes_between(parts, parts, 0.5, step_um), pair)
        between += np.float32(weight) * (pair.box.by_frame[frame] - rebuilt)
    return between


def _smoothed(parts: PartsOfFrame, body: BoxedField, pair: PairOfFrames, frame: int) -> Field:
    """The cell without its protrusions: near these its body, and elsewhere the cell, whose edges an opening rounds."""
    cell, opened = pair.box.by_frame[frame], pair.box.on_it(body)
    if not parts.curves:
        return cell
    spacing_um = body.grid.spacing_um
    places = np.concatenate([curve.line_zyx_um for curve in parts.curves]) / spacing_um - 0.5
    reach = max(float(curve.radii_um.max()) for curve in parts.curves) / spacing_um + BESIDE_VOXELS
    outside = np.argwhere((opened > OUTSIDE_VOXELS) & (cell < BAND_VOXELS))
    distances, _ = cKDTree(places - pair.box.corner_zyx).query(outside, distance_upper_bound=reach)
    found, near = cell.copy(), tuple(outside[np.isfinite(distances)].T)
    found[near] = opened[near]
    return found


def _united(body: Field, tubes: list[Tube], pair: PairOfFrames) -> Field:
    """The body and tubes in µm, in voxels on the box of the body."""
    if not tubes:
        return body
    grid = pair.box.stored[pair.frames[0]].grid
    half_um, voxel = grid.half_extent_um, 2 / grid.size
    fillet = FILLET_RADII * float(np.mean([tube.radii.mean() for tube in tubes])) / half_um
    inside = [Tube(tube.line[:, ::-1] / half_um - 1, tube.radii / half_um) for tube in tubes]
    whole, corner_zyx = add_solids(
        inside, body * voxel, ints(pair.box.corner_zyx), grid.size, band=BAND_VOXELS * voxel, fillet=fillet
    )
    start = np.subtract(pair.box.corner_zyx, corner_zyx)
    cropped = whole[tuple(slice(s, s + n) for s, n in zip(start, body.shape, strict=True))]
    return np.asarray(cropped / voxel, np.float32)

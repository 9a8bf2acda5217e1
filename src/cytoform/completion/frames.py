"""Frames between and beyond known frames: hidden ones for a test, and missing ones for the result."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float32

from cytoform.base.triples import IntTriple
from cytoform.completion.beyond import Beyond, lag_of, ways_beyond
from cytoform.completion.fields import BoxOfFrames, Field, fields_of
from cytoform.completion.gaps import Gap
from cytoform.completion.mixture import Example, Mixture, Ways
from cytoform.completion.predictions import Predicted
from cytoform.completion.tracked import PairOfFrames
from cytoform.completion.uncertainty import SURFACE_VOXELS, Calibration, rms
from cytoform.completion.ways import Between, ways_with
from cytoform.shapes.distance import distance_of_level
from cytoform.shapes.grid import Grid
from cytoform.shapes.level import Level
from cytoform.shapes.sequence import ShapeSequence
from cytoform.shapes.store import ShapeStore


@dataclass(frozen=True, eq=False)
class Filled:
    """A made frame: signed distance on the whole grid in µm, and the expected error of its surface in µm."""

    sdf_um: Float32[np.ndarray, "n n n"]
    expected_error_um: float | None


def hide(store: Path, gap: Gap, predicted: Predicted | None, radius_um: float | None) -> Example:
    """All ways at a hidden frame, beside the truth; `predicted` is what a model expects that has not seen it.

    `radius_um` is that of the ball that tells bodies from protrusions; None where cells are not to be taken apart.
    """
    hidden = int(gap.position)
    box = fields_of(ShapeStore.open(store)[gap.sequence], [*gap.known, hidden])
    around = _around(gap, box, predicted, radius_um)
    values = [way(around.known) for way in around.ways.values()]
    nearest = box.by_frame[gap.nearest]
    return Example.of(
        values, box.by_frame[hidden], before=around.before, after=around.after, nearest=nearest, width=around.width
    )


def fill_frame(
    sequence: ShapeSequence,
    gap: Gap,
    mixture: Mixture,
    calibration: Calibration,
    predicted: Predicted | None,
    radius_um: float | None,
) -> Filled:
    """The frame at a gap, by a mixture of the ways between known frames, or beyond the first or last of them."""
    box = fields_of(sequence, gap.known)
    around = _around(gap, box, predicted, radius_um)
    is_copy = not gap.is_between and not mixture.shares
    field = box.by_frame[gap.nearest] if is_copy else mixture.field(around.ways, around.known)
    if not (field <= 0).any():  # the neighbours do not overlap
        return Filled(sequence.sdf_um(gap.nearest), None)
    change = rms((around.before - around.after)[np.abs(field) < SURFACE_VOXELS])
    expected = calibration.expected(change, share=around.share, width=around.width)
    return Filled(
        sequence.sdf_um(gap.nearest) if is_copy else as_distance(field, box.corner_zyx, sequence.grid),
        None if expected is None else expected * sequence.grid.spacing_um,
    )


def as_distance(field: Field, corner_zyx: IntTriple, grid: Grid) -> Float32[np.ndarray, "n n n"]:
    """Signed distance in µm to the zero of a field in voxels on a box of the grid, on the whole grid."""
    # A cell that reaches the border of the grid ends there.
    closed = np.pad(field, 2, mode="edge")
    closed[_outer(closed)] = np.maximum(closed[_outer(closed)], 1)
    first_um = (np.array(corner_zyx) - 1.5) * grid.spacing_um
    level = Level(closed * np.float32(grid.spacing_um), np.full(3, grid.spacing_um), first_um)
    centre = grid.half_extent_um
    return distance_of_level(level, grid, (centre, centre, centre))


def _outer(field: Field) -> Bool[np.ndarray, "..."]:
    """The voxels of the outermost two layers."""
    outer = np.ones(field.shape, bool)
    outer[tuple(slice(2, -2) for _ in field.shape)] = False
    return outer


@dataclass(frozen=True, eq=False)
class _Around:
    """The ways at a gap, and the known fields that they take.

    The change between `before` and `after` gives the expected error; `share` and `width` are the gap's place and size.
    """

    ways: Ways
    known: Between | Beyond
    before: Field
    after: Field
    share: float
    width: float


def _around(gap: Gap, box: BoxOfFrames, predicted: Predicted | None, radius_um: float | None) -> _Around:
    fields, model = box.by_frame, predicted is not None
    if gap.is_between:
        before, after = gap.neighbours
        expected = predicted.at((before, gap.position, after), box) if predicted else ()
        known = tuple(fields[frame] for frame in gap.known)
        pair = None if radius_um is None else PairOfFrames(box, gap.neighbours, radius_um)
        between = Between(gap.position, tuple(map(float, gap.known)), known, expected, pair)
        ways = ways_with(model=model, protrusions=pair is not None)
        return _Around(ways, between, fields[before], fields[after], between.share, gap.width)
    behind = gap.known[0] if gap.nearest == gap.known[-1] else gap.known[-1]
    expected = predicted.at((gap.nearest, gap.position), box) if predicted else ()
    beyond = Beyond(fields[gap.nearest], fields[behind], lag_of(gap), expected)
    width = abs(gap.position - gap.nearest)
    return _Around(ways_beyond(model=model), beyond, beyond.behind, beyond.nearest, 0.5, width)

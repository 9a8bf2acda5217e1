"""Frames between known frames: hidden ones for a test, and missing ones for the result."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float32

from cytoform.base.triples import IntTriple
from cytoform.completion.fields import BoxOfFrames, Field, fields_of
from cytoform.completion.gaps import Gap
from cytoform.completion.mixture import Example, Mixture
from cytoform.completion.predictions import Predicted
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


def hide(store: Path, gap: Gap, predicted: Predicted | None) -> Example:
    """All ways at a hidden frame, beside the truth; `predicted` is what a model expects that has not seen it."""
    hidden = int(gap.position)
    box = fields_of(ShapeStore.open(store)[gap.sequence], [*gap.known, hidden])
    between = _between(gap, box, predicted)
    before, after = between.nearest
    values = [way(between) for way in ways_with(model=predicted is not None).values()]
    return Example.of(
        values, box.by_frame[hidden], before=before, after=after, nearest=box.by_frame[gap.nearest], width=gap.width
    )


def fill_frame(
    sequence: ShapeSequence, gap: Gap, mixture: Mixture, calibration: Calibration, predicted: Predicted | None
) -> Filled:
    """The frame at a gap: the mixture between known frames; beyond the first or last known one, a copy of that one."""
    box = fields_of(sequence, gap.known)
    if not gap.is_between:
        return Filled(sequence.sdf_um(gap.nearest), _beyond_um(box, gap, calibration, sequence.grid))
    between = _between(gap, box, predicted)
    field = mixture.field(ways_with(model=predicted is not None), between)
    if not (field <= 0).any():  # the neighbours do not overlap
        return Filled(sequence.sdf_um(gap.nearest), None)
    before, after = between.nearest
    change = rms((before - after)[np.abs(field) < SURFACE_VOXELS])
    expected = calibration.expected(change, share=between.share, width=gap.width)
    return Filled(
        as_distance(field, box.corner_zyx, sequence.grid),
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


def _between(gap: Gap, box: BoxOfFrames, predicted: Predicted | None) -> Between:
    before, after = gap.neighbours
    return Between(
        gap.position,
        tuple(map(float, gap.known)),
        tuple(box.by_frame[frame] for frame in gap.known),
        () if predicted is None else predicted.at((before, gap.position, after), box),
    )


def _beyond_um(box: BoxOfFrames, gap: Gap, calibration: Calibration, grid: Grid) -> float | None:
    """Change between the two known frames nearest to the gap, for the time that lies between it and the nearer one."""
    if len(gap.known) < 2 or calibration.factor is None:
        return None
    first, second = gap.known[:2] if gap.position < gap.known[0] else gap.known[-2:]
    change = rms((box.by_frame[first] - box.by_frame[second])[np.abs(box.by_frame[gap.nearest]) < SURFACE_VOXELS])
    lag = abs(gap.position - gap.nearest) / (second - first)
    return change * float(np.sqrt(lag)) * grid.spacing_um

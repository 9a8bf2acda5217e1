"""Distance fields of several frames on one common box, also beyond the band of the store."""

from collections.abc import Iterable
from dataclasses import dataclass

import edt
import numpy as np
from jaxtyping import Bool, Float32

from cytoform.base.triples import IntTriple, int_triple
from cytoform.shapes.box import BoxedField
from cytoform.shapes.sequence import ShapeSequence

Field = Float32[np.ndarray, "..."]
MARGIN_VOXELS = 6


@dataclass(frozen=True, eq=False)
class BoxOfFrames:
    """Signed distances in voxels, by frame, on one box of the grid; `corner_zyx` is its first voxel."""

    corner_zyx: IntTriple
    by_frame: dict[int, Field]
    stored: dict[int, BoxedField]  # as in the store, on tight boxes

    def on_it(self, body: BoxedField) -> Field:
        """Signed distance in voxels to the body of one of the frames, which is not empty, also beyond the band."""
        low = np.array(self.corner_zyx)
        return _everywhere(body.tight(MARGIN_VOXELS - 1), low, low + next(iter(self.by_frame.values())).shape)


def fields_of(sequence: ShapeSequence, frames: Iterable[int]) -> BoxOfFrames:
    """Signed distances of non-empty frames. Memory grows with the cell, not with the grid."""
    boxes = {frame: sequence.box(frame).tight(MARGIN_VOXELS) for frame in frames}
    low = np.min([box.corner_zyx for box in boxes.values()], axis=0)
    high = np.max([[side.stop for side in box.slices] for box in boxes.values()], axis=0)
    return BoxOfFrames(int_triple(low), {frame: _everywhere(box, low, high) for frame, box in boxes.items()}, boxes)


def mean_mask(sequence: ShapeSequence, before: int, after: int, share: float = 0.5) -> Bool[np.ndarray, "z y x"]:
    """The mask at a `share` of the way between two frames by the mean of their distances: the baseline of all ways."""
    box = fields_of(sequence, (before, after))
    field = (1 - share) * box.by_frame[before] + share * box.by_frame[after]
    mask = np.zeros(sequence.grid.shape, bool)
    mask[tuple(slice(c, c + n) for c, n in zip(box.corner_zyx, field.shape, strict=True))] = field <= 0
    return mask


def _everywhere(box: BoxedField, low: np.ndarray, high: np.ndarray) -> Field:
    """The stored distance within the band, and the distance transform of the mask beyond it."""
    stored = np.full(high - low, box.band_um, np.float32)
    stored[tuple(slice(s.start - l, s.stop - l) for s, l in zip(box.slices, low, strict=True))] = box.box_sdf_um
    transform = transform_voxels(stored <= 0)
    band_voxels = box.band_um / box.grid.spacing_um
    within = np.abs(stored) < box.band_um
    return np.where(within, stored / box.grid.spacing_um, np.sign(transform) * np.maximum(abs(transform), band_voxels))


def transform_voxels(mask: np.ndarray) -> Field:
    """Signed distance transform of a mask that is neither empty nor full.

    The surface is about half a voxel closer than the nearest voxel centre on the other side.
    """
    transform = -edt.sdf(np.ascontiguousarray(mask, np.uint8), parallel=1)
    return np.asarray(transform - np.sign(transform) / 2, np.float32)

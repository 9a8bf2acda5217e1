"""How well protrusions alone match: over a whole cell the body outweighs them."""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from cytoform.assess.measures.descriptors import Descriptor
from cytoform.assess.measures.protrusion_tracks import TakenApart
from cytoform.protrusions.curves import OUTSIDE_VOXELS
from cytoform.shapes.box import BoxedField
from cytoform.shapes.grid import Grid

THIN_MEASURES = {
    "thin_jaccard": Descriptor(
        "Jaccard index of protrusions",
        "",
        "voxels outside the reference's body in both masks over those in either",
        "Jaccard 1901",
    ),
    "centre_line_dice": Descriptor(
        "Centre-line Dice",
        "",
        "harmonic mean of the shares of each side's centre lines outside the reference's body that lie in the other's mask",
        "clDice (Shit et al. 2021)",
    ),
}


@dataclass(frozen=True)
class ThinParts:
    """Measures of the protrusions of a frame against its counterpart, a field for each of THIN_MEASURES.

    Both lie between 0 and 1, which equal frames have. Each is NaN where neither side has anything of the kind, and where
    the reference has no body.
    """

    thin_jaccard: float
    centre_line_dice: float


@dataclass(frozen=True)
class _Thin:
    """Voxels and points of centre lines of one side outside the reference's body."""

    voxels: Bool[np.ndarray, "*zyx"]
    points_zyx_um: Float[np.ndarray, "n dims"]


def compare_thin_parts(reference: tuple[BoxedField, TakenApart], other: tuple[BoxedField, TakenApart]) -> ThinParts:
    """Compare the protrusions of two frames on the same grid, each given as its field and taken apart."""
    body = reference[1].body
    if body is None:
        return ThinParts(math.nan, math.nan)
    window = _Window.of(body, reference[0], other[0])
    # As for centre lines, voxels cut by the body's surface are not outside it.
    near = window.filled(body, body.box_sdf_um <= OUTSIDE_VOXELS * body.grid.spacing_um)
    a, b = (window.thin(field, apart, near) for field, apart in (reference, other))
    union = int((a.voxels | b.voxels).sum())
    shared = int((a.voxels & b.voxels).sum())
    return ThinParts(shared / union if union else math.nan, _centre_line_dice(a, b, window))


def _centre_line_dice(a: _Thin, b: _Thin, window: "_Window") -> float:
    if not (len(a.points_zyx_um) or len(b.points_zyx_um)):
        return math.nan
    if not (len(a.points_zyx_um) and len(b.points_zyx_um)):
        return 0.0
    of_a, of_b = (float(window.at(mask.voxels, line.points_zyx_um).mean()) for mask, line in ((b, a), (a, b)))
    return 2 * of_a * of_b / (of_a + of_b) if of_a + of_b else 0.0


@dataclass(frozen=True)
class _Window:
    """The smallest box of a grid that holds some boxes."""

    grid: Grid
    low_zyx: tuple[int, ...]
    shape: tuple[int, ...]

    @classmethod
    def of(cls, *fields: BoxedField) -> "_Window":
        low = np.min([field.corner_zyx for field in fields], axis=0)
        high = np.max([np.add(field.corner_zyx, field.box_sdf_um.shape) for field in fields], axis=0)
        return cls(fields[0].grid, tuple(low.tolist()), tuple((high - low).tolist()))

    def filled(self, field: BoxedField, mask: Bool[np.ndarray, "*zyx"]) -> Bool[np.ndarray, "*window"]:
        """The mask of a field's box in this window."""
        whole = np.zeros(self.shape, bool)
        whole[tuple(slice(s.start - low, s.stop - low) for s, low in zip(field.slices, self.low_zyx, strict=True))] = (
            mask
        )
        return whole

    def thin(self, field: BoxedField, apart: TakenApart, near: Bool[np.ndarray, "*zyx"]) -> _Thin:
        """One side without all voxels near the body. Points of centre lines outside its own mask are left out, too."""
        voxels = self.filled(field, field.inside) & ~near
        lines = [curve.line_zyx_um for curve in apart.parts.curves]
        points = np.concatenate(lines) if lines else np.empty((0, self.grid.n_dims))
        return _Thin(voxels, points[self.at(voxels, points)])

    def at(self, mask: Bool[np.ndarray, "*zyx"], points_zyx_um: Float[np.ndarray, "n dims"]) -> Bool[np.ndarray, " n"]:
        """Whether the voxel around each point is in the mask; points are in µm from the corner of the grid."""
        voxels = np.floor(points_zyx_um / self.grid.spacing_um).astype(int) - self.low_zyx
        inside = ((voxels >= 0) & (voxels < self.shape)).all(axis=1)
        found = np.zeros(len(voxels), bool)
        found[inside] = mask[tuple(voxels[inside].T)]
        return found

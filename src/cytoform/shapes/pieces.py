"""Pieces of a mask that lie far apart, as two cells under one label do."""

from dataclasses import dataclass

import edt
import numpy as np
from jaxtyping import Bool

from cytoform.base.triples import Floats
from cytoform.shapes.boundary import ball_radius
from cytoform.shapes.cleaning import SPECK_SHARE
from cytoform.shapes.components import components

# A gap in radii of the largest piece, taken as a ball; a broken protrusion lies nearer.
FAR_RADII = 0.5


@dataclass(frozen=True)
class FarPieces:
    """Pieces far from the largest one: the number of all pieces, the widest gap, and the voxels of the piece behind it."""

    n_pieces: int
    gap_um: float
    share: float


def far_pieces(mask: Bool[np.ndarray, "*zyx"], spacing_zyx_um: Floats) -> FarPieces | None:
    """Find pieces far from the largest one, specks aside; None where all lie near it."""
    pieces = components(mask)
    sizes = np.bincount(pieces.ravel())
    sizes[0] = 0
    main = int(sizes.argmax())
    others = [piece for piece in np.flatnonzero(sizes >= SPECK_SHARE * sizes.sum()) if piece not in (0, main)]
    if not others:
        return None
    distance_um = edt.edt(np.ascontiguousarray(pieces != main), anisotropy=spacing_zyx_um)
    gaps_um = {int(piece): float(distance_um[pieces == piece].min()) for piece in others}
    piece = max(gaps_um, key=lambda one: gaps_um[one])
    radius_um = ball_radius(float(sizes[main] * np.prod(spacing_zyx_um)), mask.ndim)
    if gaps_um[piece] <= FAR_RADII * radius_um:
        return None
    return FarPieces(1 + len(others), gaps_um[piece], float(sizes[piece] / sizes.sum()))

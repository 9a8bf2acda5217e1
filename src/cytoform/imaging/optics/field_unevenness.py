"""How uneven the background is over the field of view: what stays from frame to frame."""

import math
from collections.abc import Sequence
from itertools import combinations

import numpy as np
from jaxtyping import Float

from cytoform.imaging.optics.cell_light import Observed
from cytoform.imaging.optics.photon_transfer import background_mask

BLOCK_PIXELS = 16
LEAST_SHARE = 0.2  # of a block's pixels that must be background
Blocks = Float[np.ndarray, "by bx"]


def unevenness(seen: Sequence[Observed]) -> tuple[float, float]:
    """Standard deviation of the background in grey values, and its correlation length in pixels; 0 if it is even.

    Only what two frames have in common counts, so that neither noise nor light of cells does.
    """
    maps = [_blocks(one) for one in seen]
    variance = _shared(maps, 0)
    if variance <= 0:
        return 0.0, 0.0
    # The covariance falls as exp(-(d / length)²): the length is where it has fallen to 1/e, if the field is that wide.
    widest = max(max(one.shape) for one in maps) // 2
    length = next((lag for lag in range(1, widest) if _shared(maps, lag) < variance / math.e), max(widest, 1))
    return float(np.sqrt(variance)), float(length * BLOCK_PIXELS)


def _blocks(one: Observed) -> Blocks:
    """Medians of blocks, about their common one; NaN where cells leave too little background.

    Far from the others is what lies in the field and has no label, so that is drawn in to three standard deviations.
    """
    ny, nx = (n // BLOCK_PIXELS for n in one.signal_yx.shape)
    clear = np.where(background_mask(one.labels_yx), one.signal_yx, np.nan)[: ny * BLOCK_PIXELS, : nx * BLOCK_PIXELS]
    tiled = clear.reshape(ny, BLOCK_PIXELS, nx, BLOCK_PIXELS).swapaxes(1, 2).reshape(ny, nx, -1)
    medians = np.full((ny, nx), np.nan)
    enough = np.isfinite(tiled).mean(axis=-1) >= LEAST_SHARE
    if not enough.any():
        return medians
    medians[enough] = np.nanmedian(tiled[enough], axis=-1)
    medians -= np.nanmedian(medians)
    spread = 1.4826 * np.nanmedian(np.abs(medians))
    return np.clip(medians, -3 * spread, 3 * spread)


def _shared(maps: Sequence[Blocks], lag: int) -> float:
    """Mean product of blocks of different frames, `lag` blocks apart along both axes in turn."""
    products = []
    for one, other in combinations(maps, 2):
        if one.shape == other.shape:
            products += [
                (one[lag:] * other[: len(other) - lag]).ravel(),
                (one[:, lag:] * other[:, : other.shape[1] - lag]).ravel(),
            ]
    known = np.concatenate(products) if products else np.zeros(0)
    known = known[np.isfinite(known)]
    return float(known.mean()) if known.size else 0.0

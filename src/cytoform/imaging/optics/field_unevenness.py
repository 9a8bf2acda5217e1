"""Unevenness of the background over the field of view: the part shared by all frames."""

import math
from collections.abc import Sequence
from itertools import combinations

import numpy as np
from jaxtyping import Float

from cytoform.imaging.optics.cell_light import ObservedLight
from cytoform.imaging.optics.photon_transfer import background_mask

BLOCK_PIXELS = 16
LEAST_BACKGROUND_SHARE = 0.2  # of the pixels of a block
Blocks = Float[np.ndarray, "by bx"]


def unevenness(seen: Sequence[ObservedLight]) -> tuple[float, float]:
    """Standard deviation of the background in grey values and its correlation length in pixels; 0 for an even background.

    Uses products of different frames only, in which noise and the light of cells average out.
    """
    maps = [_blocks(one) for one in seen]
    variance = _shared(maps, 0)
    if variance <= 0:
        return 0.0, 0.0
    # The covariance is variance · exp(-(d / length)²): length is the distance at 1/e, limited by the size of the field.
    widest = max(max(one.shape) for one in maps) // 2
    length = next((lag for lag in range(1, widest) if _shared(maps, lag) < variance / math.e), max(widest, 1))
    return float(np.sqrt(variance)), float(length * BLOCK_PIXELS)


def _blocks(one: ObservedLight) -> Blocks:
    """Median of each block minus the median of all; NaN for blocks with too little background.

    Unlabelled objects make outliers, which are clipped to three standard deviations.
    """
    ny, nx = (n // BLOCK_PIXELS for n in one.signal_yx.shape)
    clear = np.where(background_mask(one.labels_yx), one.signal_yx, np.nan)[: ny * BLOCK_PIXELS, : nx * BLOCK_PIXELS]
    tiled = clear.reshape(ny, BLOCK_PIXELS, nx, BLOCK_PIXELS).swapaxes(1, 2).reshape(ny, nx, -1)
    medians = np.full((ny, nx), np.nan)
    enough = np.isfinite(tiled).mean(axis=-1) >= LEAST_BACKGROUND_SHARE
    if not enough.any():
        return medians
    medians[enough] = np.nanmedian(tiled[enough], axis=-1)
    medians -= np.nanmedian(medians)
    spread = 1.4826 * np.nanmedian(np.abs(medians))
    return np.clip(medians, -3 * spread, 3 * spread)


def _shared(maps: Sequence[Blocks], lag: int) -> float:
    """Mean product of blocks of different frames that are `lag` blocks apart along y or x."""
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

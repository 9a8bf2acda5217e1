"""Image-mask pairs as numbered TIFF files in Cell Tracking Challenge folders."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import tifffile

SHAPE_YX = (40, 48)


def two_cells(shift_px: int = 0) -> np.ndarray:
    """Two discs, labels 3 and 7."""
    y, x = np.ogrid[: SHAPE_YX[0], : SHAPE_YX[1]]
    labels = np.zeros(SHAPE_YX, np.uint16)
    labels[(y - 14) ** 2 + (x - 12 - shift_px) ** 2 < 64] = 3
    labels[(y - 26) ** 2 + (x - 30 - shift_px) ** 2 < 81] = 7
    return labels


def grey(labels: np.ndarray, *, seed: int = 0, dtype: str = "uint16") -> np.ndarray:
    """Grey values with noise, of mean 400 in cells and 100 in the background, far from the limits of the type."""
    values = np.random.default_rng(seed).normal(np.where(labels > 0, 400, 100), 20)
    return (values / (4 if dtype == "uint8" else 1)).clip(0).astype(dtype)


def write_pairs(
    root: Path,
    images: Sequence[np.ndarray],
    labels: Sequence[np.ndarray],
    *,
    sequence: str = "01",
    masks: str = "ST/SEG/man_seg",
) -> Path:
    """Write ROOT/01/tTTT.tif, and masks to ROOT/01_ST/SEG/man_segTTT.tif or elsewhere."""
    for prefix, frames in ((f"{sequence}/t", images), (f"{sequence}_{masks}", labels)):
        for frame, values in enumerate(frames):
            path = root / f"{prefix}{frame:03d}.tif"
            path.parent.mkdir(parents=True, exist_ok=True)
            tifffile.imwrite(path, values, compression="zlib", photometric="minisblack")
    return root


def write_movie(root: Path, n_frames: int = 5, *, dtype: str = "uint16", sequence: str = "01") -> Path:
    """Write two cells that move along x by a pixel per frame."""
    labels = [two_cells(frame) for frame in range(n_frames)]
    images = [grey(frame, seed=number, dtype=dtype) for number, frame in enumerate(labels)]
    return write_pairs(root, images, labels, sequence=sequence)

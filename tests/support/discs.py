"""Bright discs in noise, in the layout of the Cell Tracking Challenge, and settings of a tiny texture model."""

from pathlib import Path

import numpy as np
import tifffile
from scipy.ndimage import gaussian_filter

from cytoform.imaging.networks.config import TextureConfig

OFFSET, READ_NOISE, SIGNAL = 100.0, 3.0, 200.0
TINY = ["generator.channels=4", "generator.blocks=1", "discriminator.channels=4", "discriminator.layers=2",
        "training.epochs=2", "training.decay_epochs=1", "training.crop_px=32", "training.crops_per_image=1",
        "training.crops_per_batch=2", "training.checkpoint_epochs=1", "training.precision=32-true"]  # fmt: skip


def disc_labels(frame: int, *, size_px: int = 64) -> np.ndarray:
    """Two discs; the first one moves."""
    y, x = np.indices((size_px, size_px))
    labels = np.zeros((size_px, size_px), np.uint16)
    labels[np.hypot(y - size_px / 4, x - size_px / 4 - frame) < size_px / 8] = 1
    labels[np.hypot(y - size_px * 0.7, x - size_px * 0.6) < size_px / 6] = 2
    return labels


def write_discs(folder: Path, *, n_frames: int = 5, size_px: int = 64, n_planes: int = 0, blur_px: float = 0.0) -> Path:
    """Write images 01/ and masks 01_ST/SEG, in 3D with `n_planes`, blurred by `blur_px`."""
    rng = np.random.default_rng(0)
    (folder / "01").mkdir(parents=True)
    (folder / "01_ST" / "SEG").mkdir(parents=True)
    for frame in range(n_frames):
        labels = disc_labels(frame, size_px=size_px)
        if n_planes:
            labels = np.repeat(labels[None], n_planes, axis=0)
        signal = SIGNAL * gaussian_filter((labels > 0).astype(float), blur_px)
        image = OFFSET + rng.poisson(signal) + rng.normal(0, READ_NOISE, labels.shape)
        tifffile.imwrite(folder / "01" / f"t{frame:03d}.tif", image.round().astype(np.uint16))
        tifffile.imwrite(folder / "01_ST" / "SEG" / f"man_seg{frame:03d}.tif", labels)
    return folder


def tiny_texture(*more: str) -> TextureConfig:
    """Settings small enough for a test."""
    return TextureConfig.load(preset="small", settings=[*TINY, *more])

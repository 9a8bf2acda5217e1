"""Simulated image frames: cells of smooth random texture on a dark background, with camera noise."""

import numpy as np
from scipy.ndimage import gaussian_filter

from cytoform.assess.images.frames import ImageFrame


def frames_of(
    n: int = 4, *, size: int = 256, radius: float = 14.0, seed: int = 0, movie: str = "01"
) -> list[ImageFrame]:
    """Frames with constant cells and texture, and new noise in each; each seed is another field of view."""
    rng = np.random.default_rng(seed)
    step = int(2.6 * radius)
    labels = np.zeros((size, size), np.uint16)
    y, x = np.indices(labels.shape)
    for k, (cy, cx) in enumerate(
        np.stack(np.meshgrid(*2 * [np.arange(step, size - radius, step)]), -1).reshape(-1, 2), 1
    ):
        oy, ox = rng.uniform(-0.2, 0.2, 2) * radius
        labels[np.hypot(y - cy - oy, x - cx - ox) <= radius * rng.uniform(0.8, 1.1)] = k
    texture = gaussian_filter(rng.normal(size=labels.shape), 2.0)
    gains = np.concatenate([[0.0], rng.uniform(0.8, 1.2, labels.max())])
    light = 100 + 400 * gains[labels] * (1 + texture / texture.std() * 0.15)
    return [
        ImageFrame(np.round(light + rng.normal(0, 12, light.shape)).astype(np.uint16), labels, movie, number)
        for number in range(n)
    ]

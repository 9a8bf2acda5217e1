"""Images of glowing discs with known masks."""

import numpy as np

from cytoform.movies.pairs.pairs import MaskedImage


def glowing_discs(
    n: int = 4, *, size: int = 128, radius: float = 8.0, dtype: str = "uint16", seed: int = 0, movie: str = "01"
) -> list[MaskedImage]:
    """Frames of discs that drift by a pixel per frame; some touch. Their light is uneven and noisy."""
    rng = np.random.default_rng(seed)
    centres = rng.uniform(radius, size - radius, (max(2, int(size**2 / (23 * radius**2))), 2))
    gains = rng.uniform(0.7, 1.3, len(centres))
    y, x = np.indices((size, size))
    planes = []
    for frame in range(n):
        away = np.stack([np.hypot(y - cy - frame, x - cx) for cy, cx in centres])
        labels = np.where(away.min(axis=0) <= radius, away.argmin(axis=0) + 1, 0).astype(np.uint16)
        light = (labels > 0) * gains[away.argmin(axis=0)] * (1 + 0.2 * np.sin((y - frame) / 2) * np.cos(x / 2))
        image = 40 + 120 * light + rng.normal(0, 4, light.shape)
        planes.append(MaskedImage(np.clip(image, 0, 255).astype(dtype), labels, movie, frame, None))
    return planes

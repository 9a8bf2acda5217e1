"""Light that comes from no cell in particular, and the unevenness of the illumination: fixed in the field of view."""

import numpy as np
from jaxtyping import Float32
from scipy.ndimage import gaussian_filter

from cytoform.imaging.optics.parameters import Background

Plane = Float32[np.ndarray, "y x"]

FIELD = 0xF1E1D  # keeps these random numbers apart from all others of the same seed
WAVES = 256


def background(shape_yx: tuple[int, int], light: Background, *, pixel_um: float, seed: int) -> Plane:
    """Photons a pixel that are there without cells; the same in every frame of a movie, that is of a seed."""
    if light.unevenness == 0:
        return np.full(shape_yx, light.photons_per_pixel, np.float32)
    field = _smooth_field(shape_yx, light.unevenness_um / pixel_um, np.random.default_rng([FIELD, seed]))
    return (light.photons_per_pixel * np.maximum(1 + light.unevenness * field, 0)).astype(np.float32)


def _smooth_field(shape_yx: tuple[int, int], length_pixels: float, rng: np.random.Generator) -> Plane:
    """A random field of correlation exp(-(d / length)²): waves of random direction and phase. Its mean is 0, its variance 1."""
    across = rng.normal(size=(2, WAVES)) * np.sqrt(2) / length_pixels
    phases = rng.uniform(0, 2 * np.pi, WAVES)
    along_y, along_x = (np.arange(n)[:, None] * wave for n, wave in zip(shape_yx, across, strict=True))
    along_y += phases
    field = np.cos(along_y) @ np.cos(along_x).T - np.sin(along_y) @ np.sin(along_x).T
    # In a field not much larger than the length, chance would make another mean, and so another background.
    field -= field.mean()
    return (field / max(field.std(), 1e-9)).astype(np.float32)


def haze(mean_zyx: Plane, light: Background, *, pixel_um: float) -> Plane:
    """Light of the cells, averaged along z, that is spread so widely that it is the same in all planes."""
    if light.haze_fraction == 0:
        return np.zeros_like(mean_zyx)
    return light.haze_fraction * gaussian_filter(mean_zyx, light.haze_um / pixel_um)


def illumination(shape_yx: tuple[int, int], light: Background) -> Plane:
    """What each pixel is lit with, 1 in the middle of the field, falling with the square of the distance."""
    y, x = (np.linspace(-1, 1, n, dtype=np.float32) if n > 1 else np.zeros(1, np.float32) for n in shape_yx)
    return 1 - light.vignetting * (y[:, None] ** 2 + x**2) / 2

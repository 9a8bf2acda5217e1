"""Background light, haze and illumination: fixed in the field of view."""

import numpy as np
from jaxtyping import Float32
from scipy.ndimage import gaussian_filter

from cytoform.imaging.optics.parameters import BackgroundParameters

LightPlane = Float32[np.ndarray, "y x"]

FIELD = 0xF1E1D  # separates this random stream from others with the same seed
WAVES = 256


def background(shape_yx: tuple[int, int], light: BackgroundParameters, *, pixel_um: float, seed: int) -> LightPlane:
    """Photons per pixel of the background; equal for all frames of a movie (one seed)."""
    if light.unevenness == 0:
        return np.full(shape_yx, light.photons_per_pixel, np.float32)
    field = _smooth_field(shape_yx, light.unevenness_um / pixel_um, np.random.default_rng([FIELD, seed]))
    return (light.photons_per_pixel * np.maximum(1 + light.unevenness * field, 0)).astype(np.float32)


def _smooth_field(shape_yx: tuple[int, int], length_pixels: float, rng: np.random.Generator) -> LightPlane:
    """A random field of mean 0, variance 1 and correlation exp(-(d / length)²), as a sum of random waves."""
    across = rng.normal(size=(2, WAVES)) * np.sqrt(2) / length_pixels
    phases = rng.uniform(0, 2 * np.pi, WAVES)
    along_y, along_x = (np.arange(n)[:, None] * wave for n, wave in zip(shape_yx, across, strict=True))
    along_y += phases
    field = np.cos(along_y) @ np.cos(along_x).T - np.sin(along_y) @ np.sin(along_x).T
    # In a field not much larger than the length, the sample mean would shift the background.
    field -= field.mean()
    return (field / max(field.std(), 1e-9)).astype(np.float32)


def haze(mean_zyx: LightPlane, light: BackgroundParameters, *, pixel_um: float) -> LightPlane:
    """Widely scattered light of the cells (averaged along z), equal in all planes."""
    if light.haze_fraction == 0:
        return np.zeros_like(mean_zyx)
    return light.haze_fraction * gaussian_filter(mean_zyx, light.haze_um / pixel_um)


def illumination(shape_yx: tuple[int, int], light: BackgroundParameters) -> LightPlane:
    """Relative illumination: 1 in the centre of the field, decreasing with the squared distance."""
    y, x = (np.linspace(-1, 1, n, dtype=np.float32) if n > 1 else np.zeros(1, np.float32) for n in shape_yx)
    return 1 - light.vignetting * (y[:, None] ** 2 + x**2) / 2

"""From photons to grey values."""

import numpy as np
from jaxtyping import Float32, UInt
from scipy.ndimage import gaussian_filter1d

from cytoform.imaging.optics.parameters import Camera


def grey_type(camera: Camera) -> np.dtype:
    """The smallest type that holds the camera's grey values."""
    return np.dtype(np.uint8 if camera.bit_depth <= 8 else np.uint16)


def exposed(photons: Float32[np.ndarray, "y x"], camera: Camera, rng: np.random.Generator) -> UInt[np.ndarray, "y x"]:
    """One exposure: photons that arrive at random, read noise, gain, offset; clipped to the bit depth."""
    electrons = rng.poisson(photons * camera.quantum_efficiency).astype(np.float32)
    electrons += camera.read_noise_electrons * rng.standard_normal(photons.shape, dtype=np.float32)
    if camera.readout_smear_pixels:
        electrons = gaussian_filter1d(electrons, camera.readout_smear_pixels, axis=1)
    grey = np.rint(electrons / camera.gain_electrons_per_adu + camera.offset_adu)
    return np.clip(grey, 0, 2**camera.bit_depth - 1).astype(grey_type(camera))

"""The optical model as a texture: labels in, images out."""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Float32, UInt
from scipy.ndimage import gaussian_filter1d

from cytoform.base.triples import Triple
from cytoform.errors import InputError
from cytoform.imaging.inheritance import ALONE, Inheritance
from cytoform.imaging.optics.fluorophores import density
from cytoform.imaging.optics.light import background, haze, illumination
from cytoform.imaging.optics.parameters import CameraParameters, OpticsParameters
from cytoform.imaging.optics.point_spread import blurred, point_spread

EXPOSURE = 0xCA3E2A  # separates this random stream from others with the same seed


class Optics:
    """Renders images of label frames with an optical model; a `Texture` without training."""

    def __init__(self, parameters: OpticsParameters | None = None) -> None:
        self.parameters = parameters or OpticsParameters()

    @property
    def dtype(self) -> np.dtype:
        """uint8 up to 8 bits, else uint16."""
        return grey_type(self.parameters.camera)

    def render(
        self,
        labels_zyx: np.ndarray,
        *,
        spacing_zyx_um: Triple,
        frame: int,
        seed: int,
        projection: bool = False,
        inherited: Inheritance = ALONE,
    ) -> np.ndarray:
        """Render an image (z, y, x) of a frame of labels (z, y, x); with `projection` its maximum along z, in one plane.

        Raises InputError for unsuitable labels or voxel sizes.
        """
        _check(labels_zyx, spacing_zyx_um)
        rng = np.random.default_rng([EXPOSURE, seed, frame])
        exposures = (
            expose(plane, self.parameters.camera, rng)
            for plane in self.photons(labels_zyx, spacing_zyx_um=spacing_zyx_um, seed=seed, inherited=inherited)
        )
        n_planes, *size = labels_zyx.shape
        image = np.zeros((1 if projection else n_planes, *size), self.dtype)
        for z, exposure in enumerate(exposures):
            if projection:
                np.maximum(image[0], exposure, out=image[0])
            else:
                image[z] = exposure
        return image

    def photons(
        self, labels_zyx: np.ndarray, *, spacing_zyx_um: Triple, seed: int, inherited: Inheritance = ALONE
    ) -> Iterator[Float32[np.ndarray, "y x"]]:
        """Expected photons of every pixel, plane by plane: the image without noise."""
        stain, light = self.parameters.fluorophores, self.parameters.background
        pixel_um, size = spacing_zyx_um[-1], labels_zyx.shape[1:]
        kernel = point_spread(
            self.parameters.microscope, spacing_zyx_um=spacing_zyx_um, single_plane=len(labels_zyx) == 1
        )
        emitted = density(labels_zyx, stain, spacing_zyx_um=spacing_zyx_um, seed=seed, inherited=inherited)
        emitted *= stain.photons_per_pixel
        around = haze(emitted.mean(axis=0), light, pixel_um=pixel_um)
        around += background(size, light, pixel_um=pixel_um, seed=seed)
        lit = illumination(size, light)
        for plane in blurred(emitted, kernel):
            yield ((1 - light.haze_fraction) * plane + around) * lit


def _check(labels_zyx: np.ndarray, spacing_zyx_um: Triple) -> None:
    if labels_zyx.ndim != 3 or not np.issubdtype(labels_zyx.dtype, np.unsignedinteger) or not labels_zyx.size:
        raise InputError(
            f"labels of shape {labels_zyx.shape} and type {labels_zyx.dtype}: the optics need unsigned integers (z, y, x)"
        )
    if len(spacing_zyx_um) != 3 or not all(0 < step_um < np.inf for step_um in spacing_zyx_um):
        raise InputError(f"voxel size {spacing_zyx_um} µm: three positive numbers are needed, Z Y X")


def grey_type(camera: CameraParameters) -> np.dtype:
    """The smallest unsigned type for the camera's bit depth."""
    return np.dtype(np.uint8 if camera.bit_depth <= 8 else np.uint16)


def expose(
    photons: Float32[np.ndarray, "y x"], camera: CameraParameters, rng: np.random.Generator
) -> UInt[np.ndarray, "y x"]:
    """Simulate one exposure: Poisson noise, read noise, gain and offset, clipped to the bit depth."""
    electrons = rng.poisson(photons * camera.quantum_efficiency).astype(np.float32)
    electrons += camera.read_noise_electrons * rng.standard_normal(photons.shape, dtype=np.float32)
    if camera.readout_smear_pixels:
        electrons = gaussian_filter1d(electrons, camera.readout_smear_pixels, axis=1)
    grey = np.rint(electrons / camera.gain_electrons_per_adu + camera.offset_adu)
    return np.clip(grey, 0, 2**camera.bit_depth - 1).astype(grey_type(camera))

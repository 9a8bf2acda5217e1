"""Estimates parameters of the optical model from real images and their masks.

Image-mask pairs do not determine the objective, wavelengths, quantum efficiency and read noise; they stay as given.
Read noise and background light only appear as a sum, in the variance of the background. The variance in excess of the
given read noise is attributed to light, and the rest of the background's grey value to the camera's offset.
"""

import numpy as np

from cytoform.base.triples import Triple
from cytoform.errors import InputError
from cytoform.imaging.optics.cell_light import ObservedLight, brightness_factors, expected
from cytoform.imaging.optics.field_unevenness import unevenness
from cytoform.imaging.optics.outline import fit_blur, fit_outline
from cytoform.imaging.optics.parameters import OpticsParameters
from cytoform.imaging.optics.photon_transfer import Noise, photon_transfer
from cytoform.imaging.optics.texture_match import fit_texture
from cytoform.movies.pairs.pairs import MaskedImage, Pairs

MOST_PLANES, SHAPE_PLANES = 10, 2  # for camera and brightness; for outline and texture, which take longer
ROUNDS = 2  # outline, blur and texture depend weakly on each other


def calibrate(
    pairs: Pairs,
    parameters: OpticsParameters | None = None,
    *,
    spacing_zyx_um: Triple | None = None,
    seed: int = 0,
) -> OpticsParameters:
    """Estimate camera, background, brightness, outline and texture from image-mask pairs.

    Other parameters are taken from `parameters` (see the module). Every plane is treated as a 2D image; outline and
    texture are fitted only to images of whole cells, not to slices. Raises InputError for images that are not
    fluorescence and for an unknown voxel size.
    """
    start = parameters or OpticsParameters()
    spacing = spacing_zyx_um or pairs.spacing_zyx_um
    if spacing is None:
        raise InputError(f"{', '.join(pairs.names)}: no voxel size is recorded; pass --voxel-size Z Y X")
    if not np.issubdtype(pairs.dtype, np.unsignedinteger):
        raise InputError(
            f"{', '.join(pairs.names)}: {pairs.dtype} images have no camera's grey values; unsigned integers are needed"
        )
    planes = _spread(pairs, MOST_PLANES)
    noise = photon_transfer(planes)
    seen = [ObservedLight.of(plane) for plane in planes]
    fitted = start
    if planes[0].z is None and start.fluorophores.distribution != "membrane":
        some = seen[:: max(len(seen) // SHAPE_PLANES, 1)][-SHAPE_PLANES:]
        for _ in range(ROUNDS):
            fitted = fit_outline(some, fitted, spacing_zyx_um=spacing)
            fitted = fit_blur(some, fitted, noise, spacing_zyx_um=spacing, seed=seed)
            fitted = fit_texture(some, fitted, spacing_zyx_um=spacing, seed=seed)
    factors = [brightness_factors(one.signal_yx, expected(one, fitted, spacing_zyx_um=spacing), one) for one in seen]
    return _with_light(fitted, noise, np.concatenate(factors), unevenness(seen), pixel_um=spacing[-1])


def _spread(pairs: Pairs, most: int) -> list[MaskedImage]:
    """At most `most` planes with cells, evenly spaced over the pairs. Raises InputError if none has cells."""
    chosen = np.unique(np.linspace(0, len(pairs) - 1, min(most, len(pairs))).round().astype(int))
    planes = [plane for plane in (pairs.at(int(index)) for index in chosen) if plane.labels_yx.any()]
    if not planes:
        raise InputError(f"{', '.join(pairs.names)}: no cells in the masks of {len(chosen)} planes")
    return planes


def _with_light(
    parameters: OpticsParameters,
    noise: Noise,
    factors: np.ndarray,
    uneven: tuple[float, float],
    *,
    pixel_um: float,
) -> OpticsParameters:
    """Set camera, background and brightness, converted to electrons and photons."""
    camera, light, stain = parameters.camera, parameters.background, parameters.fluorophores
    gain, efficiency = noise.gain_electrons_per_adu, camera.quantum_efficiency
    variance = noise.background_variance_electrons2
    read_noise = min(camera.read_noise_electrons, float(np.sqrt(variance)))
    background_electrons = max(min(variance - read_noise**2, noise.background_adu * gain), 0.0)
    photons_per_adu = gain / efficiency
    bright = factors[factors > 0]
    deviation_adu, length_pixels = uneven
    background_photons = background_electrons / efficiency
    share = deviation_adu * photons_per_adu / background_photons if background_photons > 0 else 0.0
    changes = {
        "fluorophores": stain.model_dump()
        | {
            "photons_per_pixel": float(bright.mean()) * photons_per_adu,
            "brightness_variation": min(float(bright.std() / bright.mean()), 5.0),
        },
        "background": light.model_dump()
        | {"photons_per_pixel": background_photons, "unevenness": min(share, 2.0)}
        | ({"unevenness_um": length_pixels * pixel_um} if share else {}),
        "camera": camera.model_dump()
        | {
            "gain_electrons_per_adu": gain,
            "offset_adu": noise.background_adu - background_electrons / gain,
            "read_noise_electrons": read_noise,
            "readout_smear_pixels": noise.smear_pixels,
            "bit_depth": camera.bit_depth,
        },
        "microscope": parameters.microscope.model_dump(),
    }
    rounded = {
        name: {key: float(f"{value:.6g}") if isinstance(value, float) else value for key, value in section.items()}
        for name, section in changes.items()
    }
    return OpticsParameters.model_validate(rounded)

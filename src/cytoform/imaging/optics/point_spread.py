"""The point-spread function of a microscope, and images blurred by it."""

import math
from collections.abc import Iterator
from functools import lru_cache

import numpy as np
import scipy.fft
from jaxtyping import Float, Float32
from scipy.ndimage import gaussian_filter
from scipy.signal import fftconvolve

from cytoform.base.triples import Triple
from cytoform.errors import InputError
from cytoform.imaging.optics.parameters import Microscope
from cytoform.imaging.optics.vectorial import sampled

Kernel = Float32[np.ndarray, "kz ky kx"]

AIRY_REACH = 6  # lateral half-width of the kernel in focus, in Airy radii
STEEPEST = 2.0  # largest ratio of lateral reach to distance from focus
KEPT_LIGHT = 0.999  # share of the light within the trimmed kernel
MAX_SAMPLES = 60_000_000  # of the fine sampling grid: half a gigabyte


def point_spread(microscope: Microscope, *, spacing_zyx_um: Triple, single_plane: bool = False) -> Kernel:
    """Point-spread function as a kernel: odd sizes, centred, averaged over voxels, sum 1.

    With `single_plane`, only the plane in focus, for 2D frames. Raises InputError for anisotropic pixels and for kernels
    too large for memory.
    """
    dz, dy, dx = spacing_zyx_um
    if abs(dy - dx) > 0.01 * dx:
        raise InputError(f"voxel size {dz:g} × {dy:g} × {dx:g} µm: the optics need square pixels, Y as large as X")
    return _point_spread(microscope, float(dz), float(dx), single_plane)


@lru_cache(maxsize=4)
def _point_spread(microscope: Microscope, dz_um: float, dx_um: float, single_plane: bool) -> Kernel:
    aperture, index = microscope.numerical_aperture, microscope.immersion_index
    wavelength_um = microscope.emission_nm / 1000
    confocal = microscope.kind == "confocal"
    # Intensities contain frequencies up to 2 NA / λ, in a confocal microscope up to 4 NA / λ.
    fine_x = _odd(dx_um / (wavelength_um / (8 if confocal else 4) / aperture))
    axial_um = wavelength_um / (index - math.sqrt(max(index**2 - aperture**2, 0)))
    fine_z = _odd(dz_um / (axial_um / 4))
    planes = 0 if single_plane else math.floor(microscope.out_of_focus_um / dz_um)
    reach_um = AIRY_REACH * 0.61 * wavelength_um / aperture
    if not confocal:
        slope = aperture / math.sqrt(max(index**2 - aperture**2, 1e-9))
        reach_um = max(reach_um, min(slope, STEEPEST) * (planes + 0.5) * dz_um)
    pixels = math.ceil(reach_um / dx_um)
    shape = ((2 * planes + 1) * fine_z, (2 * pixels + 1) * fine_x)
    if shape[0] * shape[1] ** 2 > MAX_SAMPLES:
        raise InputError(
            f"voxels of {dz_um:g} × {dx_um:g} × {dx_um:g} µm need {2 * planes + 1} × {2 * pixels + 1}² of them for the"
            f" point-spread function; choose a smaller microscope.out_of_focus_um"
        )
    fine = _sampled(microscope, shape, dz_um / fine_z, dx_um / fine_x)
    binned = fine.reshape(2 * planes + 1, fine_z, 2 * pixels + 1, fine_x, 2 * pixels + 1, fine_x).sum((1, 3, 5))
    return _trimmed(_blurred_further(binned, microscope.extra_blur_um / dx_um))


def _odd(least: float) -> int:
    """The smallest odd number of samples per voxel that is at least `least`; one sample is at the centre."""
    return 2 * math.ceil((max(least, 1) - 1) / 2) + 1


def _sampled(microscope: Microscope, shape: tuple[int, int], dz_um: float, dx_um: float) -> Float[np.ndarray, "z y x"]:
    """The vectorial model; confocal: excitation times emission through the pinhole."""

    def spread(wavelength_nm: float) -> Float[np.ndarray, "z y x"]:
        return sampled(
            shape,
            dz_um=dz_um,
            dx_um=dx_um,
            numerical_aperture=microscope.numerical_aperture,
            index=microscope.immersion_index,
            wavelength_um=wavelength_nm / 1000,
        )

    emitted = spread(microscope.emission_nm)
    if microscope.kind == "widefield":
        return emitted
    radius_um = microscope.pinhole_airy * 0.61 * microscope.emission_nm / 1000 / microscope.numerical_aperture
    along = np.arange(-math.ceil(radius_um / dx_um), math.ceil(radius_um / dx_um) + 1) * dx_um
    pinhole = np.hypot(along[:, None], along) <= radius_um
    detected = np.maximum(fftconvolve(emitted, pinhole[None].astype(float), mode="same", axes=(1, 2)), 0)
    return spread(microscope.excitation_nm) * detected


def _blurred_further(kernel: Float[np.ndarray, "z y x"], sigma_pixels: float) -> Float[np.ndarray, "z wide_y wide_x"]:
    if sigma_pixels == 0:
        return kernel
    margin = math.ceil(4 * sigma_pixels)
    return gaussian_filter(
        np.pad(kernel, ((0, 0), (margin, margin), (margin, margin))), (0, sigma_pixels, sigma_pixels), mode="constant"
    )


def _trimmed(kernel: Float[np.ndarray, "z y x"]) -> Kernel:
    """Remove outer planes, rows and columns with almost no light."""
    sides = []
    for axis in range(3):
        profile = kernel.sum(axis=tuple({0, 1, 2} - {axis}))
        centre = len(profile) // 2
        held = np.cumsum(profile[centre:] + profile[centre::-1]) - profile[centre]
        half = int(np.searchsorted(held, KEPT_LIGHT * held[-1]))
        sides.append(slice(centre - half, centre + half + 1))
    kept = kernel[tuple(sides)]
    return (kept / kept.sum()).astype(np.float32)


def blurred(image: Float32[np.ndarray, "z y x"], kernel: Kernel) -> Iterator[Float32[np.ndarray, "y x"]]:
    """Blur an image by a symmetric kernel and yield its planes one by one.

    The image is mirrored at its sides, so that cells cut by the border do not fade, and empty above and below. Holds one
    spectrum per plane: 1.5 times the memory of the padded image.
    """
    n_planes, *size = image.shape
    margins = [min(k // 2, n) for k, n in zip(kernel.shape[1:], size, strict=True)]
    padded = [scipy.fft.next_fast_len(n + 2 * margin, real=True) for n, margin in zip(size, margins, strict=True)]
    depth = kernel.shape[0] // 2
    transfer = [_transfer(plane, padded) for plane in kernel[depth:]]
    sides = [(margin, fast - n - margin) for margin, fast, n in zip(margins, padded, size, strict=True)]
    spectra = [scipy.fft.rfft2(np.pad(plane, sides, mode="symmetric"), workers=1) for plane in image]
    for z in range(n_planes):
        spectrum = spectra[z] * transfer[0]
        for away in range(1, min(depth, n_planes - 1) + 1):
            for other in (z - away, z + away):
                if 0 <= other < n_planes:
                    spectrum += spectra[other] * transfer[away]
        plane = scipy.fft.irfft2(spectrum, s=padded, workers=1)
        yield np.maximum(plane[tuple(slice(margin, margin + n) for margin, n in zip(margins, size, strict=True))], 0)


def _transfer(plane: Float32[np.ndarray, "ky kx"], shape: list[int]) -> Float32[np.ndarray, "fy fx"]:
    """Spectrum of one plane of the kernel, real because of its symmetry."""
    rows, columns = (np.arange(-(n // 2), n // 2 + 1) % size for n, size in zip(plane.shape, shape, strict=True))
    wrapped = np.zeros(shape, np.float32)
    np.add.at(wrapped, (rows[:, None], columns[None]), plane)
    return scipy.fft.rfft2(wrapped, workers=1).real.astype(np.float32)

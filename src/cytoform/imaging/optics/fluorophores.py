"""Where the fluorophores of a frame are, relative to the middle of a cell of mean brightness."""

from collections.abc import Callable

import edt
import numpy as np
from jaxtyping import Bool, Float32, UInt
from scipy.ndimage import find_objects, gaussian_filter

from cytoform.base.triples import Triple
from cytoform.imaging.optics.parameters import Fluorophores

Labels = UInt[np.ndarray, "z y x"]
Density = Float32[np.ndarray, "z y x"]

MARGIN_VOXELS = 4
SMOOTH_PIXELS = 0.7
BRIGHTNESS = 0xB816  # keeps these random numbers apart from all others of the same seed


def density(labels_zyx: Labels, stain: Fluorophores, *, spacing_zyx_um: Triple, seed: int) -> Density:
    """Density of every voxel: 0 outside cells, and 1 in the middle of a uniform cell of mean brightness.

    What it is follows from label, place in the cell and seed, so that a cell keeps its look from frame to frame.
    """
    inside = DISTRIBUTIONS[stain.distribution](labels_zyx, stain, spacing_zyx_um, seed)
    if stain.rim_um and len(labels_zyx) == 1:
        inside *= _thickness(labels_zyx, stain.rim_um, spacing_zyx_um)
    inside *= brightness(labels_zyx, stain.brightness_variation, seed=seed)
    return inside


def brightness(labels_zyx: Labels, variation: float, *, seed: int) -> Density:
    """A log-normal factor of mean 1 for every cell, a function of its label and the seed; 0 outside cells."""
    sigma = np.sqrt(np.log1p(variation**2))
    factors = np.zeros(int(labels_zyx.max(initial=0)) + 1, np.float32)
    for label in np.flatnonzero(np.bincount(labels_zyx.ravel())[1:]) + 1:
        score = np.random.default_rng([BRIGHTNESS, seed, int(label)]).standard_normal()
        factors[label] = np.exp(sigma * score - sigma**2 / 2)
    return factors[labels_zyx]


def _uniform(labels_zyx: Labels, _stain: Fluorophores, _spacing: Triple, _seed: int) -> Density:
    return (labels_zyx > 0).astype(np.float32)


def _textured(labels_zyx: Labels, stain: Fluorophores, spacing_zyx_um: Triple, seed: int) -> Density:
    """Log-normal around 1, of the stated contrast and correlation length."""
    from cytoform.imaging.cell_noise import cell_noise

    if stain.texture_contrast == 0:
        return (labels_zyx > 0).astype(np.float32)
    sigma = np.sqrt(np.log1p(stain.texture_contrast**2))
    noise = cell_noise(
        labels_zyx, spacing_zyx_um=spacing_zyx_um, correlation_um=stain.texture_correlation_um, seed=seed
    )
    np.exp(sigma * noise - sigma**2 / 2, out=noise)
    noise *= labels_zyx > 0
    return noise


def _membrane(labels_zyx: Labels, stain: Fluorophores, spacing_zyx_um: Triple, _seed: int) -> Density:
    """The share of every voxel that lies at most the stated thickness below the surface of its cell."""
    shells = np.zeros(labels_zyx.shape, np.float32)
    for number, box in enumerate(find_objects(labels_zyx.astype(np.int32)), start=1):
        if box is not None:
            # Cut off at the frame: a cell that goes on beyond it has no membrane there.
            wide = tuple(slice(max(side.start - MARGIN_VOXELS, 0), side.stop + MARGIN_VOXELS) for side in box)
            mask = labels_zyx[wide] == number
            shells[wide] += _shell(mask, stain.membrane_thickness_um, spacing_zyx_um)
    return shells


def _shell(mask: Bool[np.ndarray, "z y x"], thickness_um: float, spacing_zyx_um: Triple) -> Density:
    """A shell below the surface of one cell, whose sum over voxels is its volume even if it is thinner than a voxel."""
    pixel_um = spacing_zyx_um[-1]
    if thickness_um < pixel_um:
        # The steepness of a smoothed mask sums to the area of its surface (co-area formula).
        steepness, _ = _gradient(gaussian_filter(mask.astype(np.float32), 1.0), spacing_zyx_um)
        shell = thickness_um * steepness
    else:
        # Less than a pixel of smoothing removes the terraces of the distance transform; of thick slices a share.
        sigma = [SMOOTH_PIXELS * max(pixel_um, 0.4 * step_um) / step_um for step_um in spacing_zyx_um]
        depth_um = gaussian_filter(edt.sdf(mask, anisotropy=spacing_zyx_um, parallel=1), sigma)
        slope, across_um = _gradient(depth_um, spacing_zyx_um)
        voxel_um = np.clip(across_um / np.maximum(slope, 0.3), pixel_um, max(spacing_zyx_um))
        drawn_um = np.maximum(thickness_um, voxel_um)  # a thinner one is drawn as wide as a voxel, and paler
        share = np.clip(depth_um / voxel_um + 0.5, 0, 1) - np.clip((depth_um - drawn_um) / voxel_um + 0.5, 0, 1)
        # Where smoothing has flattened the depth, a shell between two depths is wider: the same formula makes up for it.
        shell = share * slope * (thickness_um / drawn_um)
    # What reaches out of the cell is put back inside.
    inside = shell * mask
    return (inside * (shell.sum() / max(inside.sum(), 1e-9))).astype(np.float32)


def _gradient(values: Density, spacing_zyx_um: Triple) -> tuple[Density, Density]:
    """Its length per µm, and times the size of a voxel along it; an axis of one plane has none."""
    squares, scaled = np.zeros_like(values), np.zeros_like(values)
    for axis, step_um in enumerate(spacing_zyx_um):
        if values.shape[axis] > 1:
            along = np.gradient(values, step_um, axis=axis)
            squares += along**2
            scaled += (along * step_um) ** 2
    return np.sqrt(squares), np.sqrt(scaled)


def _thickness(labels_zyx: Labels, rim_um: float, spacing_zyx_um: Triple) -> Density:
    """How thick a cell is that is seen from above: a quarter circle from its outline to `rim_um` inside."""
    depth_um = edt.edt(labels_zyx, anisotropy=spacing_zyx_um, parallel=1) - spacing_zyx_um[-1] / 2
    return np.sqrt(1 - (1 - np.clip(depth_um / rim_um, 0, 1)) ** 2).astype(np.float32)


DISTRIBUTIONS: dict[str, Callable[[Labels, Fluorophores, Triple, int], Density]] = {
    "uniform": _uniform,
    "membrane": _membrane,
    "textured": _textured,
}

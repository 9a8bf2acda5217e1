"""Density of fluorophores in a frame, relative to the inside of a cell of mean brightness."""

from collections.abc import Callable

import edt
import numpy as np
from jaxtyping import Bool, Float32, UInt
from scipy.ndimage import find_objects, gaussian_filter

from cytoform.base.triples import Triple
from cytoform.imaging.inheritance import ALONE, Inheritance
from cytoform.imaging.optics.parameters import Fluorophores

LabelVolume = UInt[np.ndarray, "z y x"]
Density = Float32[np.ndarray, "z y x"]

SHELL_MARGIN_VOXELS = 4
SMOOTH_PIXELS = 0.7
BRIGHTNESS = 0xB816  # separates this random stream from others with the same seed


def density(
    labels_zyx: LabelVolume,
    stain: Fluorophores,
    *,
    spacing_zyx_um: Triple,
    seed: int,
    inherited: Inheritance = ALONE,
) -> Density:
    """Density of fluorophores in every voxel: 0 outside cells, 1 inside a uniform cell of mean brightness.

    Depends only on label, position in the cell and seed, so that a cell looks the same in all frames.
    With `inherited`, a daughter looks like her mother.
    """
    inside = DISTRIBUTIONS[stain.distribution](labels_zyx, stain, spacing_zyx_um, seed, inherited)
    if stain.rim_um and len(labels_zyx) == 1:
        inside *= _thickness(labels_zyx, stain.rim_um, spacing_zyx_um)
    inside *= brightness(labels_zyx, stain.brightness_variation, seed=seed, inherited=inherited)
    return inside


def brightness(labels_zyx: LabelVolume, variation: float, *, seed: int, inherited: Inheritance = ALONE) -> Density:
    """A log-normal factor of mean 1 for every cell, from its label and the seed; 0 outside cells."""
    sigma = np.sqrt(np.log1p(variation**2))
    factors = np.zeros(int(labels_zyx.max(initial=0)) + 1, np.float32)
    for label in np.flatnonzero(np.bincount(labels_zyx.ravel())[1:]) + 1:
        score = sum(
            weight * np.random.default_rng([BRIGHTNESS, seed, ancestor]).standard_normal()
            for ancestor, weight in inherited.line(int(label))
        )
        factors[label] = np.exp(sigma * score - sigma**2 / 2)
    return factors[labels_zyx]


def _uniform(labels_zyx: LabelVolume, _stain: Fluorophores, _spacing: Triple, _seed: int, _: Inheritance) -> Density:
    return (labels_zyx > 0).astype(np.float32)


def _textured(
    labels_zyx: LabelVolume, stain: Fluorophores, spacing_zyx_um: Triple, seed: int, inherited: Inheritance
) -> Density:
    """Log-normal texture of mean 1 with the given contrast and correlation length."""
    from cytoform.imaging.cell_noise import cell_noise

    if stain.texture_contrast == 0:
        return (labels_zyx > 0).astype(np.float32)
    sigma = np.sqrt(np.log1p(stain.texture_contrast**2))
    noise = cell_noise(
        labels_zyx,
        spacing_zyx_um=spacing_zyx_um,
        correlation_um=stain.texture_correlation_um,
        seed=seed,
        inherited=inherited,
    )
    np.exp(sigma * noise - sigma**2 / 2, out=noise)
    noise *= labels_zyx > 0
    return noise


def _membrane(
    labels_zyx: LabelVolume, stain: Fluorophores, spacing_zyx_um: Triple, _seed: int, _: Inheritance
) -> Density:
    """Volume share of each voxel within the membrane thickness below the surface of its cell."""
    shells = np.zeros(labels_zyx.shape, np.float32)
    for number, box in enumerate(find_objects(labels_zyx.astype(np.int32)), start=1):
        if box is not None:
            # Clipped at the frame: a cell cut by the border has no membrane there.
            wide = tuple(
                slice(max(side.start - SHELL_MARGIN_VOXELS, 0), side.stop + SHELL_MARGIN_VOXELS) for side in box
            )
            mask = labels_zyx[wide] == number
            shells[wide] += _shell(mask, stain.membrane_thickness_um, spacing_zyx_um)
    return shells


def _shell(mask: Bool[np.ndarray, "z y x"], thickness_um: float, spacing_zyx_um: Triple) -> Density:
    """A shell below the surface of one cell; its sum over voxels is its volume, even if it is thinner than a voxel."""
    pixel_um = spacing_zyx_um[-1]
    if thickness_um < pixel_um:
        # The gradient norm of a smoothed mask integrates to the area of its surface (co-area formula).
        slope_norm, _ = _gradient(gaussian_filter(mask.astype(np.float32), 1.0), spacing_zyx_um)
        shell = thickness_um * slope_norm
    else:
        # Smoothing by less than a pixel removes the terraces of the distance transform; less along z for thick slices.
        sigma = [SMOOTH_PIXELS * max(pixel_um, 0.4 * step_um) / step_um for step_um in spacing_zyx_um]
        depth_um = gaussian_filter(edt.sdf(mask, anisotropy=spacing_zyx_um, parallel=1), sigma)
        slope, across_um = _gradient(depth_um, spacing_zyx_um)
        voxel_um = np.clip(across_um / np.maximum(slope, 0.3), pixel_um, max(spacing_zyx_um))
        drawn_um = np.maximum(thickness_um, voxel_um)  # a thinner shell is drawn one voxel wide, and dimmer
        share = np.clip(depth_um / voxel_um + 0.5, 0, 1) - np.clip((depth_um - drawn_um) / voxel_um + 0.5, 0, 1)
        # Where smoothing has flattened the depth, the shell is too wide; the co-area formula corrects it.
        shell = share * slope * (thickness_um / drawn_um)
    # Fluorophores outside the cell are moved inside.
    inside = shell * mask
    return (inside * (shell.sum() / max(inside.sum(), 1e-9))).astype(np.float32)


def _gradient(values: Density, spacing_zyx_um: Triple) -> tuple[Density, Density]:
    """Gradient norm per µm, and gradient norm per voxel; an axis of one plane is ignored."""
    squares, scaled = np.zeros_like(values), np.zeros_like(values)
    for axis, step_um in enumerate(spacing_zyx_um):
        if values.shape[axis] > 1:
            along = np.gradient(values, step_um, axis=axis)
            squares += along**2
            scaled += (along * step_um) ** 2
    return np.sqrt(squares), np.sqrt(scaled)


def _thickness(labels_zyx: LabelVolume, rim_um: float, spacing_zyx_um: Triple) -> Density:
    """Thickness of a cell seen from above: a quarter circle from its outline to `rim_um` inside, 1 beyond."""
    depth_um = edt.edt(labels_zyx, anisotropy=spacing_zyx_um, parallel=1) - spacing_zyx_um[-1] / 2
    return np.sqrt(1 - (1 - np.clip(depth_um / rim_um, 0, 1)) ** 2).astype(np.float32)


DISTRIBUTIONS: dict[str, Callable[[LabelVolume, Fluorophores, Triple, int, Inheritance], Density]] = {
    "uniform": _uniform,
    "membrane": _membrane,
    "textured": _textured,
}

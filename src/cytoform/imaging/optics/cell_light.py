"""The light of cells in real images, and what the optics make of the same masks without noise."""

from dataclasses import dataclass

import edt
import numpy as np
from jaxtyping import Float, Shaped
from scipy.ndimage import distance_transform_edt, gaussian_filter1d

from cytoform.imaging.optics.fluorophores import density
from cytoform.imaging.optics.light import haze
from cytoform.imaging.optics.parameters import OpticsParameters
from cytoform.imaging.optics.photon_transfer import Noise, background_level, inner_mask, smear_share
from cytoform.imaging.optics.point_spread import blurred, point_spread
from cytoform.movies.pairs.pairs import MaskedImage

Triple = tuple[float, float, float]
Values = Float[np.ndarray, "y x"]
Factors = Float[np.ndarray, " _"]  # by label


@dataclass(frozen=True)
class Observed:
    """A plane without its background, the signed depth of its pixels in their cells, and the cell nearest to each."""

    signal_yx: Values
    labels_yx: Shaped[np.ndarray, "y x"]
    depth_pixels: Values
    nearest_yx: Shaped[np.ndarray, "y x"]

    @classmethod
    def of(cls, plane: MaskedImage) -> "Observed":
        """From a plane and its own background, which may drift from frame to frame."""
        labels = plane.labels_yx
        background_adu = background_level(plane.image_yx, labels)
        outside, (rows, columns) = distance_transform_edt(labels == 0, return_indices=True)
        depth = np.where(labels > 0, edt.edt(labels, parallel=1) - 0.5, 0.5 - outside)
        return cls(plane.image_yx.astype(float) - background_adu, labels, depth, labels[rows, columns])

    @property
    def n_labels(self) -> int:
        """Length of a table of factors by label."""
        return int(self.labels_yx.max()) + 1


def expected(
    observed: Observed,
    parameters: OpticsParameters,
    *,
    spacing_zyx_um: Triple,
    factors: Factors | None = None,
    seed: int | None = None,
) -> Values:
    """The light of cells that are `factors` as bright, by label, or all 1; their texture is that of the seed, or none."""
    labels = observed.labels_yx[None]
    stain, light = parameters.fluorophores, parameters.background
    even = {"brightness_variation": 0.0} | ({} if seed is not None else {"texture_contrast": 0.0})
    emitted = density(labels, stain.model_copy(update=even), spacing_zyx_um=spacing_zyx_um, seed=seed or 0)
    if factors is not None:
        emitted *= factors.astype(np.float32)[labels]
    kernel = point_spread(parameters.microscope, spacing_zyx_um=spacing_zyx_um, single_plane=True)
    around = haze(emitted[0], light, pixel_um=spacing_zyx_um[-1])
    return ((1 - light.haze_fraction) * next(blurred(emitted, kernel)) + around).astype(float)


def brightness_factors(light: Values, unit: Values, observed: Observed) -> Factors:
    """How much brighter each cell is than in the `unit` light: by its inside, or by all of it where it is small."""
    labels, n = observed.labels_yx, observed.n_labels
    inner = np.where(inner_mask(labels), labels, 0)
    has_inside = np.bincount(inner.ravel(), minlength=n) > 0
    bright, even = (
        np.where(has_inside, *(np.bincount(where.ravel(), values.ravel(), n) for where in (inner, labels)))
        for values in (light, unit)
    )
    factors = np.divide(bright, even, out=np.zeros(n), where=even > 0)
    factors[0] = 0
    return np.maximum(factors, 0)


def noisy(light: Values, noise: Noise, rng: np.random.Generator) -> Values:
    """Light in grey values above the background with noise like that of the images; Poisson noise is taken as normal."""
    variance = noise.background_variance_adu2 + noise.variance_per_adu * np.maximum(light, 0)
    grains = rng.standard_normal(light.shape) * np.sqrt(variance / smear_share(noise.smear_pixels))
    return light + (gaussian_filter1d(grains, noise.smear_pixels, axis=1) if noise.smear_pixels else grains)


def bright_enough(factors: Factors) -> Shaped[np.ndarray, " _"]:
    """Which cells say much about shape and texture: those that are not much dimmer than most."""
    return factors > 0.4 * np.median(factors[factors > 0]) if (factors > 0).any() else factors > 0

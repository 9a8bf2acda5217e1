"""Light of cells in real images, and the noise-free light of the optical model for the same masks."""

from dataclasses import dataclass

import edt
import numpy as np
from jaxtyping import Float, Shaped
from scipy.ndimage import distance_transform_edt, gaussian_filter1d

from cytoform.base.triples import Triple
from cytoform.imaging.optics.fluorophores import density
from cytoform.imaging.optics.light import haze
from cytoform.imaging.optics.parameters import OpticsParameters
from cytoform.imaging.optics.photon_transfer import Noise, PlaneValues, background_level, inner_mask, smear_share
from cytoform.imaging.optics.point_spread import blurred, point_spread
from cytoform.movies.pairs.pairs import MaskedImage

LabelFactors = Float[np.ndarray, " _"]  # indexed by label


@dataclass(frozen=True)
class ObservedLight:
    """A real image minus its background, with the signed depth of pixels in their cells and the nearest cell of each."""

    signal_yx: PlaneValues
    labels_yx: Shaped[np.ndarray, "y x"]
    depth_pixels: PlaneValues
    nearest_yx: Shaped[np.ndarray, "y x"]

    @classmethod
    def of(cls, plane: MaskedImage) -> "ObservedLight":
        """Subtract the background of this image, which may drift between frames, and measure depths."""
        labels = plane.labels_yx
        background_adu = background_level(plane.image_yx, labels)
        outside, (rows, columns) = distance_transform_edt(labels == 0, return_indices=True)
        depth = np.where(labels > 0, edt.edt(labels, parallel=1) - 0.5, 0.5 - outside)
        return cls(plane.image_yx.astype(float) - background_adu, labels, depth, labels[rows, columns])

    @property
    def n_labels(self) -> int:
        """Length of arrays indexed by label."""
        return int(self.labels_yx.max()) + 1


def expected(
    observed: ObservedLight,
    parameters: OpticsParameters,
    *,
    spacing_zyx_um: Triple,
    factors: LabelFactors | None = None,
    seed: int | None = None,
) -> PlaneValues:
    """Noise-free light of cells; brightness is `factors` by label (default 1), texture follows `seed` (default none)."""
    labels = observed.labels_yx[None]
    stain, light = parameters.fluorophores, parameters.background
    even = {"brightness_variation": 0.0} | ({} if seed is not None else {"texture_contrast": 0.0})
    emitted = density(labels, stain.model_copy(update=even), spacing_zyx_um=spacing_zyx_um, seed=seed or 0)
    if factors is not None:
        emitted *= factors.astype(np.float32)[labels]
    kernel = point_spread(parameters.microscope, spacing_zyx_um=spacing_zyx_um, single_plane=True)
    around = haze(emitted[0], light, pixel_um=spacing_zyx_um[-1])
    return ((1 - light.haze_fraction) * next(blurred(emitted, kernel)) + around).astype(float)


def brightness_factors(light: PlaneValues, unit: PlaneValues, observed: ObservedLight) -> LabelFactors:
    """Brightness of each cell relative to `unit` light; from its inner pixels, or all of them for a small cell."""
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


def noisy(light: PlaneValues, noise: Noise, rng: np.random.Generator) -> PlaneValues:
    """Add background and signal noise like the real images' to light in grey values; Poisson noise as normal."""
    variance = noise.background_variance_adu2 + noise.variance_per_adu * np.maximum(light, 0)
    grains = rng.standard_normal(light.shape) * np.sqrt(variance / smear_share(noise.smear_pixels))
    return light + (gaussian_filter1d(grains, noise.smear_pixels, axis=1) if noise.smear_pixels else grains)


def bright_enough(factors: LabelFactors) -> Shaped[np.ndarray, " _"]:
    """Which cells are bright enough for fitting shape and texture: above 40 % of the median brightness."""
    return factors > 0.4 * np.median(factors[factors > 0]) if (factors > 0).any() else factors > 0

"""Fits contrast and correlation length of the texture inside cells to real images."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from cytoform.base.triples import Triple
from cytoform.imaging.optics.cell_light import (
    ObservedLight,
    bright_enough,
    brightness_factors,
    expected,
)
from cytoform.imaging.optics.parameters import OpticsParameters
from cytoform.imaging.optics.photon_transfer import PlaneValues, inner_mask

LAGS = np.arange(1, 7)  # along columns, where neighbours have independent noise; lag 0 would include the noise
TRIAL_CONTRAST = 0.3
TRIAL_PIXELS = np.geomspace(0.7, 8, 12)


def fit_texture(
    seen: Sequence[ObservedLight], parameters: OpticsParameters, *, spacing_zyx_um: Triple, seed: int
) -> OpticsParameters:
    """Fit the texture so that its covariance along columns, seen through the optics, equals the images'."""
    units = [expected(one, parameters, spacing_zyx_um=spacing_zyx_um) for one in seen]
    real = _mean_covariance(seen, [one.signal_yx for one in seen], units)
    fits = []
    for pixels in TRIAL_PIXELS:
        length_um = float(pixels) * spacing_zyx_um[-1]
        trial = _with_texture(parameters, TRIAL_CONTRAST, length_um)
        light = [expected(one, trial, spacing_zyx_um=spacing_zyx_um, seed=seed) for one in seen]
        made = _mean_covariance(seen, light, units)
        share = max(float(real @ made / (made @ made)), 0.0)
        fits.append((float(((real - share * made) ** 2).sum()), share, length_um))
    _, share, length_um = min(fits)
    variance = share * np.log1p(TRIAL_CONTRAST**2)
    return _with_texture(parameters, float(np.sqrt(np.expm1(variance))), length_um)


def _with_texture(parameters: OpticsParameters, contrast: float, length_um: float) -> OpticsParameters:
    changes = {
        "distribution": "textured",
        "texture_contrast": round(contrast, 4),
        "texture_correlation_um": round(length_um, 4),
    }
    return parameters.model_copy(update={"fluorophores": parameters.fluorophores.model_copy(update=changes)})


def _mean_covariance(
    seen: Sequence[ObservedLight], light: Sequence[PlaneValues], units: Sequence[PlaneValues]
) -> Float[np.ndarray, " lags"]:
    return np.mean([_covariance(*each) for each in zip(seen, light, units, strict=True)], axis=0)


def _covariance(one: ObservedLight, light: PlaneValues, unit: PlaneValues) -> Float[np.ndarray, " lags"]:
    """Covariance at each lag along columns, inside cells, of light relative to an evenly bright cell."""
    factors = brightness_factors(light, unit, one)
    labels = np.where(inner_mask(one.labels_yx) & bright_enough(factors)[one.labels_yx], one.labels_yx, 0)
    even = unit * factors[labels]
    rest = np.divide(light, even, out=np.ones_like(light), where=even > 0) - 1
    products = []
    for lag in LAGS:
        same = (labels[lag:] == labels[:-lag]) & (labels[lag:] > 0)
        products.append((rest[lag:][same] * rest[:-lag][same]).mean() if same.any() else 0.0)
    return np.array(products)

"""Fits the rim, haze and blur of the optical model to the light near the outlines of cells.

The mean profile across outlines determines rim and haze. It does not determine the blur, because inaccurate masks blur
the mean of sharp edges. The blur is fitted to the steepest gradient near each outline point.
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from scipy.ndimage import maximum_filter
from scipy.optimize import least_squares

from cytoform.base.triples import Triple
from cytoform.imaging.optics.cell_light import (
    LabelFactors,
    ObservedLight,
    bright_enough,
    brightness_factors,
    expected,
    noisy,
)
from cytoform.imaging.optics.parameters import OpticsParameters
from cytoform.imaging.optics.photon_transfer import Noise, PlaneValues

OUTSIDE_PIXELS, INSIDE_PIXELS = 14, 12  # range of the compared profile around the outline
LEVEL_PIXELS = 6  # cells have nearly full brightness deeper than this
EDGE_PIXELS = 3  # search radius around the outline of a mask for the edge of the light
MOST_BLUR_PIXELS, HALVINGS = 3.0, 6


def fit_outline(
    seen: Sequence[ObservedLight], parameters: OpticsParameters, *, spacing_zyx_um: Triple
) -> OpticsParameters:
    """Fit rim and haze to the mean profile across the outlines."""
    pixel_um = spacing_zyx_um[-1]
    factors = _factors(seen, parameters, spacing_zyx_um)
    real = _profile(seen, [one.signal_yx for one in seen], factors)

    def misfit(values: Float[np.ndarray, " 3"]) -> Float[np.ndarray, " depths"]:
        trial = _with_outline(parameters, values, pixel_um)
        # Cells of brightness 1, weighted like the real ones.
        light = [expected(one, trial, spacing_zyx_um=spacing_zyx_um) for one in seen]
        return _profile(seen, light, [(bright > 0).astype(float) for bright in factors], chosen=factors) - real

    # Bounds: rim in pixels, haze fraction, haze width in pixels (well beyond the blur).
    low, high = np.array([1.0, 0.0, 5.0]), np.array([15.0, 0.6, 30.0])
    best = least_squares(misfit, [4.0, 0.1, 8.0], bounds=(low, high), diff_step=np.full(3, 0.05), xtol=1e-2, max_nfev=8)
    return _with_outline(parameters, best.x, pixel_um)


def fit_blur(
    seen: Sequence[ObservedLight],
    parameters: OpticsParameters,
    noise: Noise,
    *,
    spacing_zyx_um: Triple,
    seed: int,
) -> OpticsParameters:
    """Fit the extra blur, by bisection, so that edges are as steep as in the images."""
    factors = _factors(seen, parameters, spacing_zyx_um)
    real = _edge_slope(seen, [one.signal_yx for one in seen], factors)
    low, high = 0.0, MOST_BLUR_PIXELS
    for _ in range(HALVINGS):
        trial = _with_blur(parameters, (low + high) / 2 * spacing_zyx_um[-1])
        made = []
        for one, bright in zip(seen, factors, strict=True):
            light = expected(one, trial, spacing_zyx_um=spacing_zyx_um, factors=bright, seed=seed)
            made.append(noisy(light, noise, np.random.default_rng(seed)))
        if _edge_slope(seen, made, factors) > real:
            low = (low + high) / 2
        else:
            high = (low + high) / 2
    # Bisection cannot distinguish the smallest trial from no blur.
    return _with_blur(parameters, (low + high) / 2 * spacing_zyx_um[-1] if low else 0.0)


def _factors(seen: Sequence[ObservedLight], parameters: OpticsParameters, spacing_zyx_um: Triple) -> list[LabelFactors]:
    return [
        brightness_factors(one.signal_yx, expected(one, parameters, spacing_zyx_um=spacing_zyx_um), one) for one in seen
    ]


def _edge_slope(seen: Sequence[ObservedLight], light: Sequence[PlaneValues], factors: Sequence[LabelFactors]) -> float:
    """Mean over outline points of the steepest gradient nearby, relative to the brightness of the cell."""
    found = []
    for one, values, bright in zip(seen, light, factors, strict=True):
        steepest = maximum_filter(np.hypot(*np.gradient(values)), 2 * EDGE_PIXELS + 1)
        near = (np.abs(one.depth_pixels) < 1) & bright_enough(bright)[one.nearest_yx]
        found.append(steepest[near] / bright[one.nearest_yx[near]])
    return float(np.concatenate(found).mean())


def _profile(
    seen: Sequence[ObservedLight],
    light: Sequence[PlaneValues],
    factors: Sequence[LabelFactors],
    *,
    chosen: Sequence[LabelFactors] | None = None,
) -> Float[np.ndarray, " depths"]:
    """Mean relative light by depth around cells that are bright enough by `chosen`; normalised to 1 inside."""
    n = OUTSIDE_PIXELS + INSIDE_PIXELS
    sums, counts = np.zeros(n), np.zeros(n)
    for one, values, bright, by in zip(seen, light, factors, chosen or factors, strict=True):
        step = np.floor(one.depth_pixels).astype(int) + OUTSIDE_PIXELS
        used = (step >= 0) & (step < n) & bright_enough(by)[one.nearest_yx]
        relative = np.clip(values[used] / bright[one.nearest_yx[used]], -0.5, 3)  # an unlabelled neighbour, debris
        sums += np.bincount(step[used], relative, n)
        counts += np.bincount(step[used], minlength=n)
    level = sums[OUTSIDE_PIXELS + LEVEL_PIXELS :].sum() / max(counts[OUTSIDE_PIXELS + LEVEL_PIXELS :].sum(), 1)
    return sums / np.maximum(counts, 1) / (level or 1.0)


def _with_outline(parameters: OpticsParameters, values: Float[np.ndarray, " 3"], pixel_um: float) -> OpticsParameters:
    rim, haze_fraction, reach = (float(value) for value in values)
    stain = parameters.fluorophores.model_copy(update={"rim_um": rim * pixel_um})
    light = parameters.background.model_copy(update={"haze_fraction": haze_fraction, "haze_um": reach * pixel_um})
    return parameters.model_copy(update={"fluorophores": stain, "background": light})


def _with_blur(parameters: OpticsParameters, blur_um: float) -> OpticsParameters:
    sharp = parameters.microscope.model_copy(update={"extra_blur_um": blur_um})
    return parameters.model_copy(update={"microscope": sharp})

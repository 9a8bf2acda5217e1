"""How light falls off across the outline of cells: rim, haze and blur of the model that fits best.

The mean profile across outlines has the rim and the haze. It does not have the blur: masks that are a pixel off here and
there blur the mean of sharp edges. The blur is found by how steep the light is at its steepest near every outline.
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from scipy.ndimage import maximum_filter
from scipy.optimize import least_squares

from cytoform.base.triples import Triple
from cytoform.imaging.optics.cell_light import (
    Factors,
    Observed,
    Values,
    bright_enough,
    brightness_factors,
    expected,
    noisy,
)
from cytoform.imaging.optics.parameters import OpticsParameters
from cytoform.imaging.optics.photon_transfer import Noise

OUTSIDE_PIXELS, INSIDE_PIXELS = 14, 12  # how far from the outline the light is compared
LEVEL_PIXELS = 6  # deeper than this a cell has its full brightness, or nearly
LOOK_PIXELS = 3  # around the outline of a mask, for the edge of the light
MOST_BLUR_PIXELS, HALVINGS = 3.0, 6


def fit_outline(seen: Sequence[Observed], parameters: OpticsParameters, *, spacing_zyx_um: Triple) -> OpticsParameters:
    """The parameters with the rim and the haze whose mean profile across the outline is that of the planes."""
    pixel_um = spacing_zyx_um[-1]
    factors = _factors(seen, parameters, spacing_zyx_um)
    real = _profile(seen, [one.signal_yx for one in seen], factors)

    def misfit(values: Float[np.ndarray, " 3"]) -> Float[np.ndarray, " depths"]:
        trial = _with_outline(parameters, values, pixel_um)
        # Of cells of brightness 1, weighted as the real ones are.
        light = [expected(one, trial, spacing_zyx_um=spacing_zyx_um) for one in seen]
        return _profile(seen, light, [(bright > 0).astype(float) for bright in factors], chosen=factors) - real

    # Rim in pixels, share of the haze, and how far it goes in pixels: well beyond the blur.
    low, high = np.array([1.0, 0.0, 5.0]), np.array([15.0, 0.6, 30.0])
    best = least_squares(misfit, [4.0, 0.1, 8.0], bounds=(low, high), diff_step=np.full(3, 0.05), xtol=1e-2, max_nfev=8)
    return _with_outline(parameters, best.x, pixel_um)


def fit_blur(
    seen: Sequence[Observed],
    parameters: OpticsParameters,
    noise: Noise,
    *,
    spacing_zyx_um: Triple,
    seed: int,
) -> OpticsParameters:
    """The parameters with the extra blur at which edges are as steep as those of the planes; by halving."""
    factors = _factors(seen, parameters, spacing_zyx_um)
    real = _steepness(seen, [one.signal_yx for one in seen], factors)
    low, high = 0.0, MOST_BLUR_PIXELS
    for _ in range(HALVINGS):
        trial = _with_blur(parameters, (low + high) / 2 * spacing_zyx_um[-1])
        made = []
        for one, bright in zip(seen, factors, strict=True):
            light = expected(one, trial, spacing_zyx_um=spacing_zyx_um, factors=bright, seed=seed)
            made.append(noisy(light, noise, np.random.default_rng(seed)))
        if _steepness(seen, made, factors) > real:
            low = (low + high) / 2
        else:
            high = (low + high) / 2
    # The first trial above 0 is within what halving can tell from none.
    return _with_blur(parameters, (low + high) / 2 * spacing_zyx_um[-1] if low else 0.0)


def _factors(seen: Sequence[Observed], parameters: OpticsParameters, spacing_zyx_um: Triple) -> list[Factors]:
    return [
        brightness_factors(one.signal_yx, expected(one, parameters, spacing_zyx_um=spacing_zyx_um), one) for one in seen
    ]


def _steepness(seen: Sequence[Observed], light: Sequence[Values], factors: Sequence[Factors]) -> float:
    """Mean over outlines of the steepest light nearby, relative to the brightness of the cell."""
    found = []
    for one, values, bright in zip(seen, light, factors, strict=True):
        steepest = maximum_filter(np.hypot(*np.gradient(values)), 2 * LOOK_PIXELS + 1)
        near = (np.abs(one.depth_pixels) < 1) & bright_enough(bright)[one.nearest_yx]
        found.append(steepest[near] / bright[one.nearest_yx[near]])
    return float(np.concatenate(found).mean())


def _profile(
    seen: Sequence[Observed],
    light: Sequence[Values],
    factors: Sequence[Factors],
    *,
    chosen: Sequence[Factors] | None = None,
) -> Float[np.ndarray, " depths"]:
    """Mean light by depth relative to the cell's, about the cells that are bright enough by `chosen`; inside it is 1."""
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

"""The expected error of a filled surface, calibrated by the hidden frames or planes.

A surface between two known ones is uncertain in proportion to how far these lie apart, most in the middle (a Brownian
bridge). The factor of proportion comes from hidden frames, for which the true error is known. It may grow with the width of
the gap, because motion is smooth over short times: so some frames are hidden together with their neighbours, and the power
of the width is measured as well. Over the narrower gaps that are to be filled it grows more slowly (docs/LOG.md).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32

from cytoform.completion.mixture import Example, Near

SURFACE_VOXELS = 0.75  # voxel centres this near a surface stand for it
STEEPEST = 1.0  # power of the width: that of motion without noise
NARROWER = 0.5  # the power for gaps narrower than hidden ones, as a share of that for wider ones
SMOOTH = (
    1.0  # power of the width for planes through a smooth surface: its error grows with the square, the change with it
)


@dataclass(frozen=True)
class Calibration:
    """Error as a multiple of the neighbours' change, in the middle of a gap of `width`; None where nothing was hidden.

    With the width it grows by a power, another one for wider gaps than for narrower ones.
    """

    factor: float | None
    width: float = 1.0
    power_wider: float = 0.0
    power_narrower: float = 0.0

    def expected(self, change: float, *, share: float, width: float) -> float | None:
        """Expected error at `share` of the way between surfaces that lie `change` apart, in the unit of the change."""
        if self.factor is None:
            return None
        power = self.power_narrower if width < self.width else self.power_wider
        return float(self.factor * (width / self.width) ** power * change * 2 * np.sqrt(share * (1 - share)))


def calibrate(
    narrow: Sequence[Example],
    weights: Float32[np.ndarray, " ways"],
    wide: Sequence[Example] = (),
    *,
    power: float = 0.0,
) -> Calibration:
    """The factor that gives the hidden frames their mean error, with these weights of the ways, and its powers of the width.

    `power` is taken where no wide gaps tell it.
    """
    factor, width = _factor(narrow, weights), _mean_width(narrow)
    factor_wide, width_wide = _factor(wide, weights), _mean_width(wide)
    if factor is None or factor_wide is None or width_wide <= width:
        return Calibration(factor, width, power, power)
    measured = float(np.clip(np.log(factor_wide / factor) / np.log(width_wide / width), 0, STEEPEST))
    return Calibration(factor, width, measured, NARROWER * measured)


def _factor(examples: Sequence[Example], weights: Float32[np.ndarray, " ways"]) -> float | None:
    pairs = [error_and_change(example, example.mixed(weights)) for example in examples]
    error, change = np.sum(pairs, axis=0) if pairs else (0.0, 0.0)
    return float(error / change) if change and error else None


def _mean_width(examples: Sequence[Example]) -> float:
    return float(np.mean([example.width for example in examples])) if examples else 1.0


def error_and_change(example: Example, field: Near) -> tuple[float, float]:
    """Root mean squares over a field's surface, in voxels: how far it lies from the true one, and the neighbours' change."""
    on_surface = np.abs(field) < SURFACE_VOXELS
    return rms((example.truth - field)[on_surface]), rms((example.before - example.after)[on_surface])


def rms(values: Float32[np.ndarray, "..."]) -> float:
    """Root mean square; 0 for no values."""
    return float(np.sqrt(np.mean(np.square(values)))) if values.size else 0.0

"""Grey values for networks: a scale learned from images, and its inverse."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from jaxtyping import Float32, Shaped

from cytoform.errors import InputError
from cytoform.movies.pairs.pairs import MaskedImage

SAMPLED_PIXELS = 10_000_000
# All but this share of the pixels on either side lie within the scale, which has some room beyond them.
CLIPPED_SHARE, ROOM = 1e-6, 0.05
# Grey values are linear within so many widths of the typical one, and logarithmic beyond.
LINEAR_WIDTHS = 3.0
DTYPES = ("uint8", "uint16", "float32")


@dataclass(frozen=True)
class IntensityScale:
    """Maps grey values v to asinh((v - centre) / width), and that linearly to -1 (low) … 1 (high).

    Fluorescence is sparse and skewed: on a linear scale the noise of its background is nothing, and a network would
    paint it flat. The inverse hyperbolic sine (as for the display of astronomical images, Lupton et al. 1999) is linear
    for faint values, logarithmic for bright ones and, where values are spread evenly, close to linear for all.
    """

    centre: float
    width: float
    low: float
    high: float
    dtype: str

    @classmethod
    def learn(cls, planes: Sequence[MaskedImage]) -> "IntensityScale":
        """From the images of a training set. Raises InputError where all grey values are the same."""
        dtype, size = planes[0].image_yx.dtype, planes[0].image_yx.size
        step = max(1, len(planes) * size // SAMPLED_PIXELS)
        values = np.concatenate([plane.image_yx.ravel()[::step] for plane in planes]).astype(np.float64)
        low, lower, centre, high = np.quantile(values, (CLIPPED_SHARE, 0.16, 0.5, 1 - CLIPPED_SHARE))
        if low == high:
            raise InputError(f"all grey values of the images are {low:g}; there is nothing to learn from them")
        # Half the pixels at one value, as behind a camera that cuts off its noise, leave no width: a small one then.
        smallest = 1.0 if dtype.kind == "u" else (high - low) / 1000
        width = max(LINEAR_WIDTHS * (centre - lower), smallest)
        bounds = np.arcsinh((np.array([low, high]) - centre) / width)
        room = ROOM * (bounds[1] - bounds[0])
        return cls(float(centre), float(width), float(bounds[0] - room), float(bounds[1] + room), dtype.name)

    def to_unit(self, image: Shaped[np.ndarray, "..."]) -> Float32[np.ndarray, "..."]:
        """From -1 to 1; what lies beyond is clipped."""
        bent = np.arcsinh((image.astype(np.float64) - self.centre) / self.width)
        return ((2 * bent - self.low - self.high) / (self.high - self.low)).clip(-1, 1).astype(np.float32)

    def from_unit(self, unit: Float32[np.ndarray, "..."]) -> Shaped[np.ndarray, "..."]:
        """Grey values of the original type, rounded for whole numbers."""
        bent = (unit.clip(-1, 1).astype(np.float64) * (self.high - self.low) + self.low + self.high) / 2
        values = np.sinh(bent) * self.width + self.centre
        if self.dtype == "float32":
            return values.astype(np.float32)
        return np.rint(values).clip(0, np.iinfo(self.dtype).max).astype(self.dtype)

    def to_dict(self) -> dict[str, Any]:
        """Fit for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "IntensityScale":
        """Raises InputError for values that are no scale."""
        try:
            scale = cls(
                **{name: float(values[name]) for name in ("centre", "width", "low", "high")}, dtype=values["dtype"]
            )
        except (KeyError, TypeError, ValueError):
            raise InputError("the intensity scale of the model is damaged; train it anew") from None
        numbers = (scale.centre, scale.width, scale.low, scale.high)
        if not (np.isfinite(numbers).all() and scale.width > 0 and scale.low < scale.high and scale.dtype in DTYPES):
            raise InputError("the intensity scale of the model is damaged; train it anew")
        return scale

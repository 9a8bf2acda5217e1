"""Conversion between grey values and the intensity scale of a network."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Annotated, Any, Literal

import numpy as np
from jaxtyping import Float32, Shaped
from pydantic import Field, model_validator

from cytoform.base.gate import Record, parse_json
from cytoform.errors import InputError
from cytoform.movies.pairs.pairs import MaskedImage

SAMPLED_PIXELS = 10_000_000
# The scale covers all but this share of the pixels on either side, plus some room.
CLIPPED_SHARE, ROOM = 1e-6, 0.05
# Grey values are linear within this many widths of the median, and logarithmic beyond.
LINEAR_WIDTHS = 3.0
GreyValue = Annotated[float, Field(ge=-1e12, le=1e12)]
Bend = Annotated[float, Field(ge=-100, le=100)]  # inverse hyperbolic sine of grey values in widths


@dataclass(frozen=True)
class IntensityScale:
    """Maps grey values v to asinh((v - centre) / width), then linearly to -1 (low) … 1 (high).

    Fluorescence images are sparse and skewed: on a linear scale, the noise of the background vanishes and a network would
    render it flat. The inverse hyperbolic sine (used to display astronomical images, Lupton et al. 1999) is linear for
    faint values, logarithmic for bright ones, and almost linear for evenly distributed ones.
    """

    centre: float
    width: float
    low: float
    high: float
    dtype: str

    @classmethod
    def learn(cls, planes: Sequence[MaskedImage]) -> "IntensityScale":
        """Fit the scale to the images of a training set. Raises InputError if all grey values are equal."""
        dtype, size = planes[0].image_yx.dtype, planes[0].image_yx.size
        step = max(1, len(planes) * size // SAMPLED_PIXELS)
        values = np.concatenate([plane.image_yx.ravel()[::step] for plane in planes]).astype(np.float64)
        low, lower, centre, high = np.quantile(values, (CLIPPED_SHARE, 0.16, 0.5, 1 - CLIPPED_SHARE))
        if low == high:
            raise InputError(f"all grey values of the images are {low:g}; there is nothing to learn from them")
        # If half the pixels have one value (a camera that clips its noise), the width would be 0.
        smallest = 1.0 if dtype.kind == "u" else (high - low) / 1000
        width = max(LINEAR_WIDTHS * (centre - lower), smallest)
        bounds = np.arcsinh((np.array([low, high]) - centre) / width)
        room = ROOM * (bounds[1] - bounds[0])
        return cls(float(centre), float(width), float(bounds[0] - room), float(bounds[1] + room), dtype.name)

    def to_unit(self, image: Shaped[np.ndarray, "..."]) -> Float32[np.ndarray, "..."]:
        """Grey values to -1 … 1; values beyond are clipped."""
        bent = np.arcsinh((image.astype(np.float64) - self.centre) / self.width)
        return ((2 * bent - self.low - self.high) / (self.high - self.low)).clip(-1, 1).astype(np.float32)

    def from_unit(self, unit: Float32[np.ndarray, "..."]) -> Shaped[np.ndarray, "..."]:
        """-1 … 1 to grey values of the original type, rounded for integers."""
        bent = (unit.clip(-1, 1).astype(np.float64) * (self.high - self.low) + self.low + self.high) / 2
        values = np.sinh(bent) * self.width + self.centre
        if self.dtype == "float32":
            return values.astype(np.float32)
        return np.rint(values).clip(0, np.iinfo(self.dtype).max).astype(self.dtype)

    def to_dict(self) -> dict[str, Any]:
        """Values for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "IntensityScale":
        """Read values written by `to_dict`. Raises InputError if they are invalid."""
        where = "the intensity scale of the model is damaged"
        return cls(**vars(parse_json(json.dumps(values), IntensityRecord, where=where, remedy="train it anew")))


class IntensityRecord(Record):
    """The values of an intensity scale in a file."""

    centre: GreyValue
    width: Annotated[float, Field(ge=1e-12, le=1e12)]
    low: Bend
    high: Bend
    dtype: Literal["uint8", "uint16", "float32"]

    @model_validator(mode="after")
    def _rises(self) -> "IntensityRecord":
        if not self.low < self.high:
            raise ValueError("low is not below high")
        return self

"""Settings of the decoder with one code a sequence."""

from typing import Literal

from pydantic import Field, model_validator

from cytoform.representations.config import RepresentationConfig

SPLINE_DEGREE = 3  # of a code that changes with time
MOST_WEIGHTS = 1 << 28  # 1 GB, and four times that in training


class GlobalCodeConfig(RepresentationConfig):
    """The decoder (paper section 2.2)."""

    kind: Literal["global"] = "global"
    width: int = Field(128, ge=1, le=4096)
    depth: int = Field(9, ge=1, le=64)
    code_dim: int = Field(192, ge=1, le=4096)
    code_layers: tuple[int, ...] = (1, 5, 8)  # hidden layers that take the code, counted from 1
    code_knots: int = Field(
        1, ge=1, le=4096
    )  # control points in time that share `code_dim`; 1 is the paper's constant code
    activation: Literal["sine", "relu"] = "sine"
    omega: float = Field(30.0, ge=1e-3, le=1e4)  # frequency of the sine; ReLU has none

    @model_validator(mode="after")
    def _fits_into_memory(self) -> "GlobalCodeConfig":
        if self.depth * self.width**2 > MOST_WEIGHTS:
            raise ValueError(f"{self.depth} layers of {self.width} units have more than {MOST_WEIGHTS:,} weights")
        return self

    @model_validator(mode="after")
    def _code_layers_exist(self) -> "GlobalCodeConfig":
        if not self.code_layers or not all(1 <= layer <= self.depth for layer in self.code_layers):
            raise ValueError(f"code_layers {self.code_layers} must lie in 1 to depth {self.depth}")
        return self

    @model_validator(mode="after")
    def _knots_share_the_code(self) -> "GlobalCodeConfig":
        if 1 < self.code_knots <= SPLINE_DEGREE or self.code_dim % self.code_knots:
            raise ValueError(
                f"code_knots {self.code_knots} must be 1 or at least {SPLINE_DEGREE + 1}, and divide code_dim {self.code_dim}"
            )
        return self

"""Settings of the kind "refined": a network with the weights of components as its first codes."""

from typing import Literal

from pydantic import Field, model_validator

from cytoform.representations.global_code.config import MOST_WEIGHTS
from cytoform.representations.linear.config import ComponentsConfig


class RefinedConfig(ComponentsConfig):
    """A network in the frame of components, with codes as long as theirs."""

    kind: Literal["refined"] = "refined"
    components: int = Field(256, ge=1, le=4096)  # at most; as many numbers has a code at every knot
    width: int = Field(128, ge=1, le=4096)
    depth: int = Field(6, ge=1, le=64)
    omega: float = Field(20.0, ge=1e-3, le=1e4)  # frequency of the sine

    @model_validator(mode="after")
    def _fits_into_memory(self) -> "RefinedConfig":
        if self.depth * self.width**2 > MOST_WEIGHTS:
            raise ValueError(f"{self.depth} layers of {self.width} units have more than {MOST_WEIGHTS:,} weights")
        return self

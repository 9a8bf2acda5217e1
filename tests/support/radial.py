"""A second representation and a second kind of prior, as small as they can be: balls whose radius a code and a time give."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from cytoform.priors.fitted import PRIORS, PriorKind
from cytoform.priors.prior import Drawn, Given, Prior
from cytoform.representations.config import RepresentationConfig
from cytoform.representations.representation import NO_VARIABLES, Frame, Representation, Variables
from cytoform.representations.table import REPRESENTATIONS, RepresentationKind


class RadialConfig(RepresentationConfig):
    """Settings of the kind "radial"."""

    kind: Literal["radial"] = "radial"
    start: float = 0.2  # radius before training, in half extents


class Radial(Representation):
    """Balls around the centre. A code of shape (2, 1) holds what is added to the radius at the first and last time."""

    code_shape = (2, 1)
    variables = frozenset({"size"})  # a factor of the radius

    def __init__(self, start: float) -> None:
        super().__init__()
        self.radius = nn.Parameter(torch.tensor(start))

    def distances(
        self, codes: Float[Tensor, "frames 2 1"], times: Float[Tensor, " frames"], points: Float[Tensor, "frames n 3"]
    ) -> Float[Tensor, "frames n"]:
        share = (times + 1) / 2
        radii = self.radius + (1 - share) * codes[:, 0, 0] + share * codes[:, 1, 0]
        return points.norm(dim=2) - radii[:, None]

    def frame(
        self,
        code: Float[Tensor, "2 1"],
        time: float,
        *,
        rotation: Float[Tensor, "3 3"] | None = None,
        variables: Variables = NO_VARIABLES,
    ) -> Frame:
        plain = super().frame(code, time, rotation=rotation)
        return Scaled(plain, float(variables["size"])) if "size" in variables else plain


@dataclass(frozen=True)
class Scaled:
    """A frame made `size` times as large."""

    plain: Frame
    size: float

    @property
    def device(self) -> torch.device:
        return self.plain.device

    def __call__(self, points: Float[Tensor, "n 3"]) -> Float[Tensor, " n"]:
        return self.size * self.plain(points / self.size)


@dataclass(frozen=True)
class Sized(Prior):
    """Learned codes, each with a size between 0.5 and 1; all of one size where that is given."""

    codes: Float[np.ndarray, "sequences code"]
    conditions = frozenset({"size"})

    def _draw(self, n: int, rng: np.random.Generator, given: Given) -> Drawn:
        sizes = np.full(n, given["size"]) if "size" in given else rng.uniform(0.5, 1, n)
        return Drawn(self.codes[rng.integers(len(self.codes), size=n)], {"size": sizes})


RADIAL = RepresentationKind(RadialConfig, lambda config, *, seed, n_dims, backward_dtype: Radial(config.start))
SIZED = PriorKind(Sized, Sized)


def register(monkeypatch) -> None:
    """Add both to their tables for one test: an entry each is all it takes."""
    monkeypatch.setitem(REPRESENTATIONS, "radial", RADIAL)
    monkeypatch.setitem(PRIORS, "sized", SIZED)

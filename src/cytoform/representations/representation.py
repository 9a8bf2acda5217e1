"""A representation turns a latent code and a time into a signed distance: the decoder of an auto-decoder.

Each kind is an entry of `representations.table.REPRESENTATIONS`. For all of them, points are (x, y, z) in the cube
Ω = [-1, 1]³ (of images (x, y) in the square), times lie in [-1, 1], and distances are in half extents of the cube,
negative inside.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import ClassVar, Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

CHUNK = 1 << 14  # points

# Named arrays that describe a cell beside its code, such as its size.
Variables = Mapping[str, Tensor]
SCALE = "scale"  # the size of a cell over the one that its code describes, at equal times over the movie
NO_VARIABLES: Variables = MappingProxyType({})


def at_share(share: float, values: Float[Tensor, "moments ..."]) -> Float[np.ndarray, "..."]:
    """Values at equal times over a movie, interpolated at a share of it; beyond its ends those at the ends."""
    known = values.cpu().double().numpy()
    place = min(max(share, 0.0), 1.0) * (len(known) - 1)
    low = min(int(place), max(len(known) - 2, 0))
    return np.asarray((1 - (place - low)) * known[low] + (place - low) * known[min(low + 1, len(known) - 1)])


@runtime_checkable
class Frame(Protocol):
    """The signed distance of one cell at one time."""

    @property
    def device(self) -> torch.device:
        """The device on which points are expected."""
        ...

    def __call__(self, points: Float[Tensor, "n dims"]) -> Float[Tensor, " n"]:
        """Signed distance at `points`, without gradients."""
        ...


@runtime_checkable
class ScaledFrame(Frame, Protocol):
    """A frame of a cell whose size is a variable of its own."""

    scale: float  # over the size that its code describes


@runtime_checkable
class QuickFrame(Frame, Protocol):
    """A frame whose points cost little."""

    @property
    def n_quick(self) -> int:
        """So many points are evaluated in less time than it takes to find out which of them lie near the surface."""
        ...


class Representation(nn.Module, ABC):
    """Base of all kinds. A kind has to say the shape of its codes and compute `distances`; the rest has a plain default."""

    code_shape: tuple[int, ...]
    n_dims: int = 3  # of space
    variables: ClassVar[frozenset[str]] = frozenset()  # names of the variables that `frame` takes

    @abstractmethod
    def distances(
        self,
        codes: Float[Tensor, "frames ..."],
        times: Float[Tensor, " frames"],
        points: Float[Tensor, "frames n dims"],
    ) -> Float[Tensor, "frames n"]:
        """Signed distance at the points of every frame; differentiable in weights, codes and points."""

    def error(
        self,
        codes: Float[Tensor, "frames ..."],
        times: Float[Tensor, " frames"],
        points: Float[Tensor, "frames n dims"],
        distances: Float[Tensor, "frames n"],
    ) -> Float[Tensor, ""]:
        """Mean absolute error against the true `distances`, the first part of the training loss (paper eq. 2.1)."""
        return (self.distances(codes, times, points) - distances).abs().mean()

    def penalty(self, codes: Float[Tensor, "frames ..."]) -> Float[Tensor, ""]:
        """Mean squared norm of the codes, the second part of the training loss before its weight."""
        return codes.flatten(1).square().sum(dim=1).mean()

    def over_time(self, codes: Float[Tensor, "n ..."]) -> Float[Tensor, "n knots values"]:
        """The codes as rows of values at knots in time; one knot where a code is constant."""
        return codes.flatten(1)[:, None]

    def images(self, codes: Float[np.ndarray, "n ..."]) -> Float[np.ndarray, "images ..."]:
        """Codes of the mirror images of cells, where these follow from the codes: none beside the cells themselves."""
        return codes

    def trained(self) -> "Representation":
        """The part that is trained step by step: all of it, unless other parts are learned in closed form before."""
        return self

    def lower(self, by: float) -> None:
        """Subtract `by` from all distances at the size that all cells share; kinds that are not trained in steps need not."""

    def matrices(self) -> list[nn.Parameter]:
        """Weight matrices of hidden layers, which the optimiser `muon` trains by its own rule."""
        return []

    def frame(
        self,
        code: Float[Tensor, "..."],
        time: float,
        *,
        rotation: Float[Tensor, "dims dims"] | None = None,
        variables: Variables = NO_VARIABLES,
    ) -> Frame:
        """One cell at one time. `rotation` turns points into the canonical pose (representations/rotation.py)."""
        return _PlainFrame(self, code, time, rotation)

    def gradient(
        self, code: Float[Tensor, "..."], time: float, points: Float[Tensor, "n dims"]
    ) -> Float[Tensor, "n dims"]:
        """Gradient of the distance with respect to (x, y, z), by automatic differentiation in chunks of points."""
        gradients = []
        for chunk in points.split(CHUNK):
            position = chunk[None].detach().requires_grad_()
            (gradient,) = torch.autograd.grad(self._at(code, time, position).sum(), position)
            gradients.append(gradient[0])
        return torch.cat(gradients) if gradients else torch.empty_like(points)

    def fault(self) -> str:
        """What is wrong with the values that were read from a file, in a few words; empty if nothing is."""
        return ""

    def describe(self) -> str:
        """The size of the representation in a few words, for `cytoform info`."""
        return f"codes of {' × '.join(str(n) for n in self.code_shape)}"

    def _at(self, code: Tensor, time: float, points: Float[Tensor, "1 n dims"]) -> Float[Tensor, "1 n"]:
        return self.distances(code[None], code.new_full((1,), time), points)


@dataclass(frozen=True)
class _PlainFrame:
    """Evaluates `distances` in chunks."""

    representation: Representation
    code: Tensor
    time: float
    rotation: Float[Tensor, "dims dims"] | None = field(default=None)

    @property
    def device(self) -> torch.device:
        return self.code.device

    @torch.no_grad()
    def __call__(self, points: Float[Tensor, "n dims"]) -> Float[Tensor, " n"]:
        turned = points if self.rotation is None else points @ self.rotation.T
        found = [self.representation._at(self.code, self.time, chunk[None])[0] for chunk in turned.split(CHUNK)]
        return torch.cat(found) if found else points.new_empty(0)

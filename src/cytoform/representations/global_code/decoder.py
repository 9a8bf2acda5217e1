"""The decoder: an MLP from a point, a time and a latent code to a signed distance (paper section 2.2).

A code is fixed over its sequence, so all that it and the time contribute to a layer is one bias vector per frame. The
decoder computes those biases once per frame (`frame_biases`) and never repeats a code per point. This is exact
algebra, and it makes training and rendering cheap.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

import torch
from jaxtyping import Float
from torch import Tensor, nn

from cytoform.representations.global_code.config import SPLINE_DEGREE

TIME_DIM = 1


def spline_weights(times: Float[Tensor, " n"], n_knots: int) -> Float[Tensor, "n knots"]:
    """How much each of `n_knots` control points counts at `times` in [-1, 1], for a uniform cubic B-spline.

    Weights sum to 1 and at most four of them are not 0. With one control point everything is constant. Times outside
    continue the first or last piece. (de Boor 1978, A Practical Guide to Splines)
    """
    if n_knots == 1:
        return torch.ones_like(times)[:, None]
    n_pieces = n_knots - SPLINE_DEGREE
    place = (times + 1) / 2 * n_pieces
    piece = place.floor().clamp(0, n_pieces - 1)
    u = place - piece
    values = (1 - u) ** 3, 3 * u**3 - 6 * u**2 + 4, -3 * u**3 + 3 * u**2 + 3 * u + 1, u**3
    weights = torch.zeros(len(times), n_knots, dtype=times.dtype, device=times.device)
    columns = piece.long()[:, None] + torch.arange(SPLINE_DEGREE + 1, device=times.device)
    return weights.scatter(1, columns, torch.stack(values, dim=1) / 6)


@dataclass(frozen=True)
class FrameBiases:
    """The bias vectors that code and time add to every hidden layer, for a number of frames."""

    layers: tuple[Float[Tensor, "frames width"], ...]

    def __getitem__(self, frames: slice) -> "FrameBiases":
        """The biases of some of the frames."""
        return FrameBiases(tuple(bias[frames] for bias in self.layers))


class Sine(nn.Module):
    """sin(ω·x) with the initialisation that keeps its variance at any depth (SIREN, Sitzmann et al. 2020)."""

    def __init__(self, omega: float) -> None:
        super().__init__()
        self.omega = omega

    def forward(self, x: Tensor) -> Tensor:
        return torch.sin(x if self.omega == 1 else self.omega * x)

    def initialise(self, layer: nn.Linear, *, first: bool, generator: torch.Generator) -> None:
        """Draw the weights of a layer before this activation; n is its whole fan-in."""
        n = layer.in_features
        # SIREN section 3.2: the first layer spans ω/n periods; later ones are divided by ω to undo its slope.
        bound = 1 / n if first else math.sqrt(6 / n) / self.omega
        nn.init.uniform_(layer.weight, -bound, bound, generator=generator)
        nn.init.uniform_(layer.bias, -1 / math.sqrt(n), 1 / math.sqrt(n), generator=generator)


class ReLU(nn.Module):
    """max(0, x), the activation of DeepSDF, with PyTorch's usual initialisation."""

    omega = 1.0

    def __init__(self, omega: float) -> None:
        super().__init__()

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(x)

    def initialise(self, layer: nn.Linear, *, first: bool, generator: torch.Generator) -> None:
        """Draw the weights of a layer before this activation."""
        bound = 1 / math.sqrt(layer.in_features)
        nn.init.uniform_(layer.weight, -bound, bound, generator=generator)
        nn.init.uniform_(layer.bias, -bound, bound, generator=generator)


ACTIVATIONS: dict[str, type[Sine] | type[ReLU]] = {"sine": Sine, "relu": ReLU}


class HiddenLayer(nn.Linear):
    """A linear layer over [hidden, x, y, z, t, code], of images without z; time and code are folded into a bias per frame."""

    def __init__(self, n_hidden: int, n_code: int, width: int, n_dims: int = 3) -> None:
        super().__init__(n_hidden + n_dims + TIME_DIM + n_code, width)
        self.n_hidden, self.n_code, self.n_from_point = n_hidden, n_code, n_hidden + n_dims

    def frame_bias(self, codes: Tensor, times: Tensor) -> Float[Tensor, "frames width"]:
        """Everything that time and code add to this layer, for each frame."""
        time = self.n_from_point
        bias = self.bias + times[:, None] * self.weight[:, time]
        return bias + codes @ self.weight[:, time + TIME_DIM :].T if self.n_code else bias

    def forward(self, hidden: Tensor | None, points: Tensor, bias: Tensor) -> Float[Tensor, "points width"]:  # type: ignore[override]
        """Pre-activations of all points of all frames; `hidden` is None in the first layer."""
        from_point = self.weight[:, self.n_hidden : self.n_from_point].T.expand(len(points), -1, -1)
        summed = torch.baddbmm(bias[:, None, :], points, from_point).flatten(0, 1)
        return summed if hidden is None else torch.addmm(summed, hidden, self.weight[:, : self.n_hidden].T)


class Decoder(nn.Module):
    """f(x, t, z): `depth` hidden layers of `width` units; (x, t) enters all of them, z the `code_layers` (from 1).

    The input of a layer is [hidden, x, y, z, t, code]; the published checkpoints order it differently. In the paper z is
    one vector for a whole sequence. With several `code_knots` it is a spline over time with as many control points, and
    a code holds them one after the other: a shape is then described by what it is around that time, and sequences can be
    told apart that no mixture of whole learned sequences describes (docs/method.md).
    """

    def __init__(
        self,
        *,
        width: int,
        depth: int,
        code_dim: int,
        code_layers: tuple[int, ...],
        code_knots: int = 1,
        activation: str,
        omega: float,
        seed: int,
        n_dims: int = 3,
    ) -> None:
        super().__init__()
        self.width, self.code_dim, self.code_knots, self.n_dims = width, code_dim, code_knots, n_dims
        self.activation = ACTIVATIONS[activation](omega)
        self.hidden = nn.ModuleList(
            HiddenLayer(
                width if number > 1 else 0, code_dim // code_knots if number in code_layers else 0, width, n_dims
            )
            for number in range(1, depth + 1)
        )
        self.output = nn.Linear(width, 1)
        generator = torch.Generator().manual_seed(seed)
        for number, layer in enumerate(self.layers, start=1):
            self.activation.initialise(layer, first=number == 1, generator=generator)
        self.activation.initialise(self.output, first=False, generator=generator)

    @property
    def layers(self) -> Iterator[HiddenLayer]:
        """The hidden layers, first to last."""
        return (cast(HiddenLayer, layer) for layer in self.hidden)

    def frame_biases(self, codes: Float[Tensor, "frames code"], times: Float[Tensor, " frames"]) -> FrameBiases:
        """Fold the contributions of `codes` and `times` to each layer into one bias vector per frame."""
        if self.code_knots > 1:
            weights = spline_weights(times, self.code_knots)
            codes = (weights[:, :, None] * codes.unflatten(1, (self.code_knots, -1))).sum(dim=1)
        return FrameBiases(tuple(layer.frame_bias(codes, times) for layer in self.layers))

    def forward(self, points: Float[Tensor, "frames n dims"], biases: FrameBiases) -> Float[Tensor, "frames n"]:
        """Signed distance in units of the half extent, at normalised points (x, y, z)."""
        hidden: Tensor | None = None
        for layer, bias in zip(self.layers, biases.layers, strict=True):
            hidden = self.activation(layer(hidden, points, bias))
        return self.output(hidden).reshape(points.shape[:2])

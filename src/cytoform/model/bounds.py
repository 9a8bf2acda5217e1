"""How fast a trained field can change: what the narrow-band search relies on when it skips cells."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from cytoform.model.decoder import Decoder, FrameBiases

# Mispredictions across cells as wide as these shares of the half extent: voxels of 512³ up to blocks of 64³.
CELL_WIDTHS = (2 / 256, 2 / 64, 2 / 32)
N_FRAMES, N_POINTS = 24, 1024


@dataclass(frozen=True)
class Bounds:
    """How a field can change: by at most `slope`·w over a length w, and away from a trilinear prediction by `bend`·w².

    w is the width of the cells that predict; all lengths are in units of the half extent.
    """

    slope: float
    bend: float

    def times(self, safety: float) -> "Bounds":
        """The bounds with a margin."""
        return Bounds(safety * self.slope, safety * self.bend)


def measure_bounds(decoder: Decoder, codes: Float[Tensor, "sequences code"], *, seed: int) -> Bounds:
    """The largest slope and misprediction at random points: a third in Ω, the rest pulled onto the surface.

    Frames are random times of learned codes, of mixtures of two, and of noise around them.
    """
    rng = np.random.default_rng([seed, 4])
    slope = bend = 0.0
    for _ in range(N_FRAMES):
        a, b = codes[rng.integers(len(codes))], codes[rng.integers(len(codes))]
        share = rng.choice([0.0, 0.5])
        noise = torch.tensor(rng.normal(0, 0.01, len(a)), dtype=codes.dtype, device=codes.device)
        biases = frame_biases(decoder, (1 - share) * a + share * b + noise, float(rng.uniform(-1, 1)))
        points = torch.tensor(rng.uniform(-1, 1, (N_POINTS, 3)), dtype=codes.dtype, device=codes.device)
        _pull_to_surface(decoder, biases, points[N_POINTS // 3 :])
        slope = max(slope, float(gradient_xyz(decoder, biases, points).norm(dim=1).max()))
        for width in CELL_WIDTHS:
            bend = max(bend, float(_misprediction(decoder, biases, points, width).max()) / width**2)
    return Bounds(slope, bend)


def frame_biases(decoder: Decoder, code: Float[Tensor, " code"], time: float) -> FrameBiases:
    """The biases of one frame."""
    with torch.no_grad():
        return decoder.frame_biases(code[None], code.new_full((1,), time))


def gradient_xyz(decoder: Decoder, biases: FrameBiases, points: Float[Tensor, "n 3"]) -> Float[Tensor, "n 3"]:
    """Gradient of the decoder at normalised (x, y, z) in one frame, in chunks."""
    gradients = []
    for chunk in points.split(1 << 14):
        position = chunk[None].detach().requires_grad_()
        (gradient,) = torch.autograd.grad(decoder(position, biases).sum(), position)
        gradients.append(gradient[0])
    return torch.cat(gradients) if gradients else torch.empty_like(points)


@torch.no_grad()
def _pull_to_surface(decoder: Decoder, biases: FrameBiases, points: Float[Tensor, "n 3"]) -> None:
    """Two Newton steps along the gradient, in place; points that would leave Ω stay at its border."""
    for _ in range(2):
        with torch.enable_grad():
            gradient = gradient_xyz(decoder, biases, points)
        distance = decoder(points[None], biases)[0]
        points -= (distance / gradient.square().sum(dim=1).clamp_min(0.1))[:, None] * gradient
        points.clamp_(-1, 1)


@torch.no_grad()
def _misprediction(decoder: Decoder, biases: FrameBiases, points: Tensor, width: float) -> Float[Tensor, " n"]:
    """|trilinear prediction - field| where the prediction is worst informed: a quarter of a cell off its nearest corner."""
    octants = torch.cartesian_prod(*[torch.tensor([0.0, 1.0], device=points.device)] * 3).to(points.dtype)
    weights = (0.25 + 0.5 * (1 - octants)).prod(dim=1)
    corners = points[:, None] + (octants - 0.25) * width
    predicted = decoder(corners.reshape(1, -1, 3), biases).reshape(-1, 8) @ weights
    return (predicted - decoder(points[None], biases)[0]).abs()

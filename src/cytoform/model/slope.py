"""How fast a trained field can change: the bound that the narrow-band search skips blocks by."""

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from cytoform.model.decoder import Decoder

N_FRAMES, N_POINTS = 64, 2048


def measure_slope(decoder: Decoder, codes: Float[Tensor, "sequences code"], *, seed: int) -> float:
    """Largest |∇f| over random points of Ω, at random times of learned codes (no unit; 1 for an exact distance)."""
    rng = np.random.default_rng([seed, 4])
    rows = torch.from_numpy(rng.integers(0, len(codes), N_FRAMES)).to(codes.device)
    times = torch.from_numpy(rng.uniform(-1, 1, N_FRAMES).astype(np.float32)).to(codes.device)
    largest = 0.0
    for row, time in zip(rows, times, strict=True):
        points = torch.from_numpy(rng.uniform(-1, 1, (N_POINTS, 3)).astype(np.float32)).to(codes.device)
        largest = max(largest, float(gradient_xyz(decoder, codes[row], float(time), points).norm(dim=1).max()))
    return largest


def gradient_xyz(
    decoder: Decoder, code: Float[Tensor, " code"], time: float, points: Float[Tensor, "n 3"]
) -> Float[Tensor, "n 3"]:
    """Gradient of the decoder at normalised (x, y, z), in chunks."""
    with torch.no_grad():
        biases = decoder.frame_biases(code[None], torch.full((1,), time, device=code.device))
    gradients = []
    for chunk in points.split(1 << 14):
        position = chunk[None].detach().requires_grad_()
        (gradient,) = torch.autograd.grad(decoder(position, biases).sum(), position)
        gradients.append(gradient[0])
    return torch.cat(gradients)

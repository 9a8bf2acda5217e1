"""The reconstruction error of a batch (the first part of eq. 2.1), and its gradients.

On a CPU a step should cost no more than its matrix products. So error and gradients are computed in one pass, a chunk of
points at a time that stays in the cache of one core: forwards, error, backwards. As in `evaluator`, a chunk is a
matrix of units by points in a reused buffer, and the coordinates ride in spare rows. So do the biases: a chunk may hold
several frames, and each has a row that is 1 at its points, so that products add biases and sum their gradients.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from cytoform.representations.global_code.decoder import Decoder, FrameBiases, Sine
from cytoform.representations.threads import compute_threads

# Points in a chunk, and at most so many frames: small frames share a chunk.
CHUNK, FRAMES = 512, 8


class Reconstruction:
    """Mean absolute difference between a decoder and the true distances; buffers are kept from step to step.

    On a CPU the products of the backward pass may be taken in bfloat16, at half the cost where the cores know it. The
    forward pass may not: it would round the phases of the sines.
    """

    def __init__(self, decoder: Decoder, *, backward_dtype: torch.dtype = torch.float32) -> None:
        self._decoder, self._backward_dtype = decoder, backward_dtype
        self._passes: list[_Pass] = []

    def error(
        self, points: Float[Tensor, "frames n dims"], biases: FrameBiases, distances: Float[Tensor, "frames n"]
    ) -> Float[Tensor, ""]:
        """The error, differentiable in the decoder's weights, in `biases`, and in `points` if they ask for it."""
        decoder = self._decoder
        if points.device.type != "cpu":
            return (decoder(points, biases) - distances).abs().mean()
        # ω is folded into weights and biases.
        omega = decoder.activation.omega
        weights = [omega * layer.weight[:, : layer.n_from_point] for layer in decoder.layers]
        shifts = torch.stack([omega * bias for bias in biases.layers])
        output = decoder.output
        error: Tensor = _OnePass.apply(self, points, distances, output.weight, output.bias, shifts, *weights)
        return error

    def one_pass(
        self,
        points: Tensor,
        distances: Tensor,
        output: Tensor,
        offset: Tensor,
        shifts: Tensor,
        weights: list[Tensor],
        *,
        for_points: bool = False,
    ) -> tuple[Tensor, Tensor | None, tuple[Tensor, ...]]:
        """The error and its gradients: of `points`, if wanted; of `output`, `offset`, `shifts` and each of `weights`."""
        threads = compute_threads()
        while len(self._passes) < threads.n:
            self._passes.append(_Pass(self._decoder, self._backward_dtype))
        n_frames, n_points = distances.shape
        of_shifts = torch.zeros(-(-n_points // CHUNK), *shifts.transpose(0, 1).shape)
        of_points = torch.zeros_like(points) if for_points else None
        chunks = [
            _Chunk(
                points[frames, part],
                distances[frames, part],
                shifts[:, frames],
                of_shifts[number, frames],
                None if of_points is None else of_points[frames, part],
            )
            for frames in _even_slices(n_frames, min(max(CHUNK // n_points, 1), FRAMES), threads.n)
            for number, part in enumerate(_even_slices(n_points, CHUNK, 1))
        ]
        for each in self._passes:
            each.begin(weights, output[0], offset, scale=1 / distances.numel())
        # Each thread gets a fixed share, so that sums are the same at every run.
        shares = (chunks[first :: threads.n] for first in range(threads.n))
        list(threads.pool.map(_Pass.take, self._passes, shares))
        first, *others = self._passes
        for each in others:
            first.add(each)
        gradients = (first.of_output[None], first.of_offset, of_shifts.sum(dim=0).transpose(0, 1))
        return first.error.clone(), of_points, (*gradients, *first.of_weights)


class _OnePass(torch.autograd.Function):
    """Lets PyTorch carry the gradients on to the weights, codes and rotations."""

    @staticmethod
    def forward(
        ctx: Any,
        work: Reconstruction,
        points: Tensor,
        distances: Tensor,
        output: Tensor,
        offset: Tensor,
        shifts: Tensor,
        *weights: Tensor,
    ) -> Tensor:
        error, ctx.of_points, ctx.gradients = work.one_pass(
            points, distances, output, offset, shifts, list(weights), for_points=ctx.needs_input_grad[1]
        )
        return error

    @staticmethod
    def backward(ctx: Any, scale: Tensor) -> tuple[Tensor | None, ...]:
        of_points = None if ctx.of_points is None else scale * ctx.of_points
        return None, of_points, None, *(scale * gradient for gradient in ctx.gradients)


def _even_slices(n: int, largest: int, multiple: int) -> list[slice]:
    """Cut `n` into pieces of about one size, at most `largest`; into a multiple of `multiple`, if `n` is enough for that."""
    pieces = min(multiple * -(-n // (largest * multiple)), n)
    return [slice(i * n // pieces, (i + 1) * n // pieces) for i in range(pieces)]


@dataclass(frozen=True)
class _Chunk:
    """Some points of some frames, the biases of the frames in each layer, and room for the gradients of both."""

    points: Float[Tensor, "frames n dims"]
    distances: Float[Tensor, "frames n"]
    shifts: Float[Tensor, "depth frames width"]
    of_shifts: Float[Tensor, "frames depth width"]
    of_points: Float[Tensor, "frames n dims"] | None  # none wanted where None


class _Pass:
    """The work of one thread: the error of its chunks and the sum of their gradients."""

    def __init__(self, decoder: Decoder, backward_dtype: torch.dtype) -> None:
        self._backward_dtype = backward_dtype
        width, self._sizes = decoder.width, [layer.n_from_point for layer in decoder.layers]
        self._n_dims = n_dims = decoder.n_dims
        self._width, self._sine = width, isinstance(decoder.activation, Sine)
        # The last columns of the weights hold the biases of the frames, the last rows of the units the frame of each point.
        self._weights = [torch.zeros(width, size + FRAMES) for size in self._sizes]
        self._totals = [torch.zeros(width, size + FRAMES) for size in self._sizes]
        self.of_output, self.of_offset, self.error = torch.zeros(width), torch.zeros(1), torch.zeros(())
        self._units = [torch.zeros(width + n_dims + FRAMES, CHUNK) for _ in range(len(self._sizes) + 1)]
        self._slopes = [torch.empty(width, CHUNK) for _ in self._sizes]
        self._back = torch.empty(width, CHUNK), torch.empty(width, CHUNK)

    @property
    def of_weights(self) -> list[Tensor]:
        """The gradients of the weights."""
        return [total[:, :size] for total, size in zip(self._totals, self._sizes, strict=True)]

    def begin(self, weights: list[Tensor], output: Tensor, offset: Tensor, *, scale: float) -> None:
        """Take over the weights of a step, and forget the gradients of the last one."""
        for mine, given in zip(self._weights, weights, strict=True):
            mine[:, : given.shape[1]] = given
        self._output, self._offset, self._scale = output, offset, scale
        for total in (*self._totals, self.of_output, self.of_offset, self.error):
            total.zero_()

    def add(self, other: "_Pass") -> None:
        """Add the error and gradients of another thread."""
        for total, more in zip(self.of_weights, other.of_weights, strict=True):
            total += more
        self.of_output += other.of_output
        self.of_offset += other.of_offset
        self.error += other.error

    @torch.no_grad()
    def take(self, chunks: Iterable[_Chunk]) -> None:
        """Error and gradients of some chunks."""
        for chunk in chunks:
            n_frames, n_each = chunk.distances.shape
            n, n_dims = n_frames * n_each, self._n_dims
            size = self._width + n_dims + n_frames
            units, slopes = [b[:size, :n] for b in self._units], [b[:, :n] for b in self._slopes]
            frame_of_point = torch.eye(n_frames).repeat_interleave(n_each, dim=1)
            for values in units:
                values[self._width : self._width + n_dims] = chunk.points.reshape(n, n_dims).T
                values[self._width + n_dims :] = frame_of_point
            units[0] = units[0][self._width :]
            self._forwards(chunk, units, slopes)
            last = units[-1][: self._width]
            difference = torch.mv(last.T, self._output).add_(self._offset).sub_(chunk.distances.reshape(n))
            self.error += difference.abs().sum() * self._scale
            sign = difference.sign_().mul_(self._scale)
            self.of_output += torch.mv(last, sign)
            self.of_offset += sign.sum()
            self._backwards(chunk, sign, units, slopes)

    def _forwards(self, chunk: _Chunk, units: list[Tensor], slopes: list[Tensor]) -> None:
        for layer, (weight, size) in enumerate(zip(self._weights, self._sizes, strict=True)):
            weight = weight[:, : size + chunk.shifts.shape[1]]
            weight[:, size:] = chunk.shifts[layer].T
            torch.mm(weight, units[layer], out=slopes[layer])
            self._activate(slopes[layer], units[layer + 1][: self._width])

    def _backwards(self, chunk: _Chunk, sign: Tensor, units: list[Tensor], slopes: list[Tensor]) -> None:
        gradient, other = (buffer[:, : len(sign)] for buffer in self._back)
        torch.mul(self._output[:, None], sign, out=gradient)
        for layer in reversed(range(len(self._weights))):
            gradient.mul_(slopes[layer])
            size = self._sizes[layer]
            total = self._totals[layer][:, : size + chunk.shifts.shape[1]]
            total[:, size:] = 0
            narrow = gradient.to(self._backward_dtype)  # which is `gradient` itself unless it is bfloat16
            _add_product(total, narrow, units[layer].T)
            chunk.of_shifts[:, layer] = total[:, size:].T
            if chunk.of_points is not None:
                of_place = self._weights[layer][:, size - self._n_dims : size].T @ gradient
                chunk.of_points.add_(of_place.T.view_as(chunk.of_points))
            if layer:
                _add_product(other, self._weights[layer][:, : self._width].T, narrow, keep=False)
                gradient, other = other, gradient

    def _activate(self, hidden: Tensor, target: Tensor) -> None:
        """Write the activations to `target`, and leave their slopes in `hidden`."""
        if self._sine:
            # NumPy's sine and cosine take less than half the time of PyTorch's on one core (docs/LOG.md).
            np.sin(hidden.numpy(), out=target.numpy())
            np.cos(hidden.numpy(), out=hidden.numpy())
        else:
            torch.clamp(hidden, min=0, out=target)
            torch.gt(hidden, 0, out=hidden)


def _add_product(total: Tensor, left: Tensor, right: Tensor, *, keep: bool = True) -> None:
    """Add the product of two matrices to `total`, or replace it; if one is narrow, so is the product."""
    if left.dtype == right.dtype:
        total.addmm_(left, right, beta=float(keep))
        return
    product = left.bfloat16() @ right.bfloat16()
    if keep:
        total += product
    else:
        total.copy_(product)

"""The decoder at many points of one frame, with nothing computed or allocated twice.

Code and time are folded into the biases, ω and the rotation into the weights, and the coordinates and the 1 that
carries the bias ride in spare rows of the hidden units: a layer is one matrix product into a reused buffer and one
activation in place.
"""

from queue import SimpleQueue

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from cytoform.representations.global_code.decoder import Decoder, ReLU
from cytoform.representations.threads import compute_threads

# Points per chunk: on a CPU the two buffers of a chunk stay in the cache of one core, on a GPU a chunk fills the machine.
CPU_CHUNK, GPU_CHUNK = 512, 1 << 19


class FrameEvaluator:
    """Evaluates one frame of one cell: distances in units of the half extent, at normalised (x, y, z).

    On a CPU every thread takes whole chunks through all layers, so threads never wait for each other between layers; and
    every chunk has the same shape, so a point's distance does not depend on which other points are asked for.

    `rotation` turns the points into the canonical pose, see representations/rotation.py.
    """

    @torch.no_grad()
    def __init__(
        self,
        decoder: Decoder,
        code: Float[Tensor, "..."],
        time: float,
        *,
        rotation: Float[Tensor, "dims dims"] | None = None,
    ) -> None:
        times = torch.full((1,), time, dtype=code.dtype, device=code.device)
        biases = decoder.frame_biases(code[None], times)
        self._weights = [
            decoder.activation.omega * torch.cat([layer.weight[:, : layer.n_from_point], bias.T], dim=1)
            for layer, bias in zip(decoder.layers, biases.layers, strict=True)
        ]
        if rotation is not None:
            # W (R p) = (W R) p: rotated points cost nothing.
            for weight in self._weights:
                weight[:, -1 - decoder.n_dims : -1] = weight[:, -1 - decoder.n_dims : -1] @ rotation
        self._width, self._n_dims = decoder.width, decoder.n_dims
        self._sine = not isinstance(decoder.activation, ReLU)
        self._output, self._offset = decoder.output.weight.detach(), decoder.output.bias.detach()
        self._on_cpu = code.device.type == "cpu"
        self._chunk = CPU_CHUNK if self._on_cpu else GPU_CHUNK
        self._buffers: SimpleQueue[tuple[Tensor, Tensor]] = SimpleQueue()
        for _ in range(compute_threads().n if self._on_cpu else 1):
            shape = self._width + self._n_dims + 1, self._chunk
            self._buffers.put((code.new_ones(shape), code.new_ones(shape)))

    @property
    def device(self) -> torch.device:
        """Where points have to be."""
        return self._output.device

    def __call__(self, points: Float[Tensor, "n dims"]) -> Float[Tensor, " n"]:
        """Signed distance at `points`."""
        distances = points.new_empty(len(points))
        parts = list(zip(points.split(self._chunk), distances.split(self._chunk), strict=True))
        if self._on_cpu:
            for _ in compute_threads().pool.map(self._evaluate, parts):
                pass
        else:
            for part in parts:
                self._evaluate(part)
        return distances

    @torch.no_grad()
    def _evaluate(self, part: tuple[Tensor, Tensor]) -> None:
        points, distances = part
        buffers = self._buffers.get()
        # On a CPU a chunk that is not full is computed whole all the same, so that all have one shape.
        source, target = (buffer if self._on_cpu else buffer[:, : len(points)] for buffer in buffers)
        for buffer in (source, target):
            buffer[self._width : self._width + self._n_dims, : len(points)] = points.T
        inputs = source[self._width :]
        for weight in self._weights:
            hidden = target[: self._width]
            torch.mm(weight, inputs, out=hidden)
            self._activate(hidden)
            inputs, source, target = target, target, source
        result = torch.mm(self._output, inputs[: self._width], out=target[:1])[0, : len(points)]
        torch.add(result, self._offset, out=distances)
        self._buffers.put(buffers)

    def _activate(self, hidden: Tensor) -> None:
        if not self._sine:
            torch.relu_(hidden)
        elif self._on_cpu:
            # NumPy's sine takes less than half the time of PyTorch's on one core (docs/LOG.md).
            np.sin(hidden.numpy(), out=hidden.numpy())
        else:
            torch.sin_(hidden)

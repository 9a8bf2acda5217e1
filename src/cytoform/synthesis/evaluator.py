"""The decoder at many points of one frame, with nothing computed or allocated twice.

Code and time are folded into the biases, ω into the weights, and the coordinates and the 1 that carries the bias ride in
spare columns of the hidden units: a layer is one matrix product into a reused buffer and one activation in place.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from cytoform.model.decoder import POINT_DIM, Decoder, ReLU

# Points per chunk: on a CPU the two buffers of a chunk stay in the cache, on a GPU a chunk fills the machine.
CHUNK = {"cpu": 4096, "cuda": 1 << 19}


class FrameEvaluator:
    """Evaluates one frame of one cell: distances in units of the half extent, at normalised (x, y, z)."""

    def __init__(self, decoder: Decoder, code: Float[Tensor, " code"], time: float) -> None:
        self._width = decoder.width
        self._activate = torch.relu_ if isinstance(decoder.activation, ReLU) else torch.sin_
        times = torch.full((1,), time, dtype=code.dtype, device=code.device)
        biases = decoder.frame_biases(code[None], times)
        self._weights = [
            decoder.activation.omega * torch.cat([layer.weight[:, : layer.n_hidden + POINT_DIM], bias.T], dim=1).T
            for layer, bias in zip(decoder.layers, biases.layers, strict=True)
        ]
        self._output, self._offset = decoder.output.weight[0], decoder.output.bias
        self._chunk = CHUNK.get(code.device.type, CHUNK["cuda"])
        self._buffers = [code.new_ones(self._chunk, self._width + POINT_DIM + 1) for _ in range(2)]

    @property
    def device(self) -> torch.device:
        """Where points have to be."""
        return self._output.device

    @torch.no_grad()
    def __call__(self, points: Float[Tensor, "n 3"]) -> Float[Tensor, " n"]:
        """Signed distance at `points`."""
        distances = points.new_empty(len(points))
        for start in range(0, len(points), self._chunk):
            self._evaluate(points[start : start + self._chunk], distances[start : start + self._chunk])
        return distances

    def _evaluate(self, points: Tensor, distances: Tensor) -> None:
        source, target = (buffer[: len(points)] for buffer in self._buffers)
        for buffer in (source, target):
            buffer[:, self._width : self._width + POINT_DIM] = points
        inputs = source[:, self._width :]
        for weight in self._weights:
            torch.mm(inputs, weight, out=target[:, : self._width])
            self._activate(target[:, : self._width])
            inputs, source, target = target, target, source
        torch.addmv(self._offset.expand(len(points)), inputs[:, : self._width], self._output, out=distances)

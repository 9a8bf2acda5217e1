"""The kind "global": an MLP that takes one latent code a sequence (paper section 2)."""

from functools import cached_property
from typing import Any, cast

import torch
from jaxtyping import Float
from torch import Tensor, nn

from cytoform.representations.global_code.decoder import Decoder, Sine
from cytoform.representations.global_code.evaluator import FrameEvaluator
from cytoform.representations.global_code.fused_error import Reconstruction
from cytoform.representations.representation import NO_VARIABLES, Frame, Representation, Variables


class GlobalCode(Decoder, Representation):
    """The decoder with a fused training step and a fast evaluation of single frames.

    On a CPU the products of a backward pass are computed in `backward_dtype`.
    """

    def __init__(self, *, backward_dtype: torch.dtype = torch.float32, **sizes: Any) -> None:
        super().__init__(**sizes)
        self.code_shape = (self.code_dim,)
        self._backward_dtype = backward_dtype

    @cached_property
    def _reconstruction(self) -> Reconstruction:
        return Reconstruction(self, backward_dtype=self._backward_dtype)

    def distances(
        self,
        codes: Float[Tensor, "frames ..."],
        times: Float[Tensor, " frames"],
        points: Float[Tensor, "frames n dims"],
    ) -> Float[Tensor, "frames n"]:
        return self(points, self.frame_biases(codes, times))

    def error(
        self,
        codes: Float[Tensor, "frames ..."],
        times: Float[Tensor, " frames"],
        points: Float[Tensor, "frames n dims"],
        distances: Float[Tensor, "frames n"],
    ) -> Float[Tensor, ""]:
        return self._reconstruction.error(points, self.frame_biases(codes, times), distances)

    def over_time(self, codes: Float[Tensor, "n code"]) -> Float[Tensor, "n knots values"]:
        return codes.unflatten(1, (self.code_knots, -1))

    @torch.no_grad()
    def lower(self, by: float) -> None:
        self.output.bias.sub_(by)

    def matrices(self) -> list[nn.Parameter]:
        return [cast(nn.Parameter, layer.weight) for layer in self.layers]

    def frame(
        self,
        code: Float[Tensor, "..."],
        time: float,
        *,
        rotation: Float[Tensor, "dims dims"] | None = None,
        variables: Variables = NO_VARIABLES,
    ) -> Frame:
        return FrameEvaluator(self, code, time, rotation=rotation)

    def describe(self) -> str:
        activation = "sine" if isinstance(self.activation, Sine) else "relu"
        return f"{len(self.hidden)} layers of {self.width} units ({activation}), codes of {self.code_dim}"

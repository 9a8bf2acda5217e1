"""The kind "refined": components of distance grids, and a network for the distances that they leave.

Cells have the codes, the frame and the sizes of the kind "linear". The network works in the cube of the grid, and sees a
frame as the weights of the leading components, each over its spread among learned frames. So it needs no code of its own,
begins where the components end, and knows a mirror image by the same code with other signs.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from cytoform.representations.global_code.decoder import FrameBiases
from cytoform.representations.global_code.representation import GlobalCode
from cytoform.representations.linear.representation import Linear, LinearFrame, spline_basis
from cytoform.representations.representation import NO_VARIABLES, Frame, Representation, Variables


class Correction(GlobalCode):
    """The network: points are in the cube of the grid, distances in half extents at the size that all cells share.

    `code_shape` is (knots, values): weights of leading components over their spread. The time only chooses among them.
    """

    def __init__(
        self,
        *,
        knots: int,
        values: int,
        width: int,
        depth: int,
        omega: float,
        seed: int,
        n_dims: int = 3,
        backward_dtype: torch.dtype = torch.float32,
    ) -> None:
        super().__init__(
            width=width,
            depth=depth,
            code_dim=values,
            code_layers=tuple(range(1, depth + 1)),
            activation="sine",
            omega=omega,
            seed=seed,
            n_dims=n_dims,
            backward_dtype=backward_dtype,
        )
        self.code_shape = (knots, values)
        # Before its first step the network changes nothing.
        torch.nn.init.zeros_(self.output.weight)
        torch.nn.init.zeros_(self.output.bias)

    def frame_biases(self, codes: Float[Tensor, "frames knots values"], times: Float[Tensor, " frames"]) -> FrameBiases:
        basis = torch.from_numpy(spline_basis(times.detach().cpu().double().numpy(), codes.shape[1])).to(codes)
        return super().frame_biases(torch.einsum("fk,fkv->fv", basis, codes), torch.zeros_like(times))

    def over_time(self, codes: Float[Tensor, "n knots values"]) -> Float[Tensor, "n knots values"]:
        return codes


class Refined(Linear):
    """`code_shape` is (knots, components). `variables`: the `scale` of a cell over time."""

    def __init__(
        self,
        *,
        nodes: int,
        components: int,
        knots: int,
        cut: float,
        values: int,
        width: int,
        depth: int,
        omega: float,
        seed: int,
        n_dims: int = 3,
        backward_dtype: torch.dtype = torch.float32,
    ) -> None:
        super().__init__(nodes=nodes, components=components, knots=knots, cut=cut, n_dims=n_dims)
        values = min(values, components)
        self.correction = Correction(
            knots=knots,
            values=values,
            width=width,
            depth=depth,
            omega=omega,
            seed=seed,
            n_dims=n_dims,
            backward_dtype=backward_dtype,
        )
        self.spread: Tensor
        self.register_buffer("spread", torch.ones(values))  # of the weights of the leading components

    def seen(self, codes: Float[Tensor, "*n knots components"]) -> Float[Tensor, "*n knots values"]:
        """Codes as the network sees them."""
        return codes[..., : len(self.spread)] / self.spread

    def distances(
        self,
        codes: Float[Tensor, "frames ..."],
        times: Float[Tensor, " frames"],
        points: Float[Tensor, "frames n dims"],
    ) -> Float[Tensor, "frames n"]:
        places = (points / self.extent).clamp(-1, 1)
        left = self.correction.distances(self.seen(codes), times, places)
        return super().distances(codes, times, points) + left

    def trained(self) -> Representation:
        return self.correction

    def frame(
        self,
        code: Float[Tensor, "knots components"],
        time: float,
        *,
        rotation: Float[Tensor, "dims dims"] | None = None,
        variables: Variables = NO_VARIABLES,
    ) -> Frame:
        grid = self.grid_frame(code, time, rotation=rotation, variables=variables)
        return RefinedFrame(**vars(grid), correction=self.correction.frame(self.seen(code), time))

    def fault(self) -> str:
        return super().fault() or ("" if bool((self.spread > 0).all()) else "the spread of its weights is impossible")

    def describe(self) -> str:
        sizes = f"{len(self.correction.hidden)} layers of {self.correction.width} units"
        return f"{super().describe()}, and {sizes} for the distances that they leave"


@dataclass(frozen=True)
class RefinedFrame(LinearFrame):
    """The distance of one cell at one time. Beyond the grid, the network says what it says at the nearest place."""

    correction: Frame

    def __call__(self, points: Float[Tensor, "n dims"]) -> Float[Tensor, " n"]:
        """Signed distance at `points`, without gradients."""
        turned = points if self.rotation is None else points @ self.rotation.T
        places = (turned / (self.scale * self.extent)).clamp(-1, 1)
        return super().__call__(points) + self.scale * self.correction(places)

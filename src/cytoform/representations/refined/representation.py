"""The kind "refined": a network in the frame and at the size that cells share, whose codes begin as weights of components.

Components of distance grids are learned first. They give the frame, the size and, to each sequence, a code to begin with.
Then the network and the codes are trained together. A mirror image of a cell has the same code with other signs, as the
components are even or odd along every axis.
"""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from cytoform.representations.global_code.decoder import FrameBiases
from cytoform.representations.global_code.representation import GlobalCode
from cytoform.representations.linear.representation import Linear, spline_basis
from cytoform.representations.representation import (
    NO_VARIABLES,
    SCALE,
    Frame,
    Representation,
    Variables,
    at_share,
)


class InGrid(GlobalCode):
    """The network: points are in the cube of the grid, distances in half extents at the size that all cells share.

    `code_shape` is (knots, components). The network does not see the time, which only mixes the knots.
    """

    def __init__(
        self,
        *,
        knots: int,
        components: int,
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
            code_dim=components,
            code_layers=tuple(range(1, depth + 1)),
            activation="sine",
            omega=omega,
            seed=seed,
            n_dims=n_dims,
            backward_dtype=backward_dtype,
        )
        self.code_shape = (knots, components)

    def frame_biases(
        self, codes: Float[Tensor, "frames knots components"], times: Float[Tensor, " frames"]
    ) -> FrameBiases:
        basis = torch.from_numpy(spline_basis(times.detach().cpu().double().numpy(), codes.shape[1])).to(codes)
        return super().frame_biases(torch.einsum("fk,fkc->fc", basis, codes), torch.zeros_like(times))

    def over_time(self, codes: Float[Tensor, "n knots components"]) -> Float[Tensor, "n knots components"]:
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
        width: int,
        depth: int,
        omega: float,
        seed: int,
        n_dims: int = 3,
        backward_dtype: torch.dtype = torch.float32,
    ) -> None:
        super().__init__(nodes=nodes, components=components, knots=knots, cut=cut, n_dims=n_dims)
        sizes = {"width": width, "depth": depth, "omega": omega, "seed": seed, "n_dims": n_dims}
        self.network = InGrid(knots=knots, components=components, backward_dtype=backward_dtype, **sizes)  # type: ignore[arg-type]
        self.unit: Tensor
        self.register_buffer("unit", torch.ones(components))  # weight of a component at which its number in a code is 1

    def distances(
        self,
        codes: Float[Tensor, "frames ..."],
        times: Float[Tensor, " frames"],
        points: Float[Tensor, "frames n dims"],
    ) -> Float[Tensor, "frames n"]:
        return self.network.distances(codes, times, (points / self.extent).clamp(-1, 1))

    def lower(self, by: float) -> None:
        self.network.lower(by)

    def trained(self) -> Representation:
        return self.network

    def frame(
        self,
        code: Float[Tensor, "knots components"],
        time: float,
        *,
        rotation: Float[Tensor, "dims dims"] | None = None,
        variables: Variables = NO_VARIABLES,
    ) -> Frame:
        scale = float(at_share((time + 1) / 2, variables[SCALE])) if SCALE in variables else 1.0
        return RefinedFrame(self.network.frame(code, time), float(self.extent), scale, rotation)

    def volumes(
        self, code: Float[Tensor, "knots components"], times: Float[np.ndarray, " n"]
    ) -> Float[np.ndarray, " n"]:
        width = 2 * float(self.extent) / self.nodes
        axis = (torch.arange(self.nodes, device=code.device) + 0.5) * 2 / self.nodes - 1
        places = torch.cartesian_prod(*[axis] * self.n_dims).float()
        frames = [self.network.frame(code, time) for time in times.tolist()]
        shares = [float((0.5 - frame(places) / width).clamp(0, 1).sum()) for frame in frames]
        return np.array(shares) * width**self.n_dims

    def fault(self) -> str:
        return super().fault() or ("" if bool((self.unit > 0).all()) else "the unit of its codes is impossible")

    def describe(self) -> str:
        sizes = f"{len(self.network.hidden)} layers of {self.network.width} units"
        return f"{sizes}, codes that begin as {super().describe()}"


@dataclass(frozen=True)
class RefinedFrame:
    """The distance of one cell at one time. Beyond the grid, the way to it is added."""

    network: Frame
    extent: float
    scale: float
    rotation: Float[Tensor, "dims dims"] | None

    @property
    def device(self) -> torch.device:
        """The device on which points are expected."""
        return self.network.device

    def __call__(self, points: Float[Tensor, "n dims"]) -> Float[Tensor, " n"]:
        """Signed distance at `points`, without gradients."""
        turned = points if self.rotation is None else points @ self.rotation.T
        places = turned / (self.scale * self.extent)
        nearest = places.clamp(-1, 1)
        return self.scale * (self.network(nearest) + self.extent * (places - nearest).norm(dim=1))

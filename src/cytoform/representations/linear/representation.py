"""The kind "linear": distances on a coarse grid as a mean plus components, whose weights are splines in time.

A cell lies in its principal axes, at one size that all cells share. Its mirror images count as cells as well, so that
every component is even or odd along each axis: an octant of the grid (of images a quadrant) holds it, and a mirror image
of a cell has the same code but for signs. Arrays of nodes are (z, y, x) or (y, x) and hold coefficients of cubic
B-splines, not distances.
"""

from dataclasses import dataclass
from itertools import product

import numpy as np
import torch
from jaxtyping import Float, Int
from scipy.interpolate import BSpline
from scipy.ndimage import map_coordinates
from torch import Tensor

from cytoform.representations.representation import (
    CHUNK,
    NO_VARIABLES,
    SCALE,
    Frame,
    Representation,
    Variables,
    at_share,
)
from cytoform.representations.rotation import MIRRORS
from cytoform.representations.threads import compute_threads
from cytoform.shapes.grid import AXES, EXPONENTS

DEGREE = 3
QUICK_READS = 2**18  # coefficients that a field may read instead of a search for the points near its surface
Parity = tuple[bool, ...]  # whether a grid is odd along z, y and x
# All of them, by number of dimensions; the first is even along every axis.
PARITIES: dict[int, tuple[Parity, ...]] = {n: tuple(product((False, True), repeat=n)) for n in (3, 2)}


class Linear(Representation):
    """`code_shape` is (knots, components). `variables`: the `scale` of a cell over time, see `SCALE`."""

    variables = frozenset({SCALE})

    def __init__(self, *, nodes: int, components: int, knots: int, cut: float, n_dims: int = 3) -> None:
        super().__init__()
        self.nodes, self.cut, self.n_dims = nodes, cut, n_dims
        self.code_shape = (knots, components)
        half = (nodes // 2,) * n_dims
        self.extent: Tensor
        self.volume: Tensor
        self.mean: Tensor
        self.components: Tensor
        self.odd: Tensor
        # Half the width of the grid, in half extents of the cube.
        self.register_buffer("extent", torch.ones(1))
        # The volume of every cell at the size that all share, in cubed half extents; an area in squared ones.
        self.register_buffer("volume", torch.ones(1))
        self.register_buffer("mean", torch.zeros(half))
        self.register_buffer("components", torch.zeros(components, *half))
        self.register_buffer("odd", torch.zeros(components, n_dims, dtype=torch.uint8))  # along z, y, x

    def distances(
        self,
        codes: Float[Tensor, "frames ..."],
        times: Float[Tensor, " frames"],
        points: Float[Tensor, "frames n dims"],
    ) -> Float[Tensor, "frames n"]:
        weights = torch.einsum("fk,fkc->fc", self._basis(times), codes)
        return torch.stack(
            [_interpolated(grid, self._places(p)) for grid, p in zip(self._coefficients(weights), points, strict=True)]
        )

    def frame(
        self,
        code: Float[Tensor, "knots components"],
        time: float,
        *,
        rotation: Float[Tensor, "dims dims"] | None = None,
        variables: Variables = NO_VARIABLES,
    ) -> Frame:
        with torch.no_grad():
            weights = self._basis(code.new_tensor([time])) @ code
            coefficients = self._coefficients(weights)[0].cpu().numpy()
        scale = float(at_share((time + 1) / 2, variables[SCALE])) if SCALE in variables else 1.0
        return LinearFrame(coefficients, float(self.extent), scale, rotation, code.device)

    @torch.no_grad()
    def volumes(
        self, code: Float[Tensor, "knots components"], times: Float[np.ndarray, " n"]
    ) -> Float[np.ndarray, " n"]:
        """Volumes at the shared size, in cubed half extents: nodes near the surface count in part."""
        width = 2 * float(self.extent) / self.nodes
        weights = self._basis(torch.from_numpy(times)) @ code
        shares = [(0.5 - self._coefficients(each[None]) / width).clamp(0, 1).sum() for each in weights]
        return np.array([float(share) for share in shares]) * width**self.n_dims

    def over_time(self, codes: Float[Tensor, "n knots components"]) -> Float[Tensor, "n knots components"]:
        return codes

    def images(self, codes: Float[np.ndarray, "n knots components"]) -> Float[np.ndarray, "images knots components"]:
        """The codes of all mirror images of cells, each cell followed by its images in the order of `MIRRORS`."""
        odd = self.odd.cpu().numpy()[:, ::-1].astype(bool)  # along x, y, z
        signs = np.where(odd, MIRRORS[self.n_dims][:, None], 1).prod(axis=2)
        return (codes[:, None] * signs[:, None]).reshape(-1, *codes.shape[1:])

    def fault(self) -> str:
        sound = float(self.extent) > 0 and float(self.volume) > 0 and bool((self.odd <= 1).all())
        return "" if sound else "its extent, volume or parities are impossible"

    def describe(self) -> str:
        knots, components = self.code_shape
        return f"{components} components of distances on {nodes_text(self.nodes, self.n_dims)}, {knots} knots in time"

    def _basis(self, times: Float[Tensor, " frames"]) -> Float[Tensor, "frames knots"]:
        found = spline_basis(times.detach().cpu().double().numpy(), self.code_shape[0])
        return torch.from_numpy(found).to(self.mean)

    def _coefficients(self, weights: Float[Tensor, "frames components"]) -> Float[Tensor, "frames ..."]:
        """Every octant is the same sum, with other signs, seen in a mirror."""
        low = torch.tensor(PARITIES[self.n_dims], device=self.odd.device)  # of an octant: on the low side of z, y and x
        signs = torch.where(low[:, None] & self.odd.bool(), -1, 1).prod(dim=2).to(weights.dtype)
        half = self.mean.shape
        sums = (weights * signs[:, None]).flatten(0, 1) @ self.components.flatten(1) + self.mean.flatten()
        octants = sums.reshape(*[2] * self.n_dims, len(weights), *half)
        for axis in range(-self.n_dims, 0):
            high, low_side = octants
            octants = torch.cat([low_side.flip(axis), high], dim=axis)
        return octants

    def _places(self, points: Float[Tensor, "n dims"]) -> Float[Tensor, "n dims"]:
        """Points in Ω as (x, y, z) counted in nodes."""
        return (points / self.extent + 1) * (self.nodes / 2) - 0.5


@dataclass(frozen=True)
class LinearFrame:
    """The distance of one cell at one time. Beyond the grid, the way to it is added."""

    coefficients: Float[np.ndarray, "*nodes"]
    extent: float
    scale: float
    rotation: Float[Tensor, "dims dims"] | None
    device: torch.device

    @property
    def n_quick(self) -> int:
        """See QuickFrame: a point takes as many coefficients as the cubic splines around it have."""
        return QUICK_READS // (DEGREE + 1) ** self.coefficients.ndim

    def __call__(self, points: Float[Tensor, "n dims"]) -> Float[Tensor, " n"]:
        """Signed distance at `points`, without gradients."""
        distances = points.new_empty(len(points), device="cpu")
        turned = (points if self.rotation is None else points @ self.rotation.T).cpu()
        parts = list(zip(turned.split(CHUNK), distances.split(CHUNK), strict=True))
        for _ in compute_threads().pool.map(self._evaluate, parts):
            pass
        return distances.to(points)

    def _evaluate(self, part: tuple[Float[Tensor, "n dims"], Float[Tensor, " n"]]) -> None:
        points, distances = part
        nodes = len(self.coefficients)
        places = (points.double().numpy().T[::-1] / (self.scale * self.extent) + 1) * (nodes / 2) - 0.5
        nearest = np.clip(places, 0, nodes - 1)
        found = map_coordinates(self.coefficients, nearest, mode="mirror", prefilter=False, output=np.float32)
        width = 2 * self.extent / nodes
        found += (width * np.linalg.norm(places - nearest, axis=0)).astype(np.float32)
        distances.numpy()[:] = self.scale * found


def nodes_text(nodes: int, n_dims: int) -> str:
    """The number of nodes of a grid, for people."""
    return f"{nodes}{EXPONENTS[n_dims]} nodes"


def spline_basis(times: Float[np.ndarray, " n"], knots: int) -> Float[np.ndarray, "n {knots}"]:
    """Cubic B-splines on even knots at times in [-1, 1], of a lower degree where there are fewer than four."""
    degree = min(DEGREE, knots - 1)
    inner = np.linspace(-1, 1, knots - degree + 1)
    places = np.concatenate([[-1.0] * degree, inner, [1.0] * degree])
    return np.asarray(BSpline.design_matrix(np.clip(times, -1, 1), places, degree).toarray())


def unfolded(octant: Float[Tensor, "*half"], odd: Parity) -> Float[Tensor, "*n"]:
    """The whole grid from its last octant, with the other sign on the other side of an axis that is odd."""
    for axis, is_odd in enumerate(odd):
        other = octant.flip(axis)
        octant = torch.cat([-other if is_odd else other, octant], dim=axis)
    return octant


def folded(grid: Float[np.ndarray, "..."], odd: Parity) -> Float[np.ndarray, "..."]:
    """The part of a grid that is even or odd along each axis, on its last octant."""
    for axis, is_odd in enumerate(odd):
        low, high = np.split(grid, 2, axis=grid.ndim - len(odd) + axis)
        other = np.flip(low, axis=grid.ndim - len(odd) + axis)
        grid = (high - other if is_odd else high + other) / 2
    return grid


def _interpolated(coefficients: Float[Tensor, "*nodes"], places_xyz: Float[Tensor, "n dims"]) -> Float[Tensor, " n"]:
    """The spline at places counted in nodes, differentiable in both; beyond the outermost nodes that of the nearest."""
    nodes = len(coefficients)
    nearest = places_xyz.clamp(0, nodes - 1)
    first = nearest.detach().floor().clamp(0, nodes - 2)
    share = nearest - first
    weights = _cubic(share)
    steps = torch.arange(-1, 3, device=first.device)
    rows = _mirrored(first[..., None].long() + steps, nodes)  # (n, dims, 4)
    letters = AXES[-coefficients.ndim :]
    across = len(letters) - 1
    index = [
        rows[:, across - place].reshape(-1, *[4 if place == other else 1 for other in range(len(letters))])
        for place in range(len(letters))
    ]
    summed = ",".join([f"n{letters}", *(f"n{letter}" for letter in letters)])
    of_axes = [weights[:, across - place] for place in range(len(letters))]
    return torch.einsum(f"{summed}->n", coefficients[tuple(index)], *of_axes)


def _cubic(share: Float[Tensor, "n dims"]) -> Float[Tensor, "n dims 4"]:
    """Weights of the four nearest coefficients of a cubic B-spline."""
    rest = 1 - share
    return torch.stack(
        [rest**3, 3 * share**3 - 6 * share**2 + 4, 3 * rest**3 - 6 * rest**2 + 4, share**3], dim=2
    ) / 6  # fmt: skip


def _mirrored(rows: Int[Tensor, "..."], nodes: int) -> Int[Tensor, "..."]:
    """Rows beyond the ends, counted back from the outermost node."""
    return (nodes - 1) - ((nodes - 1) - rows.abs()).abs()

"""A body and its protrusions at one time, united."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from cytoform.base.triples import Ints
from cytoform.protrusions.relief import Distance
from cytoform.protrusions.swollen import Swelling
from cytoform.protrusions.tubes import OnSurface, Points
from cytoform.representations.representation import Frame
from cytoform.shapes.components import components
from cytoform.shapes.tubes import PointValues, Tube, add_solids, smooth_union, union_distance

NEWTON_STEPS, DIFFERENCE = 3, 2e-3


@dataclass(frozen=True)
class PlacedFrame:
    """A frame that is `scale` times as large, and moved by `offset` in Ω."""

    frame: Frame
    scale: float = 1.0
    offset: tuple[float, ...] = (0.0,)  # one number: the same along every axis

    @property
    def device(self) -> torch.device:
        """The device on which points are expected."""
        return self.frame.device

    def __call__(self, points: Float[Tensor, "n dims"]) -> Float[Tensor, " n"]:
        """Signed distance at `points`."""
        return self.scale * self.frame((points - points.new_tensor(self.offset)) / self.scale)


@dataclass(frozen=True)
class PartsFrame:
    """The signed distance of a body, its tubes and swellings; `fillet` is the width of the rounding where they meet."""

    body: PlacedFrame
    tubes: Sequence[Tube]  # in Ω, in the pose of the points
    fillet: float
    rows: Sequence[int] = ()  # of the units that the tubes show
    parents: Sequence[int] = ()  # rows of the parents of these units; -1: it starts on the body
    swellings: Sequence[Swelling] = ()

    @property
    def solids(self) -> list[Tube | Swelling]:
        """All that is joined to the body."""
        return [*self.tubes, *self.swellings]

    @property
    def device(self) -> torch.device:
        """The device on which points are expected."""
        return self.body.device

    def __call__(self, points: Float[Tensor, "n dims"]) -> Float[Tensor, " n"]:
        """Signed distance at `points`, without gradients."""
        body = self.body(points)
        if not self.solids:
            return body
        values = body.cpu().double().numpy()
        solids = [(solid.bounds, solid.distance) for solid in self.solids]
        found = union_distance(solids, points.cpu().double().numpy(), bound=values + self.fillet)
        return torch.from_numpy(smooth_union(values, found, self.fillet)).to(body)

    def add_solids(
        self, distances: Float[np.ndarray, "*zyx"], corner_zyx: Ints, grid_size: int, band: float
    ) -> tuple[Float[np.ndarray, "*box"], Ints]:
        """The distances of the cell from distances to its body on a box, on a box that holds tubes and swellings as well.

        `band` (half extents) is how far from the surface distances are wanted; they are at most this far wrong beyond. Pieces
        of swellings that are thinner than a voxel somewhere, and so apart from the body on this grid, are left out.
        """
        whole, low_zyx = add_solids(self.solids, distances, corner_zyx, grid_size, band=band, fillet=self.fillet)
        if self.swellings:
            _drop_loose(whole, distances < 0, np.subtract(corner_zyx, low_zyx))
        return whole, low_zyx


def _drop_loose(
    whole: Float[np.ndarray, "*zyx"], in_body: Bool[np.ndarray, "*box"], start_zyx: Int[np.ndarray, " dims"]
) -> None:
    """Turn pieces without a voxel of the body outside out; the box of the body starts at a voxel of the whole."""
    pieces = components(whole < 0)
    box = tuple(slice(start, start + n) for start, n in zip(start_zyx, in_body.shape, strict=True))
    loose = (pieces > 0) & ~np.isin(pieces, np.unique(pieces[box][in_body]))
    whole[loose] *= -1


def distance_of(body: Frame) -> Distance:
    """The signed distance to the body, in the pose of the body."""

    def distance(points: Points) -> PointValues:
        at = torch.tensor(points, dtype=torch.float32, device=body.device)
        return body(at).cpu().double().numpy() if len(points) else np.zeros(0)

    return distance


def on_surface(body: Frame) -> OnSurface:
    """Newton's method along the gradient, by central differences; points in the pose of the body."""

    def project(points: Points) -> Points:
        n_dims = points.shape[1]
        steps = DIFFERENCE * np.concatenate([np.zeros((1, n_dims)), np.eye(n_dims), -np.eye(n_dims)])
        for _ in range(NEWTON_STEPS if len(points) else 0):
            around = (points[:, None] + steps).reshape(-1, n_dims)
            found = body(torch.tensor(around, dtype=torch.float32, device=body.device)).cpu().double().numpy()
            found = found.reshape(-1, len(steps))
            gradient = (found[:, 1 : n_dims + 1] - found[:, n_dims + 1 :]) / (2 * DIFFERENCE)
            length2 = np.maximum(np.sum(gradient**2, axis=1), 0.25)
            points = points - np.clip(found[:, 0] / length2, -0.1, 0.1)[:, None] * gradient
        return points

    return project

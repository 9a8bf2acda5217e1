"""A body and its protrusions at one time, united."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from cytoform.protrusions.swollen import Swelling
from cytoform.protrusions.tubes import OnSurface, Points
from cytoform.representations.representation import Frame
from cytoform.shapes.tubes import Tube, smooth_union, union_distance

NEWTON_STEPS, DIFFERENCE = 3, 2e-3


@dataclass(frozen=True)
class PlacedFrame:
    """A frame that is `scale` times as large, and moved by `offset` in Ω."""

    frame: Frame
    scale: float = 1.0
    offset: tuple[float, float, float] = (0.0, 0.0, 0.0)

    @property
    def device(self) -> torch.device:
        """The device on which points are expected."""
        return self.frame.device

    def __call__(self, points: Float[Tensor, "n 3"]) -> Float[Tensor, " n"]:
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

    def __call__(self, points: Float[Tensor, "n 3"]) -> Float[Tensor, " n"]:
        """Signed distance at `points`, without gradients."""
        body = self.body(points)
        if not self.solids:
            return body
        values = body.cpu().double().numpy()
        solids = [(solid.bounds, solid.distance) for solid in self.solids]
        found = union_distance(solids, points.cpu().double().numpy(), bound=values + self.fillet)
        return torch.from_numpy(smooth_union(values, found, self.fillet)).to(body)

    def add_tubes(
        self, distances: Float[np.ndarray, "z y x"], corner_zyx: tuple[int, int, int], grid_size: int, band: float
    ) -> tuple[Float[np.ndarray, "deep high wide"], tuple[int, int, int]]:
        """The distances of the cell from distances to its body on a box, on a box that holds tubes and swellings as well.

        `band` (half extents) is how far from the surface distances are wanted; they are at most this far wrong beyond.
        """
        if not self.solids:
            return distances, corner_zyx
        voxel = 2 / grid_size
        near = [_voxels_near(solid, voxel, band + voxel, grid_size) for solid in self.solids]
        filled = [voxels for voxels in near if len(voxels)]
        if not filled:
            return distances, corner_zyx
        low = np.minimum(np.min([voxels.min(axis=0) for voxels in filled], axis=0), corner_zyx)
        high = np.maximum(
            np.max([voxels.max(axis=0) + 1 for voxels in filled], axis=0), np.add(corner_zyx, distances.shape)
        )
        outside = max(band, self.fillet) + voxel
        whole = np.full(high - low, outside)
        start = np.subtract(corner_zyx, low)
        whole[tuple(slice(s, s + n) for s, n in zip(start, distances.shape, strict=True))] = distances
        tubes = np.full(whole.shape, np.inf)
        for solid, voxels in zip(self.solids, near, strict=True):
            if len(voxels):
                at = tuple((voxels - low).T)
                points = (voxels[:, ::-1] + 0.5) * voxel - 1
                tubes[at] = np.minimum(tubes[at], solid.distance(points))
        where = np.isfinite(tubes)
        whole[where] = smooth_union(whole[where], tubes[where], self.fillet)
        z, y, x = (int(n) for n in low)
        return whole, (z, y, x)


def on_surface(body: Frame) -> OnSurface:
    """Newton's method along the gradient, by central differences; points in the pose of the body."""
    steps = DIFFERENCE * np.concatenate([np.zeros((1, 3)), np.eye(3), -np.eye(3)])

    def project(points: Points) -> Points:
        for _ in range(NEWTON_STEPS if len(points) else 0):
            around = (points[:, None] + steps).reshape(-1, 3)
            found = body(torch.tensor(around, dtype=torch.float32, device=body.device)).cpu().double().numpy()
            found = found.reshape(-1, 7)
            gradient = (found[:, 1:4] - found[:, 4:7]) / (2 * DIFFERENCE)
            length2 = np.maximum(np.sum(gradient**2, axis=1), 0.25)
            points = points - np.clip(found[:, 0] / length2, -0.1, 0.1)[:, None] * gradient
        return points

    return project


def _voxels_near(solid: Tube | Swelling, voxel: float, reach: float, grid_size: int) -> Int[np.ndarray, "n 3"]:
    """Voxels (z, y, x) of the grid that a solid covers or comes within `reach` of."""
    return (
        _voxels_along(solid, voxel, reach, grid_size)
        if isinstance(solid, Tube)
        else _voxels_in(solid.bounds, voxel, reach, grid_size)
    )


def _voxels_in(bounds: Float[np.ndarray, "2 3"], voxel: float, reach: float, grid_size: int) -> Int[np.ndarray, "n 3"]:
    low = np.clip(np.floor((bounds[0] - reach + 1) / voxel), 0, grid_size).astype(int)
    high = np.clip(np.ceil((bounds[1] + reach + 1) / voxel), 0, grid_size).astype(int)
    axes = [np.arange(low[axis], high[axis]) for axis in (2, 1, 0)]
    return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)


def _voxels_along(tube: Tube, voxel: float, reach: float, grid_size: int) -> Int[np.ndarray, "n 3"]:
    radius = float(tube.radii.max()) + reach
    steps = np.linalg.norm(np.diff(tube.line, axis=0), axis=1)
    arc = np.concatenate([[0.0], np.cumsum(steps)])
    stops = np.linspace(0, arc[-1], max(int(arc[-1] / (2 * voxel)), 1) + 1)
    line = np.stack([np.interp(stops, arc, tube.line[:, axis]) for axis in (2, 1, 0)], axis=1)
    n = int(np.ceil((radius + voxel) / voxel)) + 1
    ball = np.stack(np.meshgrid(*[np.arange(-n, n + 1)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    ball = ball[np.linalg.norm(ball, axis=1) * voxel <= radius + 1.5 * voxel]
    centres = np.floor((line + 1) / voxel).astype(int)
    found = (np.unique(centres, axis=0)[:, None] + ball).reshape(-1, 3)
    found = found[((found >= 0) & (found < grid_size)).all(axis=1)]
    keys = np.unique((found[:, 0] * grid_size + found[:, 1]) * grid_size + found[:, 2])
    return np.stack([keys // grid_size**2, keys // grid_size % grid_size, keys % grid_size], axis=1)

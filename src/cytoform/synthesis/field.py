"""One cell as a continuous field: signed distance, gradient, mask and mesh at any place and time."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from cytoform.errors import EmptyFrame, InputError
from cytoform.representations.bounds import Bounds
from cytoform.representations.representation import NO_VARIABLES, Frame, Representation, Variables
from cytoform.representations.rotation import identity, to_matrix
from cytoform.representations.threads import small_products_alone
from cytoform.shapes.boundary import Boundary
from cytoform.shapes.box import BoxedField
from cytoform.shapes.grid import Grid
from cytoform.shapes.mesh import Mesh
from cytoform.synthesis.options import SAFETY, Method
from cytoform.synthesis.render import render_frame

DIFFERENCE = 1e-3  # half extents, to each side, over which a gradient is taken


class Field(ABC):
    """The signed distance of one cell, in µm, over a cube and τ = [-1, 1].

    Points are (z, y, x) in µm from the corner of the cube. Times are network times: the first frame is -1, the last +1.
    A field of any origin can be rendered if it says `half_extent_um`, `bounds` and `at`: a decoder with a code, an
    analytic shape, an interpolated store.
    """

    half_extent_um: float  # half the width of the cube
    bounds: Bounds  # how fast the field changes near its surface; rendering skips empty space by it

    @property
    def n_dims(self) -> int:
        """Dimensions of space: points of an image are (y, x)."""
        return 3

    @abstractmethod
    def at(self, time: float) -> Frame:
        """The field at one time, in the units of rendering: points (x, y, z) in [-1, 1]³, distances in half extents."""

    def __call__(
        self, points_zyx_um: Float[np.ndarray, "n dims"], times: float | Float[np.ndarray, " n"]
    ) -> Float[np.ndarray, " n"]:
        """Signed distance in µm, negative inside, at points and at one time or a time for each of them."""
        distances = np.empty(len(points_zyx_um), np.float32)
        for time, where in _by_time(times, len(points_zyx_um)):
            frame = self.at(time)
            distances[where] = frame(self._normalised(points_zyx_um[where], frame.device)).cpu().numpy()
        return distances * np.float32(self.half_extent_um)

    def gradient(
        self, points_zyx_um: Float[np.ndarray, "n dims"], times: float | Float[np.ndarray, " n"]
    ) -> Float[np.ndarray, "n dims"]:
        """Gradient of the distance along z, y and x (no unit): the outward normal of the surface nearby."""
        gradients = np.empty(points_zyx_um.shape, np.float32)
        for time, where in _by_time(times, len(points_zyx_um)):
            frame = self.at(time)
            points = self._normalised(points_zyx_um[where], frame.device)
            gradients[where] = self._gradient_xyz(frame, time, points).flip(1).cpu().numpy()
        return gradients

    def render(
        self, time: float, grid_size: int, *, method: Method = "narrow-band", safety: float = SAFETY
    ) -> BoxedField:
        """One frame on an isotropic grid of `grid_size` voxels a side."""
        grid = Grid(grid_size, self.half_extent_um, self.n_dims)
        # Fields share their points among threads of their own; PyTorch's would wait for each other on all that is between.
        with small_products_alone():
            return render_frame(self.at(float(time)), grid, bounds=self.bounds, method=method, safety=safety)

    def mask(self, time: float, spacing_um: float) -> Bool[np.ndarray, "*zyx"]:
        """Occupancy on isotropic voxels of about `spacing_um` (the cube holds a whole number of them)."""
        return self.render(time, self._grid_size(spacing_um)).mask()

    def mesh(self, time: float, spacing_um: float | None = None) -> Mesh:
        """Closed surface by marching cubes on voxels of about `spacing_um` (1/128 of the cube if not given).

        Raises EmptyFrame where no voxel is inside.
        """
        mesh = self.render(time, self._grid_size(spacing_um or self.half_extent_um / 64)).mesh()
        if mesh is None:
            raise EmptyFrame("no voxel is inside the cell, so there is no surface to mesh")
        return mesh

    def boundary(self, time: float, spacing_um: float) -> Boundary:
        """Closed surface, in an image closed outline, on voxels of about `spacing_um`.

        Raises EmptyFrame where no voxel is inside.
        """
        boundary = self.render(time, self._grid_size(spacing_um)).boundary()
        if boundary is None:
            raise EmptyFrame("no voxel is inside the cell, so there is no boundary")
        return boundary

    def _gradient_xyz(self, frame: Frame, time: float, points: Float[Tensor, "n dims"]) -> Float[Tensor, "n dims"]:
        """By central differences; a field that knows its gradient says it."""
        steps = DIFFERENCE * torch.eye(points.shape[1], device=points.device)
        return torch.stack([(frame(points + s) - frame(points - s)) / (2 * DIFFERENCE) for s in steps], dim=1)

    def _grid_size(self, spacing_um: float) -> int:
        if not (np.isfinite(spacing_um) and spacing_um > 0):
            raise InputError(f"spacing of {spacing_um} µm: must be positive")
        return round(2 * self.half_extent_um / spacing_um)

    def _normalised(self, points_zyx_um: Float[np.ndarray, "n dims"], device: torch.device) -> Float[Tensor, "n dims"]:
        points = np.asarray(points_zyx_um, float)[:, ::-1] / self.half_extent_um - 1
        return torch.tensor(points.astype(np.float32), device=device)


@dataclass(frozen=True)
class CodeField(Field):
    """The field of a latent code. `rotation` turns the cell into the canonical pose; None is a cell in that pose."""

    decoder: Representation
    code: Float[Tensor, "..."]
    half_extent_um: float
    bounds: Bounds
    rotation: Float[Tensor, " 4"] | None = None  # a quaternion (w, x, y, z), see representations/rotation.py
    variables: Variables = field(default_factory=lambda: NO_VARIABLES)

    @property
    def n_dims(self) -> int:
        return self.decoder.n_dims

    def at(self, time: float) -> Frame:
        return self.decoder.frame(self.code, time, rotation=self._matrix, variables=self.variables)

    def _gradient_xyz(self, frame: Frame, time: float, points: Float[Tensor, "n dims"]) -> Float[Tensor, "n dims"]:
        if self.variables:
            return super()._gradient_xyz(frame, time, points)
        return self.decoder.gradient(self.code, time, points @ self._matrix.T) @ self._matrix

    @cached_property
    def _matrix(self) -> Float[Tensor, "dims dims"]:
        rotation = identity(1) if self.rotation is None else self.rotation[None]
        return to_matrix(rotation, self.n_dims)[0].to(self.code)


def _by_time(times: float | Float[np.ndarray, " n"], n: int) -> list[tuple[float, np.ndarray]]:
    """Which points belong to which time: a frame is set up once."""
    values, which = np.unique(np.broadcast_to(np.asarray(times, float), n), return_inverse=True)
    return [(float(value), np.flatnonzero(which == index)) for index, value in enumerate(values)]

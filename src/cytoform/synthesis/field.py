"""One cell as a continuous field: distance, gradient, mask and mesh at any place and time."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from cytoform.errors import InputError
from cytoform.representations.bounds import Bounds, frame_biases, gradient_xyz
from cytoform.representations.global_code.decoder import Decoder
from cytoform.representations.global_code.evaluator import FrameEvaluator
from cytoform.representations.rotation import identity, to_matrix
from cytoform.shapes.grid import Grid
from cytoform.shapes.mesh import Mesh
from cytoform.synthesis.options import SAFETY, Method
from cytoform.synthesis.render import RenderedFrame, render_frame


@dataclass(frozen=True)
class Field:
    """The signed distance of one cell, in µm, over the cube of its data set and τ = [-1, 1].

    Points are (z, y, x) in µm from the corner of the cube; times are network times (the first frame is -1, the last +1).
    `rotation` turns the cell into the canonical pose (representations/rotation.py); None is a cell in that pose.
    """

    decoder: Decoder
    code: Float[Tensor, " code"]
    half_extent_um: float
    bounds: Bounds
    rotation: Float[Tensor, " 4"] | None = None

    def __call__(
        self, points_zyx_um: Float[np.ndarray, "n 3"], times: float | Float[np.ndarray, " n"]
    ) -> Float[np.ndarray, " n"]:
        """Signed distance in µm, negative inside, at points and at one time or a time for each of them."""
        distances = np.empty(len(points_zyx_um), np.float32)
        for time, where in _by_time(times, len(points_zyx_um)):
            points = self._normalised(points_zyx_um[where])
            distances[where] = self._at(time)(points).cpu().numpy() * self.half_extent_um
        return distances

    def gradient(
        self, points_zyx_um: Float[np.ndarray, "n 3"], times: float | Float[np.ndarray, " n"]
    ) -> Float[np.ndarray, "n 3"]:
        """Gradient of the distance along z, y and x (no unit): the outward normal of the surface nearby."""
        gradients = np.empty((len(points_zyx_um), 3), np.float32)
        for time, where in _by_time(times, len(points_zyx_um)):
            points = self._normalised(points_zyx_um[where]) @ self._matrix.T
            biases = frame_biases(self.decoder, self.code, time)
            gradient = gradient_xyz(self.decoder, biases, points) @ self._matrix
            gradients[where] = gradient.flip(1).cpu().numpy()
        return gradients

    def render(
        self, time: float, grid_size: int, *, method: Method = "narrow-band", safety: float = SAFETY
    ) -> RenderedFrame:
        """One frame on an isotropic grid."""
        grid = Grid(grid_size, self.half_extent_um)
        return render_frame(self._at(time), grid, bounds=self.bounds, method=method, safety=safety)

    def mask(self, time: float, spacing_um: float) -> Bool[np.ndarray, "z y x"]:
        """Occupancy on isotropic voxels of about `spacing_um` (the cube holds a whole number of them)."""
        return self.render(time, self._grid_size(spacing_um)).mask()

    def mesh(self, time: float, spacing_um: float | None = None) -> Mesh:
        """Closed surface by marching cubes on voxels of about `spacing_um` (1/128 of the cube if not given)."""
        return self.render(time, self._grid_size(spacing_um or self.half_extent_um / 64)).mesh()

    def _grid_size(self, spacing_um: float) -> int:
        if not (np.isfinite(spacing_um) and spacing_um > 0):
            raise InputError(f"spacing of {spacing_um} µm: must be positive")
        return round(2 * self.half_extent_um / spacing_um)

    def _at(self, time: float) -> FrameEvaluator:
        return FrameEvaluator(self.decoder, self.code, float(time), rotation=self._matrix)

    @cached_property
    def _matrix(self) -> Float[Tensor, "3 3"]:
        rotation = identity(1) if self.rotation is None else self.rotation[None]
        return to_matrix(rotation)[0].to(self.code)

    def _normalised(self, points_zyx_um: Float[np.ndarray, "n 3"]) -> Float[Tensor, "n 3"]:
        points = np.asarray(points_zyx_um, float)[:, ::-1] / self.half_extent_um - 1
        return torch.tensor(points.astype(np.float32), device=self.code.device)


def _by_time(times: float | Float[np.ndarray, " n"], n: int) -> list[tuple[float, np.ndarray]]:
    """Which points belong to which time: a frame's biases are computed once."""
    values, which = np.unique(np.broadcast_to(np.asarray(times, float), n), return_inverse=True)
    return [(float(value), np.flatnonzero(which == index)) for index, value in enumerate(values)]

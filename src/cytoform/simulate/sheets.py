"""Thin curved sheets with round rims: a ruffle at one time, with its distance."""

from dataclasses import dataclass, field
from functools import cached_property

import igl
import numpy as np
from jaxtyping import Float, Int


@dataclass(frozen=True)
class Sheet:
    """All points within half the thickness of a triangulated patch of rows × columns points."""

    patch_zyx_um: Float[np.ndarray, "rows columns 3"]
    thickness_um: float
    # Voxels are never longer than a sheet is thick, so that its mask has no holes without lines.
    lines_zyx_um: list[Float[np.ndarray, "_ 3"]] = field(default_factory=list)

    @property
    def bounds_zyx_um(self) -> Float[np.ndarray, "2 3"]:
        """Box around the sheet."""
        half, corners = self.thickness_um / 2, self.patch_zyx_um.reshape(-1, 3)
        return np.stack([corners.min(axis=0) - half, corners.max(axis=0) + half])

    @cached_property
    def _faces(self) -> Int[np.ndarray, "faces 3"]:
        rows, columns = self.patch_zyx_um.shape[:2]
        corner = np.arange(rows * columns).reshape(rows, columns)
        a, b, c, d = (part.ravel() for part in (corner[:-1, :-1], corner[:-1, 1:], corner[1:, :-1], corner[1:, 1:]))
        return np.concatenate([np.stack([a, b, c], axis=1), np.stack([b, d, c], axis=1)])

    def distance_um(self, points_zyx_um: Float[np.ndarray, "n 3"]) -> Float[np.ndarray, " n"]:
        """Signed distance in µm, negative inside; exact for bends wider than half the thickness."""
        corners = np.ascontiguousarray(self.patch_zyx_um.reshape(-1, 3))
        squared = igl.point_mesh_squared_distance(np.ascontiguousarray(points_zyx_um), corners, self._faces)[0]
        return np.asarray(np.sqrt(squared) - self.thickness_um / 2)

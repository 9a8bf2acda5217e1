"""A signed distance field on the part of a grid that holds the cell."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float, Int

from cytoform.base.triples import Ints, Slices, int_triple, ints
from cytoform.shapes.boundary import Boundary, boundary_from_distance
from cytoform.shapes.grid import Grid
from cytoform.shapes.mesh import Mesh, mesh_from_distance

PLATE_VOXELS = 3


@dataclass(frozen=True, eq=False)
class BoxedField:
    """Signed distance in µm, negative inside, on a box of a grid; every voxel beyond the box is outside.

    Distances are truncated at ± `band_um`; `corner_zyx` is the grid index of the box's first voxel.
    """

    grid: Grid
    corner_zyx: Ints
    box_sdf_um: Float[np.ndarray, "*zyx"]
    band_um: float

    @cached_property
    def inside(self) -> Bool[np.ndarray, "*zyx"]:
        """Occupancy of the box: distance ≤ 0."""
        return self.box_sdf_um <= 0

    @property
    def is_empty(self) -> bool:
        """Whether no voxel is inside."""
        return not self.inside.any()

    @property
    def slices(self) -> Slices:
        """Place of the box in the grid."""
        return tuple(slice(low, low + n) for low, n in zip(self.corner_zyx, self.box_sdf_um.shape, strict=True))

    @property
    def bounds(self) -> Slices:
        """Place in the grid of the tight box of all inside voxels; of length 0 where no voxel is inside."""
        found = bounding_box(self.inside)
        return tuple(slice(c + s.start, c + s.stop) for c, s in zip(self.corner_zyx, found, strict=True))

    @property
    def is_cut(self) -> bool:
        """Whether an outermost voxel of the grid is inside: the cube may cut the cell."""
        return not self.is_empty and any(side.start == 0 or side.stop == self.grid.size for side in self.bounds)

    def mask(self) -> Bool[np.ndarray, "*grid"]:
        """Occupancy of the whole grid: distance ≤ 0."""
        return self._whole(self.inside, False)

    def sdf_um(self) -> Float[np.ndarray, "*grid"]:
        """Signed distance in µm on the whole grid."""
        return self._whole(self.box_sdf_um, self.band_um)

    def at(self, voxels_zyx: Int[np.ndarray, "n dims"]) -> Float[np.ndarray, " n"]:
        """Distances in µm at voxels of the grid; beyond the box they are the band."""
        places = voxels_zyx - np.array(self.corner_zyx)
        held = ((places >= 0) & (places < self.box_sdf_um.shape)).all(axis=1)
        found = np.full(len(places), self.band_um)
        found[held] = self.box_sdf_um[tuple(places[held].T)]
        return found

    def mesh(self) -> Mesh | None:
        """The closed surface, in µm from the corner of the grid; None where no voxel is inside.

        For pictures, a cell of an image is a plate in the middle of the cube.
        """
        if self.is_empty:
            return None
        missing = 3 - self.grid.n_dims
        plate_um = np.broadcast_to(self.box_sdf_um, (PLATE_VOXELS,) * missing + self.box_sdf_um.shape)
        corner_zyx = int_triple((*[(self.grid.size - PLATE_VOXELS) // 2] * missing, *self.corner_zyx))
        return mesh_from_distance(plate_um, self.grid.spacing_um, corner_zyx=corner_zyx)

    def boundary(self) -> Boundary | None:
        """The closed surface or outline, in µm from the corner of the grid; None where no voxel is inside."""
        if self.is_empty:
            return None
        return boundary_from_distance(self.box_sdf_um, self.grid.spacing_um, corner_zyx=self.corner_zyx)

    def tight(self, margin: int = 0) -> "BoxedField":
        """The same field on the tight box of all inside voxels, `margin` voxels wider where the grid has room."""
        if self.is_empty:
            return replace(self, box_sdf_um=self.box_sdf_um[(slice(0),) * self.grid.n_dims])
        bounds = self.bounds
        low = np.array([max(side.start - margin, 0) for side in bounds])
        high = np.array([min(side.stop + margin, self.grid.size) for side in bounds])
        box = np.full(high - low, self.band_um, self.box_sdf_um.dtype)
        # The margin may reach beyond the box.
        first, last = np.maximum(low, self.corner_zyx), np.minimum(high, [side.stop for side in self.slices])
        box[_part(first - low, last - low)] = self.box_sdf_um[_part(first - self.corner_zyx, last - self.corner_zyx)]
        return replace(self, corner_zyx=ints(low), box_sdf_um=box)

    def coarser(self, factor: int) -> "BoxedField":
        """The mean distance of `factor` voxels along each axis, on a grid with that many fewer; it has to divide the size."""
        if factor == 1:
            return self
        if self.grid.size % factor:
            raise ValueError(f"{self.grid.size} voxels are no multiple of {factor}")
        low = np.array([side.start // factor for side in self.slices]) * factor
        high = -(-np.array([side.stop for side in self.slices]) // factor) * factor
        box = np.full(high - low, self.band_um, self.box_sdf_um.dtype)
        stops = [side.stop for side in self.slices]
        box[_part(self.corner_zyx - low, stops - low)] = self.box_sdf_um
        blocks = box.reshape([n for side in box.shape for n in (side // factor, factor)])
        mean = blocks.mean(axis=tuple(range(1, 2 * box.ndim, 2)))
        grid = replace(self.grid, size=self.grid.size // factor)
        return replace(self, grid=grid, corner_zyx=ints(low // factor), box_sdf_um=mean)

    def _whole(self, box: np.ndarray, outside: float) -> np.ndarray:
        volume = np.full(self.grid.shape, outside, box.dtype)
        volume[self.slices] = box
        return volume


def bounding_box(mask: Bool[np.ndarray, "*zyx"]) -> Slices:
    """The tight box of all true voxels; slices of length 0 where there are none."""
    axes = range(mask.ndim)
    sides = [np.flatnonzero(mask.any(axis=tuple(other for other in axes if other != axis))) for axis in axes]
    return tuple(slice(int(side[0]), int(side[-1]) + 1) if len(side) else slice(0, 0) for side in sides)


def _part(low: np.ndarray, high: np.ndarray) -> tuple[slice, ...]:
    return tuple(slice(l, h) for l, h in zip(low, high, strict=True))

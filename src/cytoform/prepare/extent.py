"""The extent of cells, and the one cube of a data set that holds all of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from cytoform.errors import InputError
from cytoform.shapes.grid import Grid

# Margin between the farthest cell and the cube: a tenth of the cell's reach, at least four voxels.
MARGIN_SHARE, MARGIN_VOXELS = 0.1, 4
# Smallest margin with a half extent given by the user.
MIN_MARGIN_VOXELS = 2

Vector = Float[np.ndarray, " dims"]
Centres = Float[np.ndarray, "frames dims"]


@dataclass(frozen=True)
class Extent:
    """Bounding box and centroid of a shape in its movie."""

    low_zyx_um: Vector
    high_zyx_um: Vector
    centroid_zyx_um: Vector


def extent_of(mask: Bool[np.ndarray, "*zyx"], spacing_zyx_um: Vector, corner_zyx_um: Vector) -> Extent:
    """Extent of a non-empty mask; its lowest corner lies at `corner_zyx_um` of the movie."""
    axes = range(mask.ndim)
    low, high, mean = np.empty(mask.ndim), np.empty(mask.ndim), np.empty(mask.ndim)
    for axis in axes:
        # The profile along an axis gives all three values without a list of voxels.
        profile = np.count_nonzero(mask, axis=tuple(other for other in axes if other != axis))
        filled = np.flatnonzero(profile)
        low[axis], high[axis] = filled[0], filled[-1] + 1
        mean[axis] = np.average(np.arange(len(profile)) + 0.5, weights=profile)
    return Extent(*(corner_zyx_um + index * spacing_zyx_um for index in (low, high, mean)))


def centres_of(extents: Sequence[Extent], *, keep_motion: bool) -> Centres:
    """Cube centre in every frame: the cell's centroid, or with `keep_motion` the middle of its box over time."""
    if not keep_motion:
        return np.stack([extent.centroid_zyx_um for extent in extents])
    low = np.min([extent.low_zyx_um for extent in extents], axis=0)
    high = np.max([extent.high_zyx_um for extent in extents], axis=0)
    return np.tile((low + high) / 2, (len(extents), 1))


def common_grid(
    extents: Mapping[str, Sequence[Extent]],
    centres: Mapping[str, Centres],
    *,
    size: int,
    half_extent_um: float | None,
    n_dims: int = 3,
) -> Grid:
    """The smallest cube with a margin around every cell in every frame, or the cube of the given half extent.

    Raises InputError naming the farthest cell if the given half extent is too small.
    """
    reach_um, cell = _farthest(extents, centres)
    smallest_um = _smallest_half_extent_um(reach_um, size)
    if half_extent_um is None:
        return Grid(size, smallest_um, n_dims)
    grid = Grid(size, half_extent_um, n_dims)
    if not _fits(reach_um, grid):
        raise InputError(
            f"--half-extent {half_extent_um}: too small for {cell}; give {smallest_um} or more, or leave the option out"
        )
    return grid


def check_fits(extents: Mapping[str, Sequence[Extent]], centres: Mapping[str, Centres], grid: Grid) -> None:
    """Raise InputError if a cell does not fit into the cube of an existing store."""
    reach_um, cell = _farthest(extents, centres)
    if not _fits(reach_um, grid):
        raise InputError(
            f"too large for the store's half extent of {grid.half_extent_um:g} µm: {cell}; "
            f"prepare all anew with --half-extent {_smallest_half_extent_um(reach_um, grid.size)}"
        )


def _farthest(extents: Mapping[str, Sequence[Extent]], centres: Mapping[str, Centres]) -> tuple[float, str]:
    """Largest reach of any cell from its centre in µm, and a description of this cell for messages."""
    reach_um, name, frame = max(
        (_reach_um(extent, centre), name, -frame)
        for name, of_cell in extents.items()
        for frame, (extent, centre) in enumerate(zip(of_cell, centres[name], strict=True))
    )
    return reach_um, f"{name}, which reaches {reach_um:.2f} µm from its centre in its frame {-frame}"


def _smallest_half_extent_um(reach_um: float, size: int) -> float:
    return _rounded_up(reach_um * max(1 + MARGIN_SHARE, size / (size - 2 * MARGIN_VOXELS)))


def _fits(reach_um: float, grid: Grid) -> bool:
    return reach_um + MIN_MARGIN_VOXELS * grid.spacing_um <= grid.half_extent_um


def _reach_um(extent: Extent, centre_zyx_um: Vector) -> float:
    return float(max((extent.high_zyx_um - centre_zyx_um).max(), (centre_zyx_um - extent.low_zyx_um).max()))


def _rounded_up(value: float) -> float:
    """Round up to three digits, for a number that people can read and type."""
    step = 10.0 ** (np.floor(np.log10(value)) - 2)
    return float(f"{np.ceil(value / step) * step:.6g}")

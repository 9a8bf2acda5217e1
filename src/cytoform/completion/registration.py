"""Symmetric registration of two distance fields, in any number of dimensions.

Iterative Lucas-Kanade (Lucas and Kanade 1981; Le Besnerais and Champagnat 2005) in a symmetric form, on distances cut off
near the surface: both fields are carried to the place between them, and the displacement that makes them equal is solved for
in a Gaussian window around every voxel. Coarse to fine, and never finer than every second voxel.
"""

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter, map_coordinates, zoom

from cytoform.completion.fields import Field

CUT_VOXELS = 4.0  # distances beyond tell nothing about where a piece of surface goes
# Added to the mean squared slope in the window, which is at most 1: holds displacements at 0 far from surfaces.
DAMPING = 1e-2
SMALLEST = 6  # blocks along a side of the coarsest level


@dataclass(frozen=True)
class LucasKanade:
    """Settings of a registration: standard deviation of the window in voxels, and rounds on each level."""

    window_voxels: float
    levels: int
    rounds: int


SMOOTH = LucasKanade(window_voxels=9.0, levels=2, rounds=4)
LOCAL = LucasKanade(window_voxels=4.5, levels=1, rounds=4)


def halfway(before: Field, after: Field, share: float, settings: LucasKanade) -> Field:
    """The field at `share` of the way from `before` to `after`: both are carried there and averaged."""
    displacement = displacement_between(before, after, share, settings)
    return (1 - share) * carried(before, share * displacement) + share * carried(after, (share - 1) * displacement)


def displacement_between(before: Field, after: Field, share: float, settings: LucasKanade) -> Field:
    """Displacement d in voxels, one component an axis, with before(x + share d) ≈ after(x - (1 - share) d)."""
    levels = [(np.clip(before, -CUT_VOXELS, CUT_VOXELS), np.clip(after, -CUT_VOXELS, CUT_VOXELS))]
    while len(levels) <= settings.levels and min(levels[-1][0].shape) >= 2 * SMALLEST:
        levels.append((_halved(levels[-1][0]), _halved(levels[-1][1])))
    displacement = np.zeros((before.ndim, *levels[-1][0].shape), np.float32)
    for level in range(len(levels) - 1, 0, -1):
        for _ in range(settings.rounds):
            displacement = _improved(displacement, *levels[level], share, settings.window_voxels / 2)
        displacement = _doubled(displacement, levels[level - 1][0].shape)
    return displacement


def carried(field: Field, displacement: Field) -> Field:
    """The field at x + displacement(x), by linear interpolation."""
    places = np.indices(field.shape, np.float32) + displacement
    return np.asarray(map_coordinates(field, places, order=1, mode="nearest"), np.float32)


def _improved(displacement: Field, before: Field, after: Field, share: float, window: float) -> Field:
    """The displacement that makes both fields equal to first order, by least squares in a window around every voxel."""
    moved = carried(before, share * displacement), carried(after, (share - 1) * displacement)
    gradient = np.stack(np.gradient((moved[0] + moved[1]) / 2)).astype(np.float32)
    wanted = (gradient * displacement).sum(axis=0) - (moved[0] - moved[1])
    n = len(displacement)
    squares = np.empty((*before.shape, n, n), np.float32)
    for i in range(n):
        for j in range(i, n):
            squares[..., i, j] = squares[..., j, i] = gaussian_filter(gradient[i] * gradient[j], window, truncate=2)
    squares[..., range(n), range(n)] += np.float32(DAMPING)
    right = np.stack([gaussian_filter(component * wanted, window, truncate=2) for component in gradient], axis=-1)
    return np.ascontiguousarray(np.moveaxis(np.linalg.solve(squares, right[..., None])[..., 0], -1, 0))


def _halved(field: Field) -> Field:
    """Means of blocks of two voxels a side, in units of such blocks; an odd last voxel stands for two."""
    padded = np.pad(field, [(0, n % 2) for n in field.shape], mode="edge")
    blocks = padded.reshape([part for n in padded.shape for part in (n // 2, 2)])
    return np.asarray(blocks.mean(axis=tuple(range(1, 2 * field.ndim, 2))) / 2, np.float32)


def _doubled(displacement: Field, shape: tuple[int, ...]) -> Field:
    """A displacement of blocks of two voxels a side at every voxel of `shape`, in voxels."""
    fine = [zoom(2 * component, 2, order=1, mode="nearest", grid_mode=True) for component in displacement]
    return np.stack([each[tuple(slice(n) for n in shape)] for each in fine]).astype(np.float32)

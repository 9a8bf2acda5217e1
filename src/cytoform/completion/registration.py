"""Symmetric registration of two distance fields, in any number of dimensions.

Iterative Lucas-Kanade (Lucas and Kanade 1981; Le Besnerais and Champagnat 2005) in a symmetric form, on distances cut off
near the surface: both fields are carried to the place between them, and the displacement that makes them equal is solved for
in a Gaussian window around every voxel. Coarse to fine, and never finer than every second voxel.
"""

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter, map_coordinates

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
    squares = np.empty((n, n, *before.shape), np.float32)
    for i in range(n):
        for j in range(i, n):
            squares[i, j] = squares[j, i] = gaussian_filter(gradient[i] * gradient[j], window, truncate=2)
        squares[i, i] += np.float32(DAMPING)
    return _solved(squares, np.stack([gaussian_filter(each * wanted, window, truncate=2) for each in gradient]))


def _solved(squares: Field, right: Field) -> Field:
    """The solution of a positive definite system at every voxel, by elimination; changes both in place."""
    n = len(right)
    for i in range(n):
        for j in range(i + 1, n):
            factor = squares[j, i] / squares[i, i]
            squares[j, i:] -= factor * squares[i, i:]
            right[j] -= factor * right[i]
    for i in reversed(range(n)):
        for j in range(i + 1, n):
            right[i] -= squares[i, j] * right[j]
        right[i] /= squares[i, i]
    return right


def _halved(field: Field) -> Field:
    """Means of blocks of two voxels a side, in units of such blocks; an odd last voxel stands for two."""
    padded = np.pad(field, [(0, n % 2) for n in field.shape], mode="edge")
    blocks = padded.reshape([part for n in padded.shape for part in (n // 2, 2)])
    return np.asarray(blocks.mean(axis=tuple(range(1, 2 * field.ndim, 2))) / 2, np.float32)


def _doubled(displacement: Field, shape: tuple[int, ...]) -> Field:
    """A displacement of blocks of two voxels a side at every voxel of `shape`, in voxels."""
    fine = 2 * displacement
    for axis, n in enumerate(shape, start=1):
        fine = np.moveaxis(fine, axis, -1)
        padded = np.concatenate([fine[..., :1], fine, fine[..., -1:]], axis=-1)
        around = padded[..., :-2], padded[..., 2:]
        doubled = np.stack([0.75 * fine + 0.25 * beside for beside in around], axis=-1)
        fine = np.moveaxis(doubled.reshape(*fine.shape[:-1], -1)[..., :n], -1, axis)
    return np.ascontiguousarray(fine, np.float32)

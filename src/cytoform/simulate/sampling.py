"""From a distance function to voxels: only near the surface is anything evaluated."""

from collections.abc import Callable

import numpy as np
from jaxtyping import Bool, Float

from cytoform.base.triples import IntTriple
from cytoform.simulate.cell import Part, Spacing

Distance = Callable[[Float[np.ndarray, "n 3"]], Float[np.ndarray, " n"]]


def inside_voxels(
    part: Part, *, shape: IntTriple, spacing_zyx_um: Spacing, corner_zyx_um: Float[np.ndarray, " 3"]
) -> Bool[np.ndarray, "z y x"]:
    """Voxels of a box whose centre is inside `part` (distance ≤ 0).

    Blocks are split into halves only where the surface can pass: where the distance at the middle is less than half
    the diagonal, times the steepest that the distance can be. This is exact, and costs area instead of volume.
    """
    spacing = np.array(spacing_zyx_um)
    # Blocks that are about as high as wide, also for thick slices.
    edge = np.maximum(1, 2 ** np.floor(np.log2(8 * spacing.min() / spacing))).astype(int)
    padded = np.ceil(np.array(shape) / edge).astype(int)
    corners = np.stack(np.meshgrid(*(np.arange(n) for n in padded), indexing="ij"), axis=-1).reshape(-1, 3) * edge
    result = np.zeros(padded * edge, dtype=bool)
    while True:
        distances = part.distance_um(corner_zyx_um + (corners + edge / 2) * spacing)
        if (edge == 1).all():
            result[tuple(corners[distances <= 0].T)] = True
            return result[: shape[0], : shape[1], : shape[2]]
        near = np.abs(distances) <= part.steepness * np.linalg.norm(edge * spacing) / 2
        _fill(result, corners[~near & (distances < 0)], edge)
        corners, edge = _split(corners[near], edge)


def _fill(result: Bool[np.ndarray, "z y x"], corners: np.ndarray, edge: np.ndarray) -> None:
    for low in corners:
        high = low + edge
        result[low[0] : high[0], low[1] : high[1], low[2] : high[2]] = True


def _split(corners: np.ndarray, edge: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    half = np.maximum(edge // 2, 1)
    steps = np.stack(np.meshgrid(*(np.arange(0, e, h) for e, h in zip(edge, half, strict=True)), indexing="ij"), -1)
    return (corners[:, None] + steps.reshape(1, -1, 3)).reshape(-1, 3), half


def line_voxels(
    lines_zyx_um: list[Float[np.ndarray, "_ 3"]], *, spacing_zyx_um: Spacing, corner_zyx_um: Float[np.ndarray, " 3"]
) -> np.ndarray:
    """Indices of the voxels that lines pass through, sampled at a quarter of the finest voxel: a connected chain."""
    spacing = np.array(spacing_zyx_um)
    found = [np.zeros((0, 3), dtype=int)]
    for line in lines_zyx_um:
        lengths = np.linalg.norm(np.diff(line, axis=0), axis=1)
        along = np.concatenate([[0], np.cumsum(lengths)])
        n = int(np.ceil(along[-1] / (0.25 * spacing.min()))) + 1
        stops = np.linspace(0, along[-1], n)
        points = np.stack([np.interp(stops, along, line[:, axis]) for axis in range(3)], axis=1)
        found.append(np.floor((points - corner_zyx_um) / spacing).astype(int))
    return np.unique(np.concatenate(found), axis=0)

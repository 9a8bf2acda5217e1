"""The surface of a body around the root of a protrusion: its height over the plane at right angles to the axis.

A thick protrusion is as wide as the bends of a body. Where its heights are counted from the surface under it, and not from a
plane, its foot lies on any body. Beyond the horizon of a body the surface falls off like a cliff, and what is counted from a
cliff is torn; so the heights fall no faster than `STEEPEST`.
"""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float
from scipy.ndimage import map_coordinates
from scipy.spatial.distance import cdist

Points = Float[np.ndarray, "n 3"]
Distance = Callable[[Points], Float[np.ndarray, " n"]]  # signed distance to a body
Relief = Float[np.ndarray, "nodes nodes"]  # height of its surface on the nodes of two sides of a box

# The surface is searched up to this slope from the root, and this share of the sides beyond that; by so many halvings.
SLOPE, SLACK, HALVINGS = 1.0, 0.15, 8
STEEPEST = 1.0  # slope of the heights


def relief_of(
    body: Distance,
    root: Float[np.ndarray, " 3"],
    frame: Float[np.ndarray, "3 3"],
    sides: Float[np.ndarray, "2 2"],
    n_nodes: int,
) -> Relief:
    """Heights on the nodes of two sides of a box, which is turned by `frame` (rows are its axes) and starts at `root`.

    Where the surface is out of reach or too steep, the height is above it: the lowest from which no slope is too steep.
    """
    axes = [np.linspace(low, high, n_nodes) for low, high in sides]
    flat = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 2)
    high = SLOPE * np.linalg.norm(flat, axis=1) + SLACK * float(np.diff(sides, axis=1).mean())
    low = -high
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        inside = body(root + np.column_stack([middle, flat]) @ frame) <= 0
        low, high = np.where(inside, middle, low), np.where(inside, high, middle)
    return _eased((low + high) / 2, flat).reshape(n_nodes, n_nodes)


def _eased(heights: Float[np.ndarray, " n"], flat: Float[np.ndarray, "n 2"]) -> Float[np.ndarray, " n"]:
    """Raise heights where they fall too steeply, as little as needed: no slope between two places exceeds `STEEPEST`."""
    return np.asarray((heights - STEEPEST * cdist(flat, flat)).max(axis=1))


def over(relief: Relief, sides: Float[np.ndarray, "2 2"], local: Points) -> Points:
    """Points of a local frame with the first coordinate counted from the surface; beyond the sides, from their edge."""
    low, high = sides.T
    places = (np.clip(local[:, 1:], low, high) - low) / (high - low) * (len(relief) - 1)
    rises = map_coordinates(relief, places.T, order=1, mode="nearest")
    return np.column_stack([local[:, 0] - rises, local[:, 1:]])


def raised(nodes: Points, relief: Relief) -> Points:
    """The nodes of a box in the local frame, from heights over the surface; the nodes of the last two sides vary fastest."""
    rises = np.tile(relief.reshape(-1), len(nodes) // relief.size)
    return np.column_stack([nodes[:, 0] + rises, nodes[:, 1:]])

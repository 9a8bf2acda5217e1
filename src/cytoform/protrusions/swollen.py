"""Bulges at one time, on a body: solids with a distance."""

from dataclasses import dataclass

import cc3d
import numpy as np
from jaxtyping import Float, Int
from scipy.ndimage import map_coordinates

from cytoform.protrusions.bulges import NODES, PHASES, Bulges, frame_at, sizes
from cytoform.protrusions.tubes import OnSurface, Points


@dataclass(frozen=True)
class Swelling:
    """A bulge at one time: distances on the nodes of a box that is turned and moved."""

    root: Float[np.ndarray, " 3"]
    frame: Float[np.ndarray, "3 3"]  # rows are the axes of the box
    box: Float[np.ndarray, "3 2"]  # along these axes, from the root
    values: Float[np.ndarray, "nodes nodes nodes"]  # in the unit of the points

    @property
    def corners(self) -> Points:
        """The corners of the box."""
        ends = np.stack(np.meshgrid(*self.box, indexing="ij"), axis=-1).reshape(-1, 3)
        return np.asarray(self.root + ends @ self.frame)

    @property
    def bounds(self) -> Float[np.ndarray, "2 3"]:
        """Box around the solid, along the axes of space."""
        return np.stack([self.corners.min(axis=0), self.corners.max(axis=0)])

    def voxels_near(self, reach: float, grid_size: int) -> Int[np.ndarray, "n 3"]:
        """Voxels (z, y, x) of a grid on Ω that lie in the box around the solid, or within `reach` of it."""
        low, high = self.bounds + np.array([[-reach], [reach]])
        start = np.clip(np.floor((low + 1) * grid_size / 2), 0, grid_size).astype(int)
        stop = np.clip(np.ceil((high + 1) * grid_size / 2), 0, grid_size).astype(int)
        axes = [np.arange(start[axis], stop[axis]) for axis in (2, 1, 0)]
        return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)

    def moved(self, offset: Float[np.ndarray, " 3"]) -> "Swelling":
        """The same solid elsewhere."""
        return Swelling(self.root + offset, self.frame, self.box, self.values)

    def turned(self, matrix: Float[np.ndarray, "3 3"]) -> "Swelling":
        """The same solid with its points multiplied by `matrix` from the right."""
        return Swelling(self.root @ matrix, self.frame @ matrix, self.box, self.values)

    def distance(self, points: Points) -> Float[np.ndarray, " n"]:
        """Signed distance; beyond the box, that at its nearest place and the way there."""
        local = (points - self.root) @ self.frame.T
        nearest = np.clip(local, self.box[:, 0], self.box[:, 1])
        places = (nearest - self.box[:, 0]) / np.diff(self.box, axis=1)[:, 0] * (NODES - 1)
        values = map_coordinates(self.values, places.T, order=1, mode="nearest")
        return np.asarray(values + np.linalg.norm(local - nearest, axis=1))


def swollen_at(
    bulges: Bulges,
    basis: Float[np.ndarray, "components_1 phases nodes nodes nodes"],
    time: float,
    on_surface: OnSurface,
) -> list[Swelling]:
    """The bulges that are there at a time, a share of the learned movie; points and lengths in Ω."""
    alive = np.flatnonzero((bulges.window[:, 0] < time) & (time < bulges.window[:, 1]))
    if not len(alive):
        return []
    phases = (time - bulges.window[alive, 0]) / np.diff(bulges.window[alive], axis=1)[:, 0]
    roots = (1 - phases)[:, None] * bulges.root[alive, 0] + phases[:, None] * bulges.root[alive, 1]
    scales = sizes(bulges.box[alive])
    found = []
    for row, phase, root, scale in zip(alive.tolist(), phases.tolist(), on_surface(roots), scales, strict=True):
        values = _rooted(float(scale) * values_at(bulges.weights[row], basis, phase), bulges.box[row, 0])
        found.append(Swelling(root, frame_at(bulges, row, phase), bulges.box[row], values))
    return found


def _rooted(
    values: Float[np.ndarray, "nodes nodes nodes"], heights: Float[np.ndarray, " 2"]
) -> Float[np.ndarray, "nodes nodes nodes"]:
    """Distances without the pieces that do not reach below the surface of the body."""
    pieces = cc3d.connected_components(values < 0, connectivity=26)
    below = np.linspace(float(heights[0]), float(heights[1]), NODES) < 0
    loose = (pieces > 0) & ~np.isin(pieces, np.unique(pieces[below]))
    return np.where(loose, -values, values)


def values_at(
    weights: Float[np.ndarray, " components"],
    basis: Float[np.ndarray, "components_1 phases nodes nodes nodes"],
    phase: float,
) -> Float[np.ndarray, "nodes nodes nodes"]:
    """Distances on the nodes at a phase of the window, in sizes of the box; linear between the phases that are kept."""
    place = np.clip(phase, 0, 1) * (PHASES - 1)
    low = min(int(place), PHASES - 2)
    share = place - low
    between = (1 - share) * basis[:, low] + share * basis[:, low + 1]
    return np.asarray(between[0] + np.tensordot(weights, between[1:], axes=1))


def volume(bulges: Bulges, time: float) -> float:
    """Volume of all bulges at a time outside the body; in cubed half extents."""
    phases = (time - bulges.window[:, 0]) / np.diff(bulges.window, axis=1)[:, 0]
    is_alive = (phases > 0) & (phases < 1)
    stops = np.linspace(0, 1, PHASES)
    return float(sum(np.interp(phases[row], stops, bulges.volume[row]) for row in np.flatnonzero(is_alive)))

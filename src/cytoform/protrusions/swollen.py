"""Bulges at one time, on a body: solids with a distance."""

from dataclasses import dataclass, replace

import cc3d
import numpy as np
from jaxtyping import Float, Int
from scipy.ndimage import map_coordinates

from cytoform.protrusions.bulges import NODES, PHASES, Bulges, Moments, frame_at, nodes_of
from cytoform.protrusions.relief import Distance, Relief, over, raised, relief_of
from cytoform.protrusions.tubes import OnSurface, Points


@dataclass(frozen=True)
class Swelling:
    """A bulge at one time: distances on the nodes of a box that is turned, moved, and laid on the surface of a body."""

    root: Float[np.ndarray, " 3"]
    frame: Float[np.ndarray, "3 3"]  # rows are the axes of the box
    box: Float[np.ndarray, "3 2"]  # along these axes, from the root; along the first, from the surface
    values: Float[np.ndarray, "nodes nodes nodes"]  # in the unit of the points
    relief: Relief  # of the surface

    @property
    def corners(self) -> Points:
        """The corners of the box."""
        heights = self.box[0] + (self.relief.min(), self.relief.max())
        ends = np.stack(np.meshgrid(heights, *self.box[1:], indexing="ij"), axis=-1).reshape(-1, 3)
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
        return replace(self, root=self.root + offset)

    def turned(self, matrix: Float[np.ndarray, "3 3"]) -> "Swelling":
        """The same solid with its points multiplied by `matrix` from the right."""
        return replace(self, root=self.root @ matrix, frame=self.frame @ matrix)

    def distance(self, points: Points) -> Float[np.ndarray, " n"]:
        """Signed distance; beyond the box, that at its nearest place and the way there."""
        local = over(self.relief, self.box[1:], (points - self.root) @ self.frame.T)
        nearest = np.clip(local, self.box[:, 0], self.box[:, 1])
        places = (nearest - self.box[:, 0]) / np.diff(self.box, axis=1)[:, 0] * (NODES - 1)
        values = map_coordinates(self.values, places.T, order=1, mode="nearest")
        return np.asarray(values + np.linalg.norm(local - nearest, axis=1))


def swollen_at(bulges: Bulges, moments: Moments, time: float, on_surface: OnSurface, body: Distance) -> list[Swelling]:
    """The bulges that are there at a time, a share of the learned movie; points and lengths in Ω.

    Pieces of them that do not reach into the body are left out.
    """
    alive = np.flatnonzero((bulges.window[:, 0] < time) & (time < bulges.window[:, 1]))
    if not len(alive):
        return []
    phases = (time - bulges.window[alive, 0]) / np.diff(bulges.window[alive], axis=1)[:, 0]
    roots = (1 - phases)[:, None] * bulges.root[alive, 0] + phases[:, None] * bulges.root[alive, 1]
    found = []
    for row, phase, root in zip(alive.tolist(), phases.tolist(), on_surface(roots), strict=True):
        box, values = moments.at(bulges.moments[row], phase)
        size, frame = float(bulges.size[row, 0]), frame_at(bulges, row, phase)
        relief = relief_of(body, root, frame, size * box[1:], NODES)
        found.append(_rooted(Swelling(root, frame, size * box, size * values, relief), body))
    return found


def _rooted(swelling: Swelling, body: Distance) -> Swelling:
    """The solid without the pieces that do not reach into the body."""
    values = swelling.values
    pieces = cc3d.connected_components(values < 0, connectivity=6)
    own = pieces > 0
    nodes = raised(nodes_of(swelling.box), swelling.relief).reshape(*values.shape, 3)[own]
    in_body = body(swelling.root + nodes @ swelling.frame) <= 0
    loose = own & ~np.isin(pieces, np.unique(pieces[own][in_body]))
    return replace(swelling, values=np.where(loose, -values, values))


def volume(bulges: Bulges, time: float) -> float:
    """Volume of all bulges at a time outside the body; in cubed half extents."""
    phases = (time - bulges.window[:, 0]) / np.diff(bulges.window, axis=1)[:, 0]
    is_alive = (phases > 0) & (phases < 1)
    stops = np.linspace(0, 1, PHASES)
    return float(sum(np.interp(phases[row], stops, bulges.volume[row]) for row in np.flatnonzero(is_alive)))

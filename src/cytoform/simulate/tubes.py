"""Bent, tapered tubes with round tips: the filopodia of a cell at one time, with their distance."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float
from scipy.spatial import cKDTree

from cytoform.simulate.analytic import round_cone_um


@dataclass(frozen=True)
class Tube:
    """A chain of round cones: balls along a centre line, and their pairwise hulls."""

    line_zyx_um: Float[np.ndarray, "n 3"]
    radii_um: Float[np.ndarray, " n"]

    @property
    def bounds_zyx_um(self) -> Float[np.ndarray, "2 3"]:
        """Box around the tube."""
        radii = self.radii_um[:, None]
        return np.stack([(self.line_zyx_um - radii).min(axis=0), (self.line_zyx_um + radii).max(axis=0)])

    @cached_property
    def _tree(self) -> cKDTree:
        return cKDTree(self.line_zyx_um)

    def distance_um(self, points_zyx_um: Float[np.ndarray, "n 3"]) -> Float[np.ndarray, " n"]:
        """Signed distance; exact for a slight taper and bends wider than the tube."""
        nearest = self._tree.query(points_zyx_um)[1]
        # Because of the taper, the nearest flank is slightly closer to the root than the nearest point of the line.
        best = np.full(len(points_zyx_um), np.inf)
        for shift in (-2, -1, 0):
            start = np.clip(nearest + shift, 0, len(self.radii_um) - 2)
            end = start + 1
            line, radii = self.line_zyx_um, self.radii_um
            cone = round_cone_um(points_zyx_um, line[start], line[end], radii[start], radii[end])
            np.minimum(best, cone, out=best)
        return best


def tubes_distance_um(
    tubes: list[Tube], points_zyx_um: Float[np.ndarray, "n 3"], *, bound_um: Float[np.ndarray, " n"]
) -> Float[np.ndarray, " n"]:
    """Distance to the union of tubes, capped at `bound_um`."""
    best = bound_um.copy()
    for tube in tubes:
        low, high = tube.bounds_zyx_um
        # The distance to the bounding box is a lower bound of the distance to the tube.
        outside = np.maximum(np.maximum(low - points_zyx_um, points_zyx_um - high), 0)
        near = np.einsum("ij,ij->i", outside, outside) <= np.maximum(best, 0) ** 2
        # Points inside the box are always compared, even if their bound is negative.
        chosen = np.flatnonzero(near)
        if len(chosen):
            best[chosen] = np.minimum(best[chosen], tube.distance_um(points_zyx_um[chosen]))
    return best

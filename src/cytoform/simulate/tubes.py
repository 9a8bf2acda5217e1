"""Bent, tapered tubes with round tips: a filopodium or a bleb at one time, with its distance."""

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
    def lines_zyx_um(self) -> list[Float[np.ndarray, "_ 3"]]:
        """The centre line."""
        return [self.line_zyx_um]

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

"""Tubes of the simulators, in µm: a filopodium or a bleb at one time."""

import numpy as np
from jaxtyping import Float

from cytoform.shapes import tubes


class Tube(tubes.Tube):
    """A chain of round cones; points are (z, y, x) in µm."""

    @property
    def lines_zyx_um(self) -> list[Float[np.ndarray, "_ 3"]]:
        """The centre line."""
        return [self.line]

    @property
    def bounds_zyx_um(self) -> Float[np.ndarray, "2 3"]:
        """Box around the tube."""
        return self.bounds

    def distance_um(self, points_zyx_um: Float[np.ndarray, "n 3"]) -> Float[np.ndarray, " n"]:
        """Signed distance in µm; exact for a slight taper and bends wider than the tube."""
        return self.distance(points_zyx_um)

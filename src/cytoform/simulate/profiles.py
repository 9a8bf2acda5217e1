"""Profiles of a dividing cell: an elongating egg, a closing furrow, and two lobes that round off.

Lengths are in radii of a ball of the cell's volume; heights are along the division axis from the cell's centre.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.optimize import brentq

from cytoform.simulate.parameters import ball_radius_um
from cytoform.simulate.polyhedron import ring_angles

Outline = tuple[Float[np.ndarray, " rings"], Float[np.ndarray, " rings"]]


@dataclass(frozen=True)
class Furrow:
    """Geometry of a division: half-length of the elongated cell, height of the furrow, width of the furrow."""

    half_length: float = 1.68
    place: float = 0.0
    width: float = 0.42

    @property
    def share_above(self) -> float:
        """Volume share above the closed furrow."""
        heights = np.linspace(-self.half_length, self.half_length, 4001)
        section = _section(self, heights, stretch=1.0, closing=1.0)
        return float(section[heights > self.place].sum() / section.sum())

    @classmethod
    def for_share(cls, share_above: float) -> "Furrow":
        """The furrow whose upper daughter gets this volume share."""
        place = brentq(lambda place: cls(place=place).share_above - share_above, -1.2, 1.2, xtol=1e-6)
        return cls(place=float(place))

    def side(self, upper: bool) -> "Furrow":
        """The furrow in the coordinates of the upper daughter, or mirrored for the lower one."""
        return self if upper else Furrow(self.half_length, -self.place, self.width)


def _section(
    furrow: Furrow, heights: Float[np.ndarray, " n"], *, stretch: float, closing: float
) -> Float[np.ndarray, " n"]:
    """Squared radius of the cell at heights along its axis."""
    half = 1 + (furrow.half_length - 1) * stretch
    across = 1 / half
    # From an ellipsoid to fuller ends, which the spindle poles push apart.
    power = 2 + 1.2 * stretch
    egg = across * np.maximum(1 - np.abs(heights / half) ** power, 0.0) ** (2 / power)
    # The cross-section of the neck shrinks linearly with `closing`.
    return egg * (1 - closing * np.exp(-(((heights - furrow.place) / furrow.width) ** 2)))


def mother_profile(furrow: Furrow, *, stretch: float, closing: float) -> Outline:
    """Profile of a dividing cell: a ball at stretch 0, fully cut at closing 1."""
    half = 1 + (furrow.half_length - 1) * stretch
    heights = -half * np.cos(ring_angles())
    return heights, np.sqrt(_section(furrow, heights, stretch=stretch, closing=closing))


def lobe_profile(furrow: Furrow, *, roundness: float) -> Outline:
    """Profile of the upper daughter around her centre in her own radii: the cut lobe at roundness 0, a ball at 1."""
    low, high = furrow.place, furrow.half_length
    steps = (1 - np.cos(ring_angles())) / 2
    heights = low + (high - low) * steps
    section = _section(furrow, heights, stretch=1.0, closing=1.0)
    scale, centre = lobe_scale(furrow)
    lobe_heights, lobe_radii = (heights - centre) / scale, np.sqrt(section) / scale
    ball_heights, ball_radii = -np.cos(ring_angles()), np.sin(ring_angles())
    lobe_radii[[0, -1]] = 0.0
    mix = roundness
    return (1 - mix) * lobe_heights + mix * ball_heights, (1 - mix) * lobe_radii + mix * ball_radii


def lobe_scale(furrow: Furrow) -> tuple[float, float]:
    """Radius of a ball with the upper lobe's volume, and height of the lobe's centroid, in radii of the cut cell."""
    heights = np.linspace(furrow.place, furrow.half_length, 2001)
    section = _section(furrow, heights, stretch=1.0, closing=1.0)
    volume = float(section.sum()) * (heights[1] - heights[0]) * np.pi
    centroid = float((section * heights).sum() / section.sum())
    return ball_radius_um(volume), centroid

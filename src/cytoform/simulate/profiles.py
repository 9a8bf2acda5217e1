"""Outlines of a dividing cell: an egg that stretches, a furrow that cuts it, and the two lobes that round off.

All lengths are in radii of a ball of the cell's volume; heights run along the division axis from the cell's centre.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.optimize import brentq

from cytoform.simulate.polyhedron import ring_angles

Outline = tuple[Float[np.ndarray, " rings"], Float[np.ndarray, " rings"]]


@dataclass(frozen=True)
class Furrow:
    """Where and how a cell is cut: half-length of the stretched cell, place of the furrow, width of the furrow."""

    half_length: float = 1.68
    place: float = 0.0
    width: float = 0.42

    @property
    def share_above(self) -> float:
        """Share of the volume beyond the furrow once it has closed."""
        heights = np.linspace(-self.half_length, self.half_length, 4001)
        section = _section(self, heights, stretch=1.0, closing=1.0)
        return float(section[heights > self.place].sum() / section.sum())

    @classmethod
    def for_share(cls, share_above: float) -> "Furrow":
        """The furrow whose upper daughter gets this share of the volume."""
        place = brentq(lambda place: cls(place=place).share_above - share_above, -1.2, 1.2, xtol=1e-6)
        return cls(place=float(place))

    def side(self, upper: bool) -> "Furrow":
        """The same furrow as the upper daughter sees it, or turned over for the lower one."""
        return self if upper else Furrow(self.half_length, -self.place, self.width)


def _section(
    furrow: Furrow, heights: Float[np.ndarray, " n"], *, stretch: float, closing: float
) -> Float[np.ndarray, " n"]:
    """Squared radius of the cell at heights along its axis."""
    half = 1 + (furrow.half_length - 1) * stretch
    across = 1 / half
    # From an ellipsoid to something fuller at its ends, as the two spindle poles push them apart.
    power = 2 + 1.2 * stretch
    egg = across * np.maximum(1 - np.abs(heights / half) ** power, 0.0) ** (2 / power)
    # The area of the neck shrinks steadily with `closing`.
    return egg * (1 - closing * np.exp(-(((heights - furrow.place) / furrow.width) ** 2)))


def mother_profile(furrow: Furrow, *, stretch: float, closing: float) -> Outline:
    """Outline of a cell on its way through division: a ball at stretch 0, cut through at closing 1."""
    half = 1 + (furrow.half_length - 1) * stretch
    heights = -half * np.cos(ring_angles())
    return heights, np.sqrt(_section(furrow, heights, stretch=stretch, closing=closing))


def lobe_profile(furrow: Furrow, *, roundness: float) -> Outline:
    """Outline of the upper daughter around her centre, in her own radii: the cut lobe at roundness 0, a ball at 1."""
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
    """Radius of a ball of the upper lobe's volume and height of its centroid, both in radii of the cut cell."""
    heights = np.linspace(furrow.place, furrow.half_length, 2001)
    section = _section(furrow, heights, stretch=1.0, closing=1.0)
    volume = float(section.sum()) * (heights[1] - heights[0]) * np.pi
    centroid = float((section * heights).sum() / section.sum())
    return (3 * volume / (4 * np.pi)) ** (1 / 3), centroid

"""Profiles of a dividing cell: an elongating egg, a closing furrow, and two lobes that round off.

Lengths are in radii of a ball of the cell's volume; heights are along the division axis from the cell's centre.
"""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float
from scipy.optimize import brentq

from cytoform.simulate.parameters import ball_radius_um
from cytoform.simulate.polyhedron import ring_angles

# By number of dimensions: half-length of the elongated cell, and area (length) of a section of radius 1.
HALF_LENGTHS = {3: 1.68, 2: 1.45}
UNIT_SECTIONS = {3: np.pi, 2: 2.0}
Outline = tuple[Float[np.ndarray, " rings"], Float[np.ndarray, " rings"]]


@dataclass(frozen=True)
class Furrow:
    """Geometry of a division: half-length of the elongated cell, height of the furrow, width of the furrow."""

    half_length: float = 1.68
    place: float = 0.0
    width: float = 0.42
    n_dims: int = 3

    @classmethod
    def of(cls, n_dims: int) -> "Furrow":
        """The furrow of a symmetric division; a cell in an image does not become as thin when it elongates as much."""
        return cls(half_length=HALF_LENGTHS[n_dims], n_dims=n_dims)

    @property
    def share_above(self) -> float:
        """Share of the volume (area) above the closed furrow."""
        heights = np.linspace(-self.half_length, self.half_length, 4001)
        section = self._sizes(heights)
        return float(section[heights > self.place].sum() / section.sum())

    @classmethod
    def for_share(cls, share_above: float, n_dims: int = 3) -> "Furrow":
        """The furrow whose upper daughter gets this share of the volume (area)."""
        middle = cls.of(n_dims)
        most = min(1.2, 0.9 * middle.half_length)
        place = brentq(lambda place: replace(middle, place=place).share_above - share_above, -most, most, xtol=1e-6)
        return replace(middle, place=float(place))

    def side(self, upper: bool) -> "Furrow":
        """The furrow in the coordinates of the upper daughter, or mirrored for the lower one."""
        return self if upper else replace(self, place=-self.place)

    def _sizes(self, heights: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
        """Areas (lengths) of the sections of the cut cell at heights along its axis, in those of radius 1."""
        return _section(self, heights, stretch=1.0, closing=1.0) ** ((self.n_dims - 1) / 2)


def _section(
    furrow: Furrow, heights: Float[np.ndarray, " n"], *, stretch: float, closing: float
) -> Float[np.ndarray, " n"]:
    """Squared radius of the cell at heights along its axis."""
    half = 1 + (furrow.half_length - 1) * stretch
    # The ellipsoid keeps its volume, the ellipse its area.
    across = (1 / half) ** (2 / (furrow.n_dims - 1))
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
    """Radius of a ball (disc) as large as the upper lobe, and height of the lobe's centroid, in radii of the cut cell."""
    heights = np.linspace(furrow.place, furrow.half_length, 2001)
    section = furrow._sizes(heights)
    size = float(section.sum()) * (heights[1] - heights[0]) * UNIT_SECTIONS[furrow.n_dims]
    centroid = float((section * heights).sum() / section.sum())
    return ball_radius_um(size, furrow.n_dims), centroid

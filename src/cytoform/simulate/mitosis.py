"""Cells that grow, round up, elongate, furrow and divide, with exact distances; divisions preserve volume.

In an image, a cell is a polygon instead of a polyhedron, and area takes the place of volume.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float

from cytoform.movies.lineage import Track
from cytoform.simulate.cell import Part, Time
from cytoform.simulate.parameters import ball_radius_um
from cytoform.simulate.polygon import Polygon, mirror
from cytoform.simulate.polyhedron import Polyhedron, revolve
from cytoform.simulate.profiles import Furrow, lobe_profile, mother_profile
from cytoform.simulate.randomness import (
    Drift,
    Warp,
    frame_along,
    smoothstep,
)

# Shares of a cell cycle: rounding up begins this long before division, then elongation, then the furrow; after it,
# daughters round off and part. Rounding up, anaphase and cytokinesis of a C. elegans blastomere take minutes of a
# cycle of 15 to 50 minutes (Bao et al. 2008, Dev. Biol. 318:65).
ROUNDING, ELONGATION, FURROW = 0.34, 0.26, 0.15
ROUNDING_OFF, PARTING = 0.25, 0.12
PARTING_DISTANCE = 0.3  # movement of each of two equal daughters, in radii of their mother
Surface = Polyhedron | Polygon


@dataclass(frozen=True)
class CellBody:
    """One labelled cell at one time: a closed polyhedron or polygon with exact distances."""

    label: int
    surface: Surface
    lines_zyx_um: list[Float[np.ndarray, "_ dims"]] = field(default_factory=list)
    max_slope: float = 1.0

    @property
    def bounds_zyx_um(self) -> Float[np.ndarray, "2 dims"]:
        """Box around the cell."""
        return self.surface.bounds_zyx_um

    def distance_um(self, points_zyx_um: Float[np.ndarray, "n dims"]) -> Float[np.ndarray, " n"]:
        """Exact signed distance, negative inside."""
        return self.surface.distance_um(points_zyx_um)


@dataclass(frozen=True)
class Division:
    """Time of a division (in frames) and position of the furrow along the long axis."""

    frame: float
    furrow: Furrow


@dataclass(frozen=True)
class FamilyMember:
    """A cell from its birth to its division or the end of the movie; times are in frames and continuous."""

    label: int
    parent: int
    birth: float
    share: float  # of the volume (area) of the family
    centre_zyx_um: Float[np.ndarray, " dims"]  # at birth, without the drift of the family
    # Axis of elongation between divisions, and of the division (Hertwig's rule).
    long_axis: Float[np.ndarray, " dims"]
    slenderness: float
    division: Division | None
    # For daughters: axis towards this cell, furrow of the division, and distance to move away.
    axis: Float[np.ndarray, " dims"]
    furrow: Furrow | None = None
    parting_um: float = 0.0


@dataclass(frozen=True)
class MitosisCell:
    """A family of dividing cells: `parts(frame)` and `distance_um(points, frame)` of their union at any time."""

    n_frames: int
    time_step_s: float
    volume_um3: float  # in the middle of the movie; of a cell in an image, its area in µm²
    cycle_frames: float
    growth: float
    irregularity: float
    members: tuple[FamilyMember, ...]
    warp: Warp
    drift: Drift
    n_dims: int = 3

    @property
    def tracks(self) -> tuple[Track, ...]:
        """Tracks of all members; a mother ends one frame before her daughters begin."""
        return tuple(Track(m.label, int(np.ceil(max(m.birth, 0))), self._last_frame(m), m.parent) for m in self.members)

    def volume_at(self, frame: Time) -> float:
        """Volume of the whole family in µm³, or area in µm²; it grows exponentially and divisions do not change it."""
        middle = (self.n_frames - 1) / 2
        return float(self.volume_um3 * self.growth ** ((frame - middle) / self.cycle_frames))

    def parts(self, frame: Time) -> list[Part]:
        """The cells alive at a time; at a division, the daughters."""
        alive = [m for m in self.members if m.birth <= frame and (m.division is None or frame < m.division.frame)]
        return [self._body(member, frame) for member in alive]

    def distance_um(self, points_zyx_um: Float[np.ndarray, "n dims"], frame: Time) -> Float[np.ndarray, " n"]:
        """Exact signed distance to the union of the cells, in the coordinates of the family."""
        return np.min([part.distance_um(points_zyx_um) for part in self.parts(frame)], axis=0)

    def _last_frame(self, member: FamilyMember) -> int:
        return self.n_frames - 1 if member.division is None else int(np.ceil(member.division.frame)) - 1

    def _body(self, member: FamilyMember, frame: Time) -> CellBody:
        volume = member.share * self.volume_at(frame)
        radius, family_radius = (ball_radius_um(size, self.n_dims) for size in (volume, self.volume_um3))
        base, line = self._form(member, frame)
        centre = self.centre_zyx_um(member, frame)
        time_s = frame * self.time_step_s
        restless = self._restlessness(member, frame)
        amplitude_um = self.irregularity * family_radius * (0.35 + 0.65 * restless)
        # Elongation along the axis of the next division (Hertwig's rule) at constant volume.
        slenderness = member.slenderness**restless
        stretch = slenderness ** (-1 / self.n_dims) * (
            np.eye(self.n_dims) + (slenderness - 1) * np.outer(member.long_axis, member.long_axis)
        )

        def place(points: Float[np.ndarray, "n dims"]) -> Float[np.ndarray, "n dims"]:
            # The warp is shared by the family, so that the surfaces of sisters match at their separation.
            placed = centre + radius * points @ stretch
            return placed + amplitude_um * self.warp.shift(placed / family_radius, time_s) + self.drift.at(time_s)

        surface = base.placed(place)
        middle = place(np.zeros((1, self.n_dims)))[0]
        scale = (volume / surface.size) ** (1 / self.n_dims)
        lines = [middle + scale * (place(line) - middle)] if len(line) else []
        return CellBody(member.label, surface.resized(volume, middle), lines)

    def centre_zyx_um(self, member: FamilyMember, frame: Time) -> Float[np.ndarray, " dims"]:
        """Centre of a cell without the drift of the family; sisters move apart after birth."""
        parted = 1 - np.exp((member.birth - frame) / self._frames(PARTING))
        return member.centre_zyx_um + member.parting_um * parted * member.axis

    def _form(self, member: FamilyMember, frame: Time) -> tuple[Surface, Float[np.ndarray, "n dims"]]:
        """The unwarped surface in cell radii around its centre, and the centre line of its neck."""
        division, solid, no_line = member.division, SOLIDS[self.n_dims], np.zeros((0, self.n_dims))
        if division is not None and frame > division.frame - self._frames(ELONGATION):
            ahead = division.frame - frame
            stretch = smoothstep((self._frames(ELONGATION) - ahead) / self._frames(ELONGATION - FURROW / 2))
            closing = 1 - min(ahead / self._frames(FURROW), 1.0)
            heights, radii = mother_profile(division.furrow, stretch=stretch, closing=closing)
            line = heights[4:-4, None] * member.long_axis
            return solid(heights, radii, member.long_axis), line if closing > 0 else no_line
        if member.furrow is not None:
            roundness = smoothstep((frame - member.birth) / self._frames(ROUNDING_OFF))
            heights, radii = lobe_profile(member.furrow, roundness=roundness)
            return solid(heights, radii, member.axis), no_line
        heights, radii = mother_profile(Furrow.of(self.n_dims), stretch=0.0, closing=0.0)
        return solid(heights, radii, member.axis), no_line

    def _restlessness(self, member: FamilyMember, frame: Time) -> float:
        """1 between divisions, 0 for a rounded cell."""
        restless = 1.0
        if member.division is not None:
            restless = smoothstep(
                (member.division.frame - self._frames(ELONGATION) - frame) / self._frames(ROUNDING - ELONGATION)
            )
        if member.furrow is not None:
            restless = min(restless, smoothstep((frame - member.birth) / self._frames(1.6 * ROUNDING_OFF)))
        return restless

    def _frames(self, share_of_cycle: float) -> float:
        return max(share_of_cycle * self.cycle_frames, 0.5)


def _revolve(
    heights: Float[np.ndarray, " rings"], radii: Float[np.ndarray, " rings"], axis: Float[np.ndarray, " 3"]
) -> Polyhedron:
    return revolve(heights, radii, frame_along(axis))


# By number of dimensions: the body with a profile around an axis.
SOLIDS: dict[int, Callable[..., Surface]] = {3: _revolve, 2: mirror}

"""Protrusions followed over time: roots are linked about the centroid of the body, branches by their place and their tip.

Linking is the assignment of least cost (SciPy's `linear_sum_assignment`) from frame to frame; one frame may be missing.
Where a branch has grown longer than the rest of its parent, the two have changed roles in the curves of that frame; a
track keeps the tip that it had.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from jaxtyping import Float

from cytoform.protrusions.curves import Curve

# The farthest that a root or a tip may move from one frame to the next, as a share of the body's radius; and how many
# frames in a row may miss a protrusion.
GATE_SHARE, MISSING = 0.4, 1
TIP_WEIGHT = 0.25  # of the distance between curves, beside the distance between roots
TURN = 0.5  # how much nearer the tip of a branch has to be before it takes the role of its parent


@dataclass
class Track:
    """One protrusion or branch over time."""

    label: int  # from 1, unique in its sequence
    parent: int | None  # the track that it branches from
    curves: dict[int, Curve] = field(default_factory=dict)  # by frame

    @property
    def first(self) -> int:
        """The first frame."""
        return min(self.curves)

    @property
    def last(self) -> int:
        """The last frame."""
        return max(self.curves)


def follow(
    frames: Sequence[list[Curve]], centres_zyx_um: Float[np.ndarray, "frames dims"], body_radius_um: float
) -> list[Track]:
    """Link the curves of a sequence; parents come before their branches. `centres_zyx_um` are the centroids of the body."""
    linker = _Linker(GATE_SHARE * body_radius_um)
    for number, (curves, centre) in enumerate(zip(frames, centres_zyx_um, strict=True)):
        linker.link(number, curves, centre)
    return linker.tracks


@dataclass
class _Linker:
    gate_um: float
    tracks: list[Track] = field(default_factory=list)
    centres: dict[int, Float[np.ndarray, " dims"]] = field(default_factory=dict)

    def link(self, frame: int, curves: list[Curve], centre: Float[np.ndarray, " dims"]) -> None:
        """Continue tracks with the curves of the next frame, and begin new ones."""
        self.centres[frame] = centre
        curves = list(curves)
        pairs = self._assigned(None, frame, curves)
        while pairs:
            for number, track in pairs:
                if track.curves:
                    self._keep_tip(track, frame, curves, number)
            for number, track in pairs:
                track.curves[frame] = curves[number]
            # Branches after their parents, which may just have exchanged roles with one of them.
            pairs = [pair for number, track in pairs for pair in self._assigned(track, frame, curves, number)]

    def _assigned(
        self, parent: Track | None, frame: int, curves: list[Curve], parent_curve: int | None = None
    ) -> list[tuple[int, Track]]:
        """The curves on the body, or the branches of a parent, each with its track: one that it continues or a new one."""
        from scipy.optimize import linear_sum_assignment

        label = None if parent is None else parent.label
        numbers = [n for n, curve in enumerate(curves) if curve.parent == parent_curve]
        alive = [t for t in self.tracks if t.parent == label and 0 < frame - t.last <= 1 + MISSING]
        cost = np.array([[self._cost(track, curves[n], frame) for track in alive] for n in numbers])
        partner: dict[int, Track] = {}
        if cost.size:
            rows, columns = linear_sum_assignment(np.minimum(cost, 1e3 * self.gate_um))
            good = cost[rows, columns] <= self.gate_um
            partner = {numbers[r]: alive[c] for r, c in zip(rows[good], columns[good], strict=True)}
        return [(n, partner.get(n) or self._begin(label)) for n in numbers]

    def _begin(self, parent: int | None) -> Track:
        self.tracks.append(Track(len(self.tracks) + 1, parent))
        return self.tracks[-1]

    def _cost(self, track: Track, curve: Curve, frame: int) -> float:
        before = track.curves[track.last]
        moved = self.centres[frame] - self.centres[track.last]
        if curve.parent is None:
            start = float(np.linalg.norm(curve.line_zyx_um[0] - before.line_zyx_um[0] - moved))
            if start > self.gate_um:
                return np.inf
            return start + TIP_WEIGHT * _apart(before, curve, moved)
        return abs(curve.at_um - before.at_um) / 2 + _apart(before, curve, moved)

    def _keep_tip(self, track: Track, frame: int, curves: list[Curve], number: int) -> None:
        """Let a branch take the role of its parent where it leads to the tip that the track had."""
        before = track.curves[track.last]
        tip = before.line_zyx_um[-1] + self.centres[frame] - self.centres[track.last]
        branches = [n for n, c in enumerate(curves) if c.parent == number]
        distances = [float(np.linalg.norm(curves[n].line_zyx_um[-1] - tip)) for n in (number, *branches)]
        nearest = int(np.argmin(distances))
        if nearest and distances[nearest] < TURN * distances[0]:
            _exchange(curves, number, branches[nearest - 1])


def _apart(before: Curve, curve: Curve, moved: Float[np.ndarray, " dims"]) -> float:
    """Mean distance of two curves at equal arc lengths, as far as the shorter one reaches."""
    stops = np.linspace(0, min(before.length_um, curve.length_um), 8)
    a, b = (
        np.stack([np.interp(stops, c.arc_um, places) for places in c.line_zyx_um.T], axis=1) for c in (before, curve)
    )
    return float(np.linalg.norm(b - a - moved, axis=1).mean())


def _exchange(curves: list[Curve], parent: int, branch: int) -> None:
    """The branch becomes the continuation of the parent, and the rest of the parent a branch, in place."""
    main, side = curves[parent], curves[branch]
    cut = int(np.argmin(np.abs(main.arc_um - side.at_um)))
    if cut == 0 or cut >= len(main.line_zyx_um) - 1:
        return
    for number, curve in enumerate(curves):
        if number in {parent, branch}:
            continue
        if curve.parent == branch:
            curves[number] = replace(curve, parent=parent, at_um=curve.at_um + side.at_um)
        elif curve.parent == parent and curve.at_um > side.at_um:
            curves[number] = replace(curve, parent=branch, at_um=curve.at_um - side.at_um)
    line = np.concatenate([main.line_zyx_um[:cut], side.line_zyx_um])
    radii = np.concatenate([main.radii_um[:cut], side.radii_um])
    curves[branch] = replace(side, line_zyx_um=main.line_zyx_um[cut:], radii_um=main.radii_um[cut:])
    curves[parent] = replace(main, line_zyx_um=line, radii_um=radii)

"""Protrusions between two frames, as tubes: each follows its curve from one frame to the other.

Curves of one track are averaged at equal arc lengths, since a protrusion grows at its tip. A protrusion that only one frame
shows has grown from its root, or withdraws to it, at the speed of the others.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float

from cytoform.protrusions.curves import Curve
from cytoform.protrusions.decompose import mean_radius_um
from cytoform.protrusions.parts import PartsOfFrame
from cytoform.protrusions.tracks import Track, follow
from cytoform.protrusions.tubes import DEPTH_RADII
from cytoform.shapes.tubes import Tube

Points = Float[np.ndarray, "n dims"]
SPEED_QUANTILE = 0.9  # of the changes in length: protrusions that grow or withdraw all the time between the frames
LEAST_STEPS = 1.5  # shorter protrusions are left out, in steps of the line


def tubes_between(before: PartsOfFrame, after: PartsOfFrame, share: float, step_um: float) -> list[Tube]:
    """Tubes at `share` of the way from one frame to the other, with lines in steps of `step_um`; points (z, y, x) in µm."""
    centres = np.stack([before.centre_zyx_um, after.centre_zyx_um])
    tracks = follow(
        [before.curves, after.curves], centres, mean_radius_um([before.body_um3, after.body_um3], centres.shape[1])
    )
    return list(_Between(tracks, share, step_um).tubes())


@dataclass(frozen=True)
class _Between:
    tracks: list[Track]
    share: float
    step_um: float

    def tubes(self) -> Iterator[Tube]:
        """The tubes, parents before their branches."""
        found: dict[int, Curve] = {}
        speed_um = self._speed_um()
        for track in self.tracks:
            if len(track.curves) == 2:
                curve = self._averaged(track.curves[0], track.curves[1])
            else:
                curve = self._grown(track, speed_um)
                if track.parent is not None:
                    parent = found.get(track.parent)
                    if parent is None or curve.at_um > parent.length_um:
                        continue  # its parent has not grown so far
                    curve = replace(
                        curve, line_zyx_um=curve.line_zyx_um - curve.line_zyx_um[0] + _at(parent, curve.at_um)
                    )
            if curve.length_um >= LEAST_STEPS * self.step_um:
                found[track.label] = curve
                yield _tube_of(curve, on_body=track.parent is None)

    def _speed_um(self) -> float:
        """How much a protrusion grows or withdraws from one frame to the other."""
        both = [abs(t.curves[1].length_um - t.curves[0].length_um) for t in self.tracks if len(t.curves) == 2]
        return float(np.quantile(both, SPEED_QUANTILE)) if both else 0.0

    def _averaged(self, before: Curve, after: Curve) -> Curve:
        """The mean at equal arc lengths; beyond the tip of the shorter curve, the longer one moved as at that tip."""
        (short, weight), (long, _) = sorted(
            [(before, 1 - self.share), (after, self.share)], key=lambda each: each[0].length_um
        )
        stops = self._stops(weight * short.length_um + (1 - weight) * long.length_um)
        common = np.minimum(stops, short.length_um)
        moved = _at(short, common) - _at(long, common)
        radii = weight * _radii(short, stops) + (1 - weight) * _radii(long, stops)
        at_um = weight * short.at_um + (1 - weight) * long.at_um
        return Curve(_at(long, stops) + weight * moved, radii, long.normal_zyx, long.parent, at_um)

    def _grown(self, track: Track, speed_um: float) -> Curve:
        """The part of a curve of one frame that is there already, or still."""
        ((frame, curve),) = track.curves.items()
        away = self.share if frame == 0 else 1 - self.share
        stops = self._stops(max(curve.length_um - away * max(speed_um, curve.length_um), 0.0))
        return replace(curve, line_zyx_um=_at(curve, stops), radii_um=_radii(curve, stops))

    def _stops(self, length_um: float) -> Float[np.ndarray, " stops"]:
        return np.linspace(0, length_um, max(int(np.ceil(length_um / self.step_um)), 1) + 1)


def _tube_of(curve: Curve, *, on_body: bool) -> Tube:
    """The tube of a curve. It ends a radius before the tip, since its end is round, and begins below the body's surface."""
    arc, length = curve.arc_um, curve.length_um
    end = max(length - float(curve.radii_um[-1]), 0.1 * length)
    stops = np.append(arc[arc < end], end)
    line = _at(curve, stops)
    radii = np.minimum(_radii(curve, stops), length)  # a tip that has hardly grown does not stick out of the body
    if on_body:
        inwards = line[0] - line[min(3, len(line) - 1)]
        inwards /= max(float(np.linalg.norm(inwards)), 1e-9)
        line = np.vstack([line[0] + DEPTH_RADII * radii[0] * inwards, line])
        radii = np.concatenate([radii[:1], radii])
    return Tube(line, radii)


def _at(curve: Curve, stops: float | Float[np.ndarray, " stops"]) -> Float[np.ndarray, "..."]:
    """Points at arc lengths."""
    return np.stack([np.interp(stops, curve.arc_um, places) for places in curve.line_zyx_um.T], axis=-1)


def _radii(curve: Curve, stops: Float[np.ndarray, " stops"]) -> Float[np.ndarray, " stops"]:
    return np.interp(stops, curve.arc_um, curve.radii_um)

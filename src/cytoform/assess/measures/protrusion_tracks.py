"""Protrusions as objects over time: figures of the centre lines of `cytoform.protrusions` and of their tracks.

A cell is taken apart into a body, by an opening with a ball, and centre lines outside it. The protrusions that start on the
body are followed from frame to frame; a branch belongs to its protrusion.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from jaxtyping import Float

from cytoform.assess.measures.descriptors import Descriptor
from cytoform.protrusions.decompose import mean_radius_um, parts_of
from cytoform.protrusions.parts import PartsOfFrame
from cytoform.protrusions.tracks import Track, follow
from cytoform.shapes.box import BoxedField

CENTRE_LINES = "centre lines outside the opened body (Sato et al. 2000)"
TRACKS = "roots linked from frame to frame (Kuhn 1955), one frame may be missing"
GROWTH = "mean of the {} of the length of a protrusion on the body, over frames in which it {}"
FRAME_PROTRUSIONS = {
    "protrusions_on_body": Descriptor(
        "Protrusions on the body", "", "centre lines that start on the body, in a frame", CENTRE_LINES
    ),
    "protrusions_and_branches": Descriptor(
        "Protrusions with their branches", "", "all centre lines in a frame", CENTRE_LINES
    ),
    "lengths_total_um": Descriptor(
        "Length of all protrusions", "µm", "sum of the lengths of all centre lines, branches included", CENTRE_LINES
    ),
    "lengths_longest_um": Descriptor(
        "Length of the longest protrusion",
        "µm",
        "length of the longest centre line on the body, 0 without",
        CENTRE_LINES,
    ),
    "protrusion_radius_um": Descriptor(
        "Radius of protrusions",
        "µm",
        "mean over centre lines of the radius of a tube of the same volume",
        "voxels nearest to each place of a line",
    ),
    "root_distance_um": Descriptor(
        "Distance to the nearest root",
        "µm",
        "mean over the roots on the body of the straight distance to the nearest other root of the frame",
        "this project",
    ),
}
SEQUENCE_PROTRUSIONS = {
    "lifetime_frames": Descriptor(
        "Lifetime in frames", "", "mean number of frames from the first to the last of a protrusion on the body", TRACKS
    ),
    "lifetime_s": Descriptor("Lifetime", "s", "lifetime in frames times the time step", TRACKS),
    "cut_off_share": Descriptor(
        "Lifetimes cut off", "", "share of the protrusions on the body that are in the first or the last frame", TRACKS
    ),
    "seen_once_share": Descriptor(
        "Seen once",
        "",
        "share of the protrusions on the body that are seen in a single frame; not of those in the first or last frame alone",
        TRACKS,
    ),
    "growth_um_per_frame": Descriptor(
        "Growth a frame", "µm", GROWTH.format("increase from frame to frame", "grows"), TRACKS
    ),
    "growth_um_per_min": Descriptor(
        "Speed of growth", "µm/min", "growth a frame over the time step in minutes", TRACKS
    ),
    "withdrawal_um_per_frame": Descriptor(
        "Withdrawal a frame", "µm", GROWTH.format("decrease from frame to frame", "shrinks"), TRACKS
    ),
    "withdrawal_um_per_min": Descriptor(
        "Speed of withdrawal", "µm/min", "withdrawal a frame over the time step in minutes", TRACKS
    ),
}
PROTRUSION_MEASURES = {**FRAME_PROTRUSIONS, **SEQUENCE_PROTRUSIONS}
# Where the time step is known, the second of each pair says the same in the unit of time.
IN_TIME = {
    "lifetime_frames": "lifetime_s",
    "growth_um_per_frame": "growth_um_per_min",
    "withdrawal_um_per_frame": "withdrawal_um_per_min",
}


@dataclass(frozen=True)
class FrameProtrusions:
    """Figures of one frame, a field for each of FRAME_PROTRUSIONS; all are NaN where the frame has no body."""

    protrusions_on_body: float = math.nan
    protrusions_and_branches: float = math.nan
    lengths_total_um: float = math.nan
    lengths_longest_um: float = math.nan
    protrusion_radius_um: float = math.nan
    root_distance_um: float = math.nan

    @classmethod
    def of(cls, parts: PartsOfFrame) -> "FrameProtrusions":
        """Figures of a frame that has been taken apart; radius and distance are NaN with too few protrusions."""
        if parts.n_bodies == 0:
            return cls()
        on_body = [curve for curve in parts.curves if curve.parent is None]
        return cls(
            protrusions_on_body=float(len(on_body)),
            protrusions_and_branches=float(len(parts.curves)),
            lengths_total_um=float(sum(curve.length_um for curve in parts.curves)),
            lengths_longest_um=max((curve.length_um for curve in on_body), default=0.0),
            protrusion_radius_um=_mean([curve.radius_um for curve in parts.curves]),
            root_distance_um=_nearest_um([curve.line_zyx_um[0] for curve in on_body]),
        )


@dataclass(frozen=True)
class TrackedProtrusions:
    """Figures of a sequence, a field for each of SEQUENCE_PROTRUSIONS, and of its frames; NaN where undefined.

    Lifetimes, speeds and shares are over protrusions on the body. A sequence of one frame has none of them, and no tracks.
    """

    frames: tuple[FrameProtrusions, ...]
    lifetime_frames: float = math.nan
    lifetime_s: float = math.nan
    cut_off_share: float = math.nan
    seen_once_share: float = math.nan
    growth_um_per_frame: float = math.nan
    growth_um_per_min: float = math.nan
    withdrawal_um_per_frame: float = math.nan
    withdrawal_um_per_min: float = math.nan
    tracks: tuple[Track, ...] = field(default=(), repr=False, compare=False)  # branches included

    @classmethod
    def of(cls, frames: Sequence[PartsOfFrame], *, time_step_s: float | None) -> "TrackedProtrusions":
        """Follow the protrusions of a sequence that has been taken apart frame by frame."""
        of_frames = tuple(map(FrameProtrusions.of, frames))
        bodies_um3 = [frame.body_um3 for frame in frames if frame.n_bodies]
        if len(frames) < 2 or not bodies_um3:
            return cls(of_frames)
        centres_zyx_um = np.stack([frame.centre_zyx_um for frame in frames])
        radius_um = mean_radius_um(bodies_um3, centres_zyx_um.shape[1])
        found = follow([frame.curves for frame in frames], centres_zyx_um, radius_um)
        tracks, ends = [track for track in found if track.parent is None], (0, len(frames) - 1)
        changes_um = [change for track in tracks for change in _changes_um(track)]
        lifetime = _mean([track.last - track.first + 1 for track in tracks])
        growth = _mean([change for change in changes_um if change > 0])
        withdrawal = _mean([-change for change in changes_um if change < 0])
        step_s = math.nan if time_step_s is None else time_step_s
        return cls(
            frames=of_frames,
            lifetime_frames=lifetime,
            lifetime_s=lifetime * step_s,
            cut_off_share=_mean([track.first in ends or track.last in ends for track in tracks]),
            # The movie may have cut off one that is seen in its first or last frame only.
            seen_once_share=_mean([len(t.curves) == 1 for t in tracks if not (t.first == t.last and t.first in ends)]),
            growth_um_per_frame=growth,
            growth_um_per_min=growth * 60 / step_s,
            withdrawal_um_per_frame=withdrawal,
            withdrawal_um_per_min=withdrawal * 60 / step_s,
            tracks=tuple(found),
        )


@dataclass(frozen=True)
class TakenApart:
    """A frame as a body, None where it has none, and protrusions."""

    parts: PartsOfFrame
    body: BoxedField | None

    @classmethod
    def of(cls, field: BoxedField, radius_um: float) -> "TakenApart":
        """Take a frame, which may be empty, apart with a ball of `radius_um`."""
        if field.is_empty:
            return cls(PartsOfFrame([], 0.0, 0.0, np.full(field.grid.n_dims, field.grid.half_extent_um), 0), None)
        parts, body = parts_of(field, radius_um)
        return cls(parts, body if parts.n_bodies else None)


def _changes_um(track: Track) -> list[float]:
    """Changes of the length a frame, from each frame in which it is seen to the next."""
    return [
        (track.curves[after].length_um - track.curves[before].length_um) / (after - before)
        for before, after in pairwise(sorted(track.curves))
    ]


def _nearest_um(points_um: Sequence[Float[np.ndarray, " dims"]]) -> float:
    """Mean distance of each point to the nearest other one; NaN of fewer than two."""
    from scipy.spatial import cKDTree

    if len(points_um) < 2:
        return math.nan
    points = np.stack(points_um)
    distances, _ = cKDTree(points).query(points, k=[2])  # the first is the point itself
    return float(np.mean(distances))


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values)) if values else math.nan

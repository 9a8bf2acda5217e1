"""Cell families of a movie: their labels, bounding boxes and centroids, and which cannot be used."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from cytoform.base.triples import Slices, Triple, triple
from cytoform.errors import EmptyFrame, InputError
from cytoform.movies.extents import LabelExtent, LabelExtents, box_from_bounds, cut_axes, cut_axes_of_box, fingerprint
from cytoform.movies.lineage import Track, TrackFamily
from cytoform.movies.movie import LabelMovie
from cytoform.movies.oddities import Cause, Fault, notices_of, renumbered
from cytoform.movies.survey import Keep, Survey, survey

# What to do with families of a kind that is usually wrong.
Treatment = Literal["leave-out", "keep"]
# What to do with families that are wrong in some frames; "trim" keeps their longest stretch of other frames.
FrameTreatment = Literal["leave-out", "keep", "trim"]


@dataclass(frozen=True)
class FamilyFrame:
    """A family in one frame: the labels of its living members; none in a frame that is a gap."""

    labels: tuple[int, ...]
    # A box for each label, and the box around all.
    boxes_zyx: tuple[Slices, ...]
    box_zyx: Slices
    # Mean of the voxel centres, from the corner of the volume.
    centroid_zyx_um: Triple
    n_voxels: int


@dataclass(frozen=True)
class Family:
    """A cell with all its descendants, frame by frame from frame `first` on."""

    root: int
    name: str
    first: int
    frames: tuple[FamilyFrame, ...]

    @property
    def last(self) -> int:
        """Last frame of the family, counted in the movie."""
        return self.first + len(self.frames) - 1

    def at(self, frame: int) -> FamilyFrame:
        """The family in a frame of the movie (not counted from `first`)."""
        if not self.first <= frame <= self.last:
            raise IndexError(f"frame {frame} of a family of frames {self.first} to {self.last}")
        return self.frames[frame - self.first]


@dataclass(frozen=True)
class LeftOut:
    """A family that cannot be used, with the reason."""

    root: int
    name: str
    reason: str
    cause: Cause = Cause.DATA
    # File and frame where it shows.
    where: str = ""


@dataclass(frozen=True)
class FamilySearch:
    """The families of a movie: usable ones, and excluded ones with the reason; and facts about its labels."""

    families: tuple[Family, ...]
    left_out: tuple[LeftOut, ...]
    # One line for each oddity, with file, frame and label.
    notices: tuple[str, ...] = ()
    n_labels: int = 0
    # Labels that are there in at least two frames.
    n_lasting: int = 0
    # A number for each used frame with cells: equal for equal shapes at equal places.
    fingerprints: tuple[int, ...] = ()


def find_families(
    movie: LabelMovie,
    *,
    frames: int | None = None,
    min_frames: int = 1,
    keep: Keep = lambda frame, labels, boxes_zyx: None,
    border: FrameTreatment = "leave-out",
    jumps: Treatment = "leave-out",
    gaps: FrameTreatment = "leave-out",
) -> FamilySearch:
    """Find all families in one pass over the frames; use at most the first `frames` of each.

    With a lineage, every track without a mother founds a family. Without one, every label is a family of one. Left out and
    listed are families that touch the border of the volume in a used frame (unless `border` is "keep"), labels without
    a lineage that jump to the place of another label (unless `jumps` is "keep"), families without a member or one of its
    labels in some frame (unless `gaps` is "keep"), families of fewer than `min_frames` frames, and labels that are in no
    track. Where `border` or `gaps` is "trim", the frames in use are the longest stretch without that fault. `keep` is called
    with every frame that is read. Raises InputError for grey values, EmptyFrame for a movie without foreground.
    """
    if frames is not None and frames < 1:
        raise InputError(f"--frames {frames}: at least one is needed")
    found = survey(movie, frames=frames, keep=keep)
    if not any(found.extents):
        raise EmptyFrame(f"{movie.source}: no foreground in any frame; give a movie with labelled cells")
    jumping = renumbered(movie, found) if movie.lineage is None and jumps == "leave-out" else {}
    alone = movie.lineage is None and len(found.lineage.tracks) == 1
    families: list[Family] = []
    left_out: list[LeftOut] = []
    trimmed: list[tuple[Family, int]] = []
    for tracks in found.lineage.families():
        root = tracks.root.label
        name = movie.name if alone else f"{movie.name}_{movie.value(root):05d}"
        whole = range(tracks.first, tracks.last + 1)[:frames]
        used = _stretch(movie, tracks, whole, found.extents, border=border == "trim", gaps=gaps == "trim")
        fault = _fault(movie, tracks, used, found.extents)
        if gaps == "keep" and used[-1] < movie.n_frames and any(_known(tracks, used, found.extents)):
            fault = None
        fault = fault or jumping.get(root)
        if fault is None and border != "keep":
            fault = _cut(movie, tracks, used, found.extents)
        fault = fault or _too_short(used, min_frames)
        if fault is None:
            families.append(_family(movie, tracks, used, found.extents, name=name))
            if len(used) < len(whole):
                trimmed.append((families[-1], len(whole)))
        else:
            left_out.append(LeftOut(root, name, fault.reason, fault.cause, movie.where(fault.frame)))
    lifetimes = found.lifetimes()
    return FamilySearch(
        families=tuple(families),
        left_out=(*left_out, *_strangers(movie, found)),
        notices=(*notices_of(movie, found, told=jumping), *_kept_cut(movie, families), *_trimmed(movie, trimmed)),
        n_labels=len(lifetimes),
        n_lasting=sum(count > 1 for count in lifetimes.values()),
        fingerprints=tuple(fingerprint(extents) for extents in found.extents if extents),
    )


def _stretch(
    movie: LabelMovie,
    tracks: TrackFamily,
    frames: range,
    extents: Sequence[LabelExtents],
    *,
    border: bool,
    gaps: bool,
) -> range:
    """The longest stretch of frames with all members (`gaps`) that the border does not cut (`border`); all without any."""
    if frames[-1] >= movie.n_frames:
        return frames
    known = _known(tracks, frames, extents)
    best = frames[:0]
    start = 0
    for place, frame in enumerate(frames):
        if (gaps and not known[place]) or (border and _touched(movie, tracks, frame, extents)):
            start = place + 1
        best = max(best, frames[start : place + 1], key=len)
    return best or frames


def _too_short(frames: range, least: int) -> Fault | None:
    if len(frames) >= least:
        return None
    counted = f"{len(frames)} frame{'s' * (len(frames) != 1)}"
    return Fault(f"{counted} from frame {frames[0]} on, fewer than {least}", frames[0], Cause.SHORT)


def _fault(movie: LabelMovie, tracks: TrackFamily, frames: range, extents: Sequence[LabelExtents]) -> Fault | None:
    """A frame in which the family has no member, or a member no voxels."""
    if frames[-1] >= movie.n_frames:
        track = next(track for track in tracks.tracks if track.last >= movie.n_frames)
        return Fault(
            f"the track of label {movie.value(track.label)} runs to frame {track.last} but the movie has the frames 0 to "
            f"{movie.n_frames - 1}",
            movie.n_frames - 1,
        )
    for frame in frames:
        alive = [track for track in tracks.tracks if track.first <= frame <= track.last]
        if not alive:
            return Fault(f"no member in frame {frame}", frame)
        for track in alive:
            if track.label not in extents[frame]:
                return Fault(_absence(movie, track, frame, is_empty=not extents[frame]), frame)
    return None


def _absence(movie: LabelMovie, track: Track, frame: int, *, is_empty: bool) -> str:
    label, span = f"label {movie.value(track.label)}", f"from frame {track.first} to {track.last}"
    if is_empty:
        return f"no foreground in frame {frame} although {label} is there {span}"
    presence = "it is there" if movie.lineage is None else "its track runs"
    return f"{label} has {movie.absent} in frame {frame} although {presence} {span}"


def _touched(
    movie: LabelMovie, tracks: TrackFamily, frame: int, extents: Sequence[LabelExtents]
) -> dict[int, tuple[int, ...]]:
    """Members that touch the border of the volume in a frame, with the axes along which they do."""
    seen = {label: extents[frame][label] for label in tracks.labels_in(frame) if label in extents[frame]}
    return {label: axes for label, extent in seen.items() if (axes := cut_axes(extent, movie.shape_zyx))}


def _cut(movie: LabelMovie, tracks: TrackFamily, frames: range, extents: Sequence[LabelExtents]) -> Fault | None:
    """The first frame in which the border of the volume cuts the family."""
    first: tuple[int, int] | None = None
    axes: set[int] = set()
    for frame in frames:
        for label, touched in _touched(movie, tracks, frame, extents).items():
            first = first or (label, frame)
            axes.update(touched)
    if first is None:
        return None
    reason = f"label {movie.value(first[0])} is cut by the border in frame {first[1]}"
    return Fault(reason, first[1], Cause.DEPTH if axes == {0} else Cause.BORDER)


def _kept_cut(movie: LabelMovie, families: Sequence[Family]) -> list[str]:
    """A notice about families that are kept although the border cuts them."""
    cut = [
        (family.name, frame)
        for family in families
        for frame, at in enumerate(family.frames, family.first)
        if cut_axes_of_box(at.box_zyx, movie.shape_zyx)
    ]
    if not cut:
        return []
    name, frame = cut[0]
    number = len({name for name, _ in cut})
    return [
        f"{movie.where(frame)}: the border cuts {name}{f' and {number - 1} more' * (number > 1)}, kept on request; cut "
        f"{movie.terms.side}s count as {movie.terms.boundary} and {movie.terms.size}s are too small"
    ]


def _trimmed(movie: LabelMovie, trimmed: Sequence[tuple[Family, int]]) -> list[str]:
    """A notice about families of which only a stretch of frames is kept; each with the number of frames before."""
    if not trimmed:
        return []
    family, n_frames = trimmed[0]
    more = f", and {len(trimmed) - 1} more are trimmed" if len(trimmed) > 1 else ""
    return [
        f"{movie.where(family.first)}: {family.name} is trimmed to frames {family.first} to {family.last}, "
        f"{len(family.frames)} of {n_frames}{more}; other frames are cut by the border or lack a mask"
    ]


def _strangers(movie: LabelMovie, found: Survey) -> list[LeftOut]:
    """Labels that are in no track."""
    known = {track.label for track in found.lineage.tracks}
    first: dict[int, int] = {}
    for frame, extents in enumerate(found.extents):
        for label in extents.keys() - known:
            first.setdefault(label, frame)
    return [
        LeftOut(
            label,
            f"{movie.name}_{movie.value(label):05d}",
            f"label {movie.value(label)} in frame {frame} is in no track",
            where=movie.where(frame),
        )
        for label, frame in sorted(first.items())
    ]


def _known(tracks: TrackFamily, frames: range, extents: Sequence[LabelExtents]) -> list[bool]:
    """In which frames of the family all its living members are there."""
    members = {frame: tracks.labels_in(frame) for frame in frames}
    return [bool(here) and extents[frame].keys() >= set(here) for frame, here in members.items()]


def _family(
    movie: LabelMovie, tracks: TrackFamily, used: range, extents: Sequence[LabelExtents], *, name: str
) -> Family:
    known = _known(tracks, used, extents)
    frames: list[FamilyFrame] = []
    for frame, is_known in zip(used, known, strict=True):
        # A gap lies where the family was before, or before its first known frame where it will be.
        seen = frame if is_known else used[known.index(True)]
        if is_known or not frames:
            labels = tracks.labels_in(seen)
            frames.append(_union(labels, [extents[seen][label] for label in labels], movie.spacing_zyx_um))
        else:
            frames.append(frames[-1])
        if not is_known:
            frames[-1] = replace(frames[-1], labels=(), boxes_zyx=(), n_voxels=0)
    return Family(tracks.root.label, name, used[0], tuple(frames))


def _union(labels: tuple[int, ...], parts: list[LabelExtent], spacing_zyx_um: Triple) -> FamilyFrame:
    n_voxels = sum(part.n_voxels for part in parts)
    lows = np.min([[side.start for side in part.box_zyx] for part in parts], axis=0)
    highs = np.max([[side.stop for side in part.box_zyx] for part in parts], axis=0)
    mean = np.average([part.centroid_voxels for part in parts], axis=0, weights=[part.n_voxels for part in parts])
    return FamilyFrame(
        labels=labels,
        boxes_zyx=tuple(part.box_zyx for part in parts),
        box_zyx=box_from_bounds(np.stack([lows, highs - 1], axis=1).ravel()),
        centroid_zyx_um=triple((mean + 0.5) * spacing_zyx_um),
        n_voxels=n_voxels,
    )

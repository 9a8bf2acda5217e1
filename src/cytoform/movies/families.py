"""Cell families of a movie: their labels, bounding boxes and centroids, and which touch the border."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import cc3d
import numpy as np

from cytoform.base.triples import Slices, Triple, triple
from cytoform.errors import EmptyFrame, InputError
from cytoform.movies.lineage import Lineage, Track, TrackFamily
from cytoform.movies.movie import LabelMovie, Labels


@dataclass(frozen=True)
class FamilyFrame:
    """A family in one frame: the labels of its living members."""

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


@dataclass(frozen=True)
class FamilySearch:
    """The families of a movie: usable ones, and excluded ones with the reason."""

    families: tuple[Family, ...]
    left_out: tuple[LeftOut, ...]


@dataclass(frozen=True)
class _LabelExtent:
    """A label in one frame."""

    box_zyx: Slices
    n_voxels: int
    centroid_voxels: Triple


LabelExtents = Mapping[int, _LabelExtent]
# Called with the number of a frame, its labels, and the bounding boxes of the labels that families use in it.
Keep = Callable[[int, Labels, Mapping[int, Slices]], object]


def find_families(
    movie: LabelMovie, *, frames: int | None = None, keep: Keep = lambda frame, labels, boxes_zyx: None
) -> FamilySearch:
    """Find all families in one pass over the frames; use at most the first `frames` of each.

    With a lineage, every track without a mother founds a family. Without one, every label is a family of one. Families
    that touch the border of the volume in a used frame, or have no member in some frame, are left out and listed.
    `keep` is called with every used frame. Raises InputError for a label missing inside its track, EmptyFrame for a
    frame without foreground.
    """
    if frames is not None and frames < 1:
        raise InputError(f"--frames {frames}: at least one is needed")
    if movie.lineage is None:
        extents = _measure_untracked(movie, frames, keep)
        lineage = _lineage_of_presence(movie, extents)
    else:
        lineage = movie.lineage
        _check_length(movie, lineage)
        extents = _measure_tracked(movie, lineage, frames, keep)
    alone = movie.lineage is None and len(lineage.tracks) == 1
    found: list[Family] = []
    left_out: list[LeftOut] = []
    for tracks in lineage.families():
        name = movie.name if alone else f"{movie.name}_{tracks.root.label:05d}"
        last = tracks.last if frames is None else min(tracks.last, tracks.first + frames - 1)
        if reason := _reason_to_leave_out(movie, tracks, last, extents):
            left_out.append(LeftOut(tracks.root.label, name, reason))
        else:
            found.append(_family(movie, tracks, last, extents, name=name))
    return FamilySearch(tuple(found), tuple(left_out))


def _measure_untracked(movie: LabelMovie, frames: int | None, keep: Keep) -> list[LabelExtents]:
    """Extents of all frames; a label is in use from the first frame that shows it."""
    every: list[LabelExtents] = []
    first: dict[int, int] = {}
    for frame in range(movie.n_frames):
        labels, extents = _measure_all(movie, frame)
        for label in extents:
            first.setdefault(label, frame)
        used = [label for label in extents if frames is None or frame < first[label] + frames]
        keep(frame, labels, {label: extents[label].box_zyx for label in used})
        every.append(extents)
    return every


def _measure_all(movie: LabelMovie, frame: int) -> tuple[Labels, LabelExtents]:
    labels = movie.read(frame)
    extents = _measure(labels)
    if not extents:
        raise EmptyFrame(f"{movie.where(frame)}: no foreground; cut the empty frames off or segment them again")
    return labels, extents


def _measure_tracked(movie: LabelMovie, lineage: Lineage, frames: int | None, keep: Keep) -> list[LabelExtents]:
    """Extents of the used frames (empty for the others), checked against the tracks."""
    used: dict[int, list[Track]] = {}
    for family in lineage.families():
        end = movie.n_frames if frames is None else family.first + frames
        for track in family.tracks:
            for frame in range(track.first, min(track.last + 1, end)):
                used.setdefault(frame, []).append(track)
    known = {track.label for track in lineage.tracks}
    every: list[LabelExtents] = [{} for _ in range(movie.n_frames)]
    for frame, expected in sorted(used.items()):
        labels, every[frame] = _measure_all(movie, frame)
        _check_labels(movie, frame, every[frame], expected, known)
        keep(frame, labels, {track.label: every[frame][track.label].box_zyx for track in expected})
    return every


def _check_labels(movie: LabelMovie, frame: int, extents: LabelExtents, expected: list[Track], known: set[int]) -> None:
    for track in expected:
        if track.label not in extents:
            raise InputError(
                f"{movie.where(frame)}: label {track.label} has no voxels although its track runs from frame "
                f"{track.first} to {track.last}; correct the masks or the track file"
            )
    if strangers := sorted(extents.keys() - known):
        raise InputError(
            f"{movie.where(frame)}: label {strangers[0]} is in no track; add its row to the track file or erase it"
        )


def _measure(labels: Labels) -> dict[int, _LabelExtent]:
    names = np.arange(int(labels.max()) + 1)
    if len(names) >= labels.size:
        # cc3d refuses labels beyond the number of voxels, which small crops of large movies have.
        names, numbers = np.unique(labels, return_inverse=True)
        labels = numbers.reshape(labels.shape).astype(np.uint16)
    statistics: Mapping[str, Any] = cc3d.statistics(labels, no_slice_conversion=True)
    counts, boxes, centroids = (statistics[key] for key in ("voxel_counts", "bounding_boxes", "centroids"))
    return {
        int(names[i]): _LabelExtent(_box(boxes[i]), int(counts[i]), triple(centroids[i]))
        for i in np.flatnonzero(counts)
        if names[i]
    }


def _box(bounds: np.ndarray) -> Slices:
    """Slices from inclusive bounds (z, z, y, y, x, x)."""
    z0, z1, y0, y1, x0, x1 = (int(bound) for bound in bounds)
    return slice(z0, z1 + 1), slice(y0, y1 + 1), slice(x0, x1 + 1)


def _lineage_of_presence(movie: LabelMovie, extents: list[LabelExtents]) -> Lineage:
    """A track for every label, from its first to its last frame. Raises InputError for a gap."""
    present: dict[int, list[int]] = {}
    for frame, labels in enumerate(extents):
        for label in labels:
            present.setdefault(label, []).append(frame)
    for label, frames in sorted(present.items()):
        for before, after in pairwise(frames):
            if after > before + 1:
                raise InputError(
                    f"{movie.where(before + 1)}: label {label} has no voxels although it is there in the frames "
                    f"{before} and {after}; correct the masks"
                )
    return Lineage(tuple(Track(label, frames[0], frames[-1], 0) for label, frames in sorted(present.items())))


def _check_length(movie: LabelMovie, lineage: Lineage) -> None:
    for track in lineage.tracks:
        if track.last >= movie.n_frames:
            raise InputError(
                f"{movie.source}: the track of label {track.label} runs to frame {track.last} but the movie has the "
                f"frames 0 to {movie.n_frames - 1}; add the missing frames or correct the track file"
            )


def _reason_to_leave_out(movie: LabelMovie, tracks: TrackFamily, last: int, extents: list[LabelExtents]) -> str:
    for frame in range(tracks.first, last + 1):
        labels = tracks.labels_in(frame)
        if not labels:
            return f"no member in frame {frame}"
        for label in labels:
            sides = zip(extents[frame][label].box_zyx, movie.shape_zyx, strict=True)
            if any(side.start == 0 or side.stop == size for side, size in sides):
                return f"label {label} is cut by the border in frame {frame}"
    return ""


def _family(movie: LabelMovie, tracks: TrackFamily, last: int, extents: list[LabelExtents], *, name: str) -> Family:
    frames = []
    for frame in range(tracks.first, last + 1):
        labels = tracks.labels_in(frame)
        frames.append(_union(labels, [extents[frame][label] for label in labels], movie.spacing_zyx_um))
    return Family(tracks.root.label, name, tracks.first, tuple(frames))


def _union(labels: tuple[int, ...], parts: list[_LabelExtent], spacing_zyx_um: Triple) -> FamilyFrame:
    n_voxels = sum(part.n_voxels for part in parts)
    lows = np.min([[side.start for side in part.box_zyx] for part in parts], axis=0)
    highs = np.max([[side.stop for side in part.box_zyx] for part in parts], axis=0)
    mean = np.average([part.centroid_voxels for part in parts], axis=0, weights=[part.n_voxels for part in parts])
    return FamilyFrame(
        labels=labels,
        boxes_zyx=tuple(part.box_zyx for part in parts),
        box_zyx=_box(np.stack([lows, highs - 1], axis=1).ravel()),
        centroid_zyx_um=triple((mean + 0.5) * spacing_zyx_um),
        n_voxels=n_voxels,
    )

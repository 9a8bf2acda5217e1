"""All frames of a movie that families use, each read once: extents of the labels, and steps that look wrong."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from cytoform.base.triples import Slices
from cytoform.errors import InputError
from cytoform.movies.continuity import Follower, Step
from cytoform.movies.extents import LabelExtents, measure
from cytoform.movies.grey import grey_reason
from cytoform.movies.lineage import Lineage, Track
from cytoform.movies.movie import LabelMovie, Labels

# Called with the number of a frame, its labels, and the bounding boxes of the labels that families use in it.
Keep = Callable[[int, Labels, Mapping[int, Slices]], object]


@dataclass(frozen=True)
class Survey:
    """What was seen in a movie. `lineage` holds its tracks, or one for each label without a lineage."""

    lineage: Lineage
    # One entry a frame of the movie; empty for frames that are empty or that no family uses.
    extents: Sequence[LabelExtents]
    steps: tuple[Step, ...]
    # Pairs of a label and the next frame that were compared.
    n_compared: int
    # Frames without a voxel of background.
    full: tuple[int, ...]

    def lifetimes(self) -> dict[int, int]:
        """In how many frames each label is."""
        counts: dict[int, int] = {}
        for extents in self.extents:
            for label in extents:
                counts[label] = counts.get(label, 0) + 1
        return counts


def survey(movie: LabelMovie, *, frames: int | None, keep: Keep) -> Survey:
    """Read every frame in use; `frames` is how many each family uses from its first. Raises InputError for grey values."""
    reading = _Reading(movie)
    if movie.lineage is None:
        first = _untracked(reading, frames, keep)
    else:
        first = _tracked(reading, movie.lineage, frames, keep)
    steps = [step for step in reading.follower.steps if frames is None or step.frame < first[step.label] + frames]
    lineage = movie.lineage or _lineage_of_presence(reading.extents)
    return Survey(lineage, reading.extents, tuple(steps), reading.follower.n_compared, tuple(reading.full))


class _Reading:
    """Reads frames in order."""

    def __init__(self, movie: LabelMovie) -> None:
        self.movie = movie
        self.extents: list[LabelExtents] = [{} for _ in range(movie.n_frames)]
        self.follower = Follower(movie.spacing_zyx_um, tracked=movie.lineage is not None)
        self.full: list[int] = []
        # Frames with many more labels than the last one looked at closely are looked at again.
        self._most_labels = 0

    def frame(self, frame: int) -> Labels:
        labels = self.movie.read(frame)
        extents = measure(labels)
        if len(extents) > self._most_labels:
            self._most_labels = 2 * len(extents)
            if reason := grey_reason(labels, extents):
                raise InputError(f"{self.movie.where(frame)}: grey values, not labels: {reason}; give the label images")
        if sum(extent.n_voxels for extent in extents.values()) == labels.size:
            self.full.append(frame)
        self.follower.add(frame, labels, extents)
        self.extents[frame] = extents
        return labels


def _untracked(reading: _Reading, frames: int | None, keep: Keep) -> dict[int, int]:
    """Read all frames; a label is in use from the first frame that shows it. Returns that frame for each label."""
    first: dict[int, int] = {}
    for frame in range(reading.movie.n_frames):
        labels = reading.frame(frame)
        extents = reading.extents[frame]
        for label in extents:
            first.setdefault(label, frame)
        used = [label for label in extents if frames is None or frame < first[label] + frames]
        keep(frame, labels, {label: extents[label].box_zyx for label in used})
    return first


def _tracked(reading: _Reading, lineage: Lineage, frames: int | None, keep: Keep) -> dict[int, int]:
    """Read the frames that families use. Returns the first frame of the family of each label."""
    n_frames = reading.movie.n_frames
    used: dict[int, list[Track]] = {}
    first: dict[int, int] = {}
    for family in lineage.families():
        end = n_frames if frames is None else min(n_frames, family.first + frames)
        for track in family.tracks:
            first[track.label] = family.first
            for frame in range(track.first, min(track.last + 1, end)):
                used.setdefault(frame, []).append(track)
    for frame, expected in sorted(used.items()):
        labels = reading.frame(frame)
        extents = reading.extents[frame]
        keep(frame, labels, {t.label: extents[t.label].box_zyx for t in expected if t.label in extents})
        for label in extents:
            first.setdefault(label, frame)
    return first


def _lineage_of_presence(extents: Sequence[LabelExtents]) -> Lineage:
    """A track for every label, from its first to its last frame, without regard to gaps."""
    first: dict[int, int] = {}
    last: dict[int, int] = {}
    for frame, labels in enumerate(extents):
        for label in labels:
            first.setdefault(label, frame)
            last[label] = frame
    return Lineage(tuple(Track(label, first[label], last[label], 0) for label in sorted(first)))

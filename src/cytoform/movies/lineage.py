"""Tracks and the cell families they form (Cell Tracking Challenge `man_track.txt`)."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from cytoform.base.files import write_atomically
from cytoform.base.gate import read_text
from cytoform.errors import InputError

MAX_LABEL = 65535
ANY_LABEL = 10**9
ROWS = "write one row 'label first last parent' for every track"


@dataclass(frozen=True)
class Track:
    """One cell from its first to its last frame; `parent` is the label of its mother, or 0."""

    label: int
    first: int
    last: int
    parent: int


@dataclass(frozen=True)
class TrackFamily:
    """A founder (a cell without a mother) and all its descendants, sorted by label."""

    root: Track
    tracks: tuple[Track, ...]

    @property
    def first(self) -> int:
        """Frame in which the family begins."""
        return self.root.first

    @property
    def last(self) -> int:
        """Last frame of any member."""
        return max(track.last for track in self.tracks)

    def labels_in(self, frame: int) -> tuple[int, ...]:
        """Labels of the members alive in a frame."""
        return tuple(track.label for track in self.tracks if track.first <= frame <= track.last)


@dataclass(frozen=True)
class Lineage:
    """The tracks of a movie. Raises InputError for contradictory tracks (see `check_tracks`)."""

    tracks: tuple[Track, ...]

    def __post_init__(self) -> None:
        check_tracks(self.tracks, "lineage")

    def families(self) -> tuple[TrackFamily, ...]:
        """Every track without a mother, with all its descendants; sorted by label."""
        by_label = {track.label: track for track in self.tracks}
        members: dict[int, list[Track]] = {}
        for label, track in sorted(by_label.items()):
            root = label
            while by_label[root].parent:
                root = by_label[root].parent
            members.setdefault(root, []).append(track)
        return tuple(TrackFamily(by_label[root], tuple(tracks)) for root, tracks in sorted(members.items()))


def check_tracks(tracks: Iterable[Track], where: str, *, highest: int = MAX_LABEL) -> None:
    """Raise InputError for duplicate labels, unknown parents, cycles, or a parent alive when its child begins.

    Labels are 1 to `highest`.
    """
    by_label: dict[int, Track] = {}
    for track in tracks:
        _check_track(track, where, highest)
        if track.label in by_label:
            raise InputError(f"{where}: label {track.label} stands there twice; give every track its own label")
        by_label[track.label] = track
    for track in by_label.values():
        if track.parent and track.parent not in by_label:
            raise InputError(
                f"{where}: label {track.label} has the unknown parent {track.parent}; add its row or put 0"
            )
    _check_cycles(by_label, where)
    for track in by_label.values():
        if track.parent and by_label[track.parent].last >= track.first:
            raise InputError(
                f"{where}: label {track.label} begins in frame {track.first} but its parent {track.parent} "
                f"ends in frame {by_label[track.parent].last}; a parent must end before its children begin"
            )


def _check_track(track: Track, where: str, highest: int) -> None:
    if not 1 <= track.label <= highest:
        raise InputError(f"{where}: label {track.label} is not in 1 to {highest}; renumber the tracks")
    if not 0 <= track.first <= track.last:
        raise InputError(
            f"{where}: label {track.label} runs from frame {track.first} to {track.last}; correct its first and last"
        )
    if track.parent < 0:
        raise InputError(f"{where}: label {track.label} has the parent {track.parent}; put 0 for none")


def _check_cycles(by_label: dict[int, Track], where: str) -> None:
    sound: set[int] = {0}
    for label in by_label:
        path: list[int] = []
        while label not in sound:
            if label in path:
                loop = " -> ".join(str(one) for one in [*path[path.index(label) :], label])
                raise InputError(f"{where}: labels descend from themselves ({loop}); correct their parents")
            path.append(label)
            label = by_label[label].parent
        sound.update(path)


def read_lineage(path: Path, *, values: Sequence[int] = ()) -> Lineage:
    """Read `man_track.txt` or `res_track.txt`: one row `label first last parent` a track.

    If the labels of the movie were renumbered, `values` holds their values in the files, sorted: label n is values[n - 1].
    Raises InputError with the line number for a row that is not four integers, and for contradictory tracks.
    """
    tracks = read_tracks(path, highest=ANY_LABEL if values else MAX_LABEL)
    if values:
        absent = sorted({track.label for track in tracks} - set(values))
        numbers = {value: number for number, value in enumerate((*values, *absent), 1)} | {0: 0}
        tracks = tuple(replace(track, label=numbers[track.label], parent=numbers[track.parent]) for track in tracks)
    return Lineage(tracks)


def read_tracks(path: Path, *, highest: int = ANY_LABEL) -> tuple[Track, ...]:
    """The rows of a track file, with labels up to `highest`. Raises InputError as `read_lineage` does."""
    if not path.exists():
        raise InputError(f"{path}: no such file; the lineage belongs beside the masks")
    # Windows Notepad marks the beginning of a file.
    lines = read_text(path, remedy=ROWS).removeprefix("\ufeff").splitlines()
    tracks = tuple(_row(line, f"{path}, line {n}", highest) for n, line in enumerate(lines, 1) if line.strip())
    if not tracks:
        raise InputError(f"{path}: no tracks; {ROWS}")
    check_tracks(tracks, str(path), highest=highest)
    return tracks


def _row(line: str, where: str, highest: int) -> Track:
    values = line.split()
    # No frame or label has more than nine digits; longer numbers would bloat the next message.
    if len(values) != 4 or not all(re.fullmatch(r"-?[0-9]{1,9}", value) for value in values):
        raise InputError(f"{where}: {line.strip()[:40]!r} is not 'label first last parent'; write four whole numbers")
    label, first, last, parent = (int(value) for value in values)
    _check_track(track := Track(label, first, last, parent), where, highest)
    return track


def write_lineage(path: Path, lineage: Lineage) -> None:
    """Write `man_track.txt`, sorted by label."""
    rows = sorted((track.label, track.first, track.last, track.parent) for track in lineage.tracks)
    write_atomically(
        path, "".join(f"{label} {first} {last} {parent}\n" for label, first, last, parent in rows).encode()
    )

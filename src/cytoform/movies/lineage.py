"""Who is whose daughter: tracks and the families they form (Cell Tracking Challenge `man_track.txt`)."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Track:
    """One cell from its first to its last frame; `parent` is the label of its mother, or 0."""

    label: int
    first: int
    last: int
    parent: int


@dataclass(frozen=True)
class Lineage:
    """The tracks of a movie."""

    tracks: tuple[Track, ...]

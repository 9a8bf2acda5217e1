"""Labels and lineage from the cells visible in each frame."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from cytoform.errors import InputError
from cytoform.movies.lineage import MAX_LABEL, Lineage, Track
from cytoform.scenes.bodies import Body


@dataclass(frozen=True)
class Tracked:
    """The tracks of a data set and their bodies; a body that leaves and returns has several tracks."""

    tracks: tuple[Track, ...]
    bodies: tuple[int, ...]

    @property
    def lineage(self) -> Lineage:
        """The lineage to be written."""
        return Lineage(self.tracks)

    @property
    def n_divisions(self) -> int:
        """Number of mothers with at least two visible daughters."""
        return sum(n > 1 for n in Counter(track.parent for track in self.tracks if track.parent).values())

    def labels_in(self, frame: int) -> dict[int, int]:
        """The label of every body visible in a frame."""
        pairs = zip(self.tracks, self.bodies, strict=True)
        return {body: track.label for track, body in pairs if track.first <= frame <= track.last}


def number_tracks(bodies: Sequence[Body], frames: Sequence[int], seen: Sequence[set[int]]) -> Tracked:
    """Number tracks from 1 on by first appearance; `seen` holds the visible bodies of each of the `frames`.

    Tracks have no gaps: a cell that returns starts a new track without a parent, since the movie alone does not identify
    it. A daughter has its mother as parent if both are visible in the frames around the division. If only one of two
    daughters is visible, it still has its mother as parent.
    """
    runs: list[tuple[int, int, int]] = []
    for number in sorted(set().union(*seen)):
        present = [frame for frame, there in enumerate(seen) if number in there]
        start = present[0]
        for before, after in zip(present, [*present[1:], -1], strict=True):
            if after != before + 1:
                runs.append((start, before, number))
                start = after
    runs.sort(key=lambda run: (run[0], run[2]))
    if len(runs) > MAX_LABEL:
        raise InputError(f"{len(runs)} tracks, but no more than {MAX_LABEL} labels are allowed; choose fewer --cells")
    ends = {(number, last): label for label, (_, last, number) in enumerate(runs, 1)}
    by_name = {(body.family, body.member): number for number, body in enumerate(bodies)}
    tracks = []
    for label, (first, last, number) in enumerate(runs, 1):
        parent, body = 0, bodies[number]
        # Left-out frames may hide a whole life: then the grandmother is visible in the frame before.
        while not parent and body.parent is not None and first > 0 and frames[first - 1] < body.first <= frames[first]:
            mother = by_name[body.family, body.parent]
            parent, body = ends.get((mother, first - 1), 0), bodies[mother]
        tracks.append(Track(label, first, last, parent))
    return Tracked(tuple(tracks), tuple(number for _, _, number in runs))

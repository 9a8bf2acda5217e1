"""From what is seen in every frame to labels and a lineage."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from cytoform.errors import InputError
from cytoform.movies.lineage import MAX_LABEL, Lineage, Track
from cytoform.scenes.bodies import Body


@dataclass(frozen=True)
class Tracked:
    """The tracks of a data set, and which body each shows: bodies that leave and come back have several."""

    tracks: tuple[Track, ...]
    bodies: tuple[int, ...]

    @property
    def lineage(self) -> Lineage:
        """As it is written."""
        return Lineage(self.tracks)

    @property
    def n_divisions(self) -> int:
        """Mothers of which at least two daughters are seen."""
        return sum(n > 1 for n in Counter(track.parent for track in self.tracks if track.parent).values())

    def labels_in(self, frame: int) -> dict[int, int]:
        """The label of every body that is seen in a frame."""
        pairs = zip(self.tracks, self.bodies, strict=True)
        return {body: track.label for track, body in pairs if track.first <= frame <= track.last}


def number_tracks(bodies: Sequence[Body], frames: Sequence[int], seen: Sequence[set[int]]) -> Tracked:
    """Labels from 1 on, in the order of first appearance; `seen` are the bodies in each of these frames of the scene.

    A track has no gaps: a cell that comes back is a new track without a mother, since nobody who sees only this movie
    can know it. A daughter has its mother as parent if the mother is seen up to the last frame before the division and
    the daughter from the first frame after it. Of two daughters, one that is not seen leaves the other with its mother's
    track as parent.
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
        # Where frames are left out, whole lives may be: then the grandmother was seen in the frame before.
        while not parent and body.parent is not None and first > 0 and frames[first - 1] < body.first <= frames[first]:
            mother = by_name[body.family, body.parent]
            parent, body = ends.get((mother, first - 1), 0), bodies[mother]
        tracks.append(Track(label, first, last, parent))
    return Tracked(tuple(tracks), tuple(number for _, _, number in runs))

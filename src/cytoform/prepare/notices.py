"""What looks wrong in movies that are prepared nevertheless: one line each, with file, frame, label and remedy."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from cytoform.errors import InputError
from cytoform.movies.families import FamilySearch
from cytoform.movies.movie import LabelMovie
from cytoform.movies.oddities import Cause
from cytoform.prepare.cells import NamedFamily
from cytoform.prepare.failures import Failures
from cytoform.prepare.plan import CellMeasures

# A solid cell has few holes; an outline is mostly hole.
HOLLOW_SHARE = 0.3


class Notices:
    """The notices of one preparation. With `strict`, a movie with a notice fails."""

    def __init__(self, failures: Failures, *, strict: bool) -> None:
        self._failures = failures
        self._strict = strict
        self._of_movie: dict[str, list[str]] = {}

    def __iter__(self) -> Iterator[str]:
        return (line for lines in self._of_movie.values() for line in lines)

    def of(self, movie: LabelMovie) -> tuple[str, ...]:
        """The notices about a movie."""
        return tuple(self._of_movie.get(movie.source, ()))

    def add(self, movie: LabelMovie, lines: Iterable[str]) -> None:
        """Add notices about a movie."""
        for line in lines:
            if self._strict:
                self._failures.add(movie, InputError(f"{line} (refused by --strict)"))
            else:
                self._of_movie.setdefault(movie.source, []).append(line)

    def add_search(self, movie: LabelMovie, search: FamilySearch) -> None:
        """Add what was seen on opening and in the labels. Under `strict`, faulty families count too."""
        self.add(movie, (*movie.notices, *search.notices))
        if self._strict:
            faulty = [lost for lost in search.left_out if lost.cause in (Cause.DATA, Cause.JUMP)]
            self.add(movie, [f"{lost.where}: {lost.reason}; correct the masks or the tracks" for lost in faulty])

    def add_shapes(self, cells: Sequence[NamedFamily], measured: Mapping[str, Sequence[CellMeasures]]) -> None:
        """Add what was seen in the cleaned masks: labels in far pieces, and outlines."""
        by_movie: dict[str, list[NamedFamily]] = {}
        for cell in cells:
            by_movie.setdefault(cell.movie.source, []).append(cell)
        for of_movie in by_movie.values():
            movie = of_movie[0].movie
            self.add(movie, _in_pieces(movie, of_movie, measured))
            self.add(movie, _hollow(movie, of_movie, measured))


def _in_pieces(
    movie: LabelMovie, cells: Sequence[NamedFamily], measured: Mapping[str, Sequence[CellMeasures]]
) -> list[str]:
    found = [
        (cell.family.first + n, label, pieces)
        for cell in cells
        for n, frame in enumerate(measured[cell.name])
        for label, pieces in frame.far_pieces
    ]
    if not found:
        return []
    frame, label, pieces = found[0]
    n_labels = len({label for _, label, _ in found})
    more = f", and {n_labels - 1} more labels" if n_labels > 1 else ""
    return [
        f"{movie.where(frame)}: label {movie.value(label)} lies in {pieces.n_pieces} pieces, one with "
        f"{100 * pieces.share:.0f} % of it {pieces.gap_um:.3g} µm away{more}; give every cell a label of its own"
    ]


def _hollow(
    movie: LabelMovie, cells: Sequence[NamedFamily], measured: Mapping[str, Sequence[CellMeasures]]
) -> list[str]:
    found = [
        (cell.family.first + n, cell, frame.filled_share)
        for cell in cells
        for n, frame in enumerate(measured[cell.name])
        if frame.filled_share > HOLLOW_SHARE
    ]
    if not found:
        return []
    frame, cell, share = found[0]
    n_cells = len({cell.name for _, cell, _ in found})
    more = f", and {n_cells - 1} more labels" if n_cells > 1 else ""
    return [
        f"{movie.where(frame)}: label {movie.value(cell.family.root)} is hollow, {100 * share:.0f} % of its volume was "
        f"filled in{more}; give filled cells if these are outlines"
    ]

"""What looks wrong in movies that are prepared nevertheless: one line each, with file, frame, label and remedy."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from cytoform.errors import InputError
from cytoform.movies.families import Family, FamilySearch
from cytoform.movies.movie import LabelMovie
from cytoform.movies.oddities import Cause
from cytoform.prepare.failures import Failures
from cytoform.prepare.plan import CellMeasures

# A solid cell has few holes; an outline is mostly hole.
HOLLOW_SHARE = 0.3


@dataclass(frozen=True)
class Seen:
    """A family in a frame of its movie, cleaned and measured."""

    family: Family
    frame: int
    measures: CellMeasures


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


def shape_notices(movie: LabelMovie, seen: Sequence[Seen]) -> list[str]:
    """Notices about cleaned masks: labels in far pieces, and outlines."""
    pieces = [(cell, label, far) for cell in seen for label, far in cell.measures.far_pieces]
    hollow = [cell for cell in seen if cell.measures.filled_share > HOLLOW_SHARE]
    lines = []
    if pieces:
        cell, label, far = pieces[0]
        more = _more({label for _, label, _ in pieces})
        lines.append(
            f"{movie.where(cell.frame)}: label {movie.value(label)} lies in {far.n_pieces} pieces, one with "
            f"{100 * far.share:.0f} % of it {far.gap_um:.3g} µm away{more}; pass --split --link to make every piece a cell"
        )
    if hollow:
        cell, more = hollow[0], _more({cell.family.root for cell in hollow})
        label, share = movie.value(cell.family.root), 100 * cell.measures.filled_share
        lines.append(
            f"{movie.where(cell.frame)}: label {label} is hollow, {share:.0f} % of its {movie.terms.size} was filled in{more}; "
            "give filled cells if these are outlines"
        )
    return lines


def _more(labels: set[int]) -> str:
    return f", and {len(labels) - 1} more labels" if len(labels) > 1 else ""

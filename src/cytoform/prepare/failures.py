"""Movies that cannot be prepared, with reasons; the other movies are prepared nevertheless."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from cytoform.errors import InputError
from cytoform.movies.movie import LabelMovie

# Errors in movies, as opposed to bugs of this program.
FAULTS: tuple[type[Exception], ...] = (InputError, OSError)


@dataclass(frozen=True)
class Failure:
    """A movie that cannot be prepared; `movie` is empty if it could not be opened."""

    source: str
    movie: str
    reason: str


class Failures:
    """The failures of one preparation so far, at most one per movie."""

    def __init__(self) -> None:
        self._unopened: list[Failure] = []
        self._of_movie: dict[str, Failure] = {}
        self._source_of: dict[str, str] = {}

    def __iter__(self) -> Iterator[Failure]:
        return iter((*self._unopened, *self._of_movie.values()))

    def __bool__(self) -> bool:
        return bool(self._unopened or self._of_movie)

    def opened(self, source: str, movies: Iterable[LabelMovie]) -> None:
        """Note that these movies come from `source`."""
        self._source_of |= {movie.source: source for movie in movies}

    def unopened(self, source: str, fault: Exception) -> None:
        """Add a source, or a movie in it, that cannot be opened."""
        self._unopened.append(Failure(source, "", reason_of(source, fault)))

    def add(self, movie: LabelMovie, fault: Exception) -> None:
        """Add a movie that fails; later failures of the same movie are ignored."""
        failure = Failure(self._source_of[movie.source], movie.source, reason_of(movie.source, fault))
        self._of_movie.setdefault(movie.source, failure)

    def sift(self, movies: Iterable[LabelMovie], outcomes: Iterable[Any]) -> None:
        """Add each movie with an exception as outcome."""
        for movie, outcome in zip(movies, outcomes, strict=True):
            if isinstance(outcome, Exception):
                self.add(movie, outcome)

    def interrupted(self, movies: Iterable[LabelMovie]) -> list[Failure]:
        """Provisional failures of good movies, recorded until all their sequences are moved."""
        return [Failure(self._source_of[movie.source], movie.source, "interrupted while added") for movie in movies]

    def has(self, movie: LabelMovie) -> bool:
        """Whether a movie has failed."""
        return movie.source in self._of_movie


def reason_of(place: str, fault: Exception) -> str:
    """One line for the user; it names the file, or else `place`."""
    reason = str(fault)
    if isinstance(fault, OSError):
        reason = f"{fault.filename or place}: {fault.strerror or fault}; make it readable"
    return reason if place in reason or reason.startswith("--") else f"{place}: {reason}"

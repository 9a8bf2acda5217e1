"""Movies that cannot be prepared, and why; they do not lose the others."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from cytoform.errors import InputError
from cytoform.movies.movie import LabelMovie

# What may be wrong with a movie, as against what is wrong with this program.
FAULTS: tuple[type[Exception], ...] = (InputError, OSError)


@dataclass(frozen=True)
class Failure:
    """A movie of a source, and what is wrong with it; `movie` is empty where it could not even be opened."""

    source: str
    movie: str
    reason: str


class Failures:
    """The failures of one preparation so far, at most one a movie."""

    def __init__(self) -> None:
        self._unopened: list[Failure] = []
        self._of_movie: dict[str, Failure] = {}
        self._source_of: dict[str, str] = {}

    def __iter__(self) -> Iterator[Failure]:
        return iter((*self._unopened, *self._of_movie.values()))

    def __bool__(self) -> bool:
        return bool(self._unopened or self._of_movie)

    def opened(self, source: str, movies: Iterable[LabelMovie]) -> None:
        """Remember which source these movies come from."""
        self._source_of |= {movie.source: source for movie in movies}

    def unopened(self, source: str, fault: Exception) -> None:
        """A source, or a movie in it, that cannot be opened."""
        self._unopened.append(Failure(source, "", reason_of(source, fault)))

    def add(self, movie: LabelMovie, fault: Exception) -> None:
        """A movie that fails; the first fault counts."""
        failure = Failure(self._source_of[movie.source], movie.source, reason_of(movie.source, fault))
        self._of_movie.setdefault(movie.source, failure)

    def sift(self, movies: Iterable[LabelMovie], outcomes: Iterable[Any]) -> None:
        """Pick the faults out of what was done with each of these movies."""
        for movie, outcome in zip(movies, outcomes, strict=True):
            if isinstance(outcome, Exception):
                self.add(movie, outcome)

    def interrupted(self, movies: Iterable[LabelMovie]) -> list[Failure]:
        """What to say of good movies until all their cells are in their place."""
        return [Failure(self._source_of[movie.source], movie.source, "interrupted while added") for movie in movies]

    def has(self, movie: LabelMovie) -> bool:
        """Whether something is wrong with a movie."""
        return movie.source in self._of_movie


def reason_of(place: str, fault: Exception) -> str:
    """One line for the user, which names the file or at least the movie."""
    reason = str(fault)
    if isinstance(fault, OSError):
        reason = f"{fault.filename or place}: {fault.strerror or fault}; make it readable"
    return reason if place in reason or reason.startswith("--") else f"{place}: {reason}"

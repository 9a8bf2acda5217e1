"""The cells of all movies, each under a name of its own, and their frames."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import count

from cytoform.base.parallel import run_all
from cytoform.errors import InputError
from cytoform.movies.families import Family, FamilyFrame, FamilySearch, LeftOut, find_families
from cytoform.movies.movie import LabelMovie, Labels
from cytoform.prepare.failures import Failures, reason_of
from cytoform.prepare.masks import Masks
from cytoform.prepare.request import Request


@dataclass(frozen=True)
class Cell:
    """A family under the name that it gets in the store."""

    name: str
    movie: LabelMovie
    family: Family
    # Of the movie, as the store records it.
    source: str


@dataclass(frozen=True)
class CellFrame:
    """A cell in one frame of its movie; `first` is the cell's first frame."""

    name: str
    first: int
    at: FamilyFrame


@dataclass(frozen=True)
class MovieFrame:
    """All cells of one frame of a movie."""

    movie: LabelMovie
    frame: int
    cells: tuple[CellFrame, ...]

    @property
    def families(self) -> list[FamilyFrame]:
        """The families of the cells."""
        return [cell.at for cell in self.cells]


@dataclass(frozen=True)
class Followed:
    """The cells of movies, and those left out."""

    cells: list[Cell]
    left_out: list[LeftOut]


def follow(
    movies: Sequence[LabelMovie],
    *,
    request: Request,
    masks: Masks,
    taken: Mapping[str, str],
    failures: Failures,
    workers: int,
    done: Callable[[], object],
) -> Followed:
    """Find the families of all movies and keep the masks of their labels.

    `taken` are names that sequences have already, with their sources.
    """
    tasks = [(movie, request.frames, masks) for movie in movies]
    # Faults of the disk with the masks are no movie's, and end the work.
    searches = run_all(_search, tasks, workers=workers, done=done, kept=(InputError,))
    failures.sift(movies, searches)
    found = [(movie, search) for movie, search in zip(movies, searches, strict=True) if not failures.has(movie)]
    named: dict[str, Cell] = {}
    for movie, search in found:
        source = request.recorded(movie.source)
        for family in search.families:
            candidates = (family.name if n == 1 else f"{family.name}_{n}" for n in count(1))
            free = (name for name in candidates if name not in named and taken.get(name, source) == source)
            name = next(free)
            named[name] = Cell(name, movie, family, source)
    return Followed(list(named.values()), [lost for _, search in found for lost in search.left_out])


def _search(movie: LabelMovie, frames: int | None, masks: Masks) -> FamilySearch:
    readable = replace(movie, read=partial(_read, movie))
    search = find_families(readable, frames=frames, keep=partial(masks.keep_labels, movie.name))
    if not search.families:
        first = f"; {search.left_out[0].name}: {search.left_out[0].reason}" if search.left_out else ""
        raise InputError(f"{movie.source}: no whole cell{first}; crop less tightly")
    return search


def _read(movie: LabelMovie, frame: int) -> Labels:
    """Read a frame such that a fault of its file cannot be taken for one of the disk with the masks."""
    try:
        return movie.read(frame)
    except OSError as fault:
        raise InputError(reason_of(movie.source, fault)) from None


def movie_frames(cells: Sequence[Cell]) -> list[MovieFrame]:
    """The frames that these cells are in."""
    movies = {cell.movie.name: cell.movie for cell in cells}
    together: dict[tuple[str, int], list[CellFrame]] = {}
    for cell in cells:
        for frame, at in enumerate(cell.family.frames, cell.family.first):
            together.setdefault((cell.movie.name, frame), []).append(CellFrame(cell.name, cell.family.first, at))
    return [MovieFrame(movies[name], frame, tuple(here)) for (name, frame), here in together.items()]

"""The cell families of all movies, each with a unique name, and their frames."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import count

from cytoform.base.parallel import run_all
from cytoform.errors import InputError
from cytoform.movies.families import Family, FamilyFrame, FamilySearch, LeftOut, find_families
from cytoform.movies.movie import LabelMovie, Labels
from cytoform.movies.oddities import Cause
from cytoform.prepare.copies import Copy, Found, continued, find_copies
from cytoform.prepare.failures import Failures, reason_of
from cytoform.prepare.masks import Masks
from cytoform.prepare.request import Request


@dataclass(frozen=True)
class NamedFamily:
    """A family with its name in the store."""

    name: str
    movie: LabelMovie
    family: Family
    # The movie's path as the store records it.
    source: str


@dataclass(frozen=True)
class CellFrame:
    """A family in one frame of its movie; `first` is the family's first frame."""

    name: str
    first: int
    at: FamilyFrame


@dataclass(frozen=True)
class MovieFrame:
    """All families in one frame of a movie."""

    movie: LabelMovie
    frame: int
    cells: tuple[CellFrame, ...]

    @property
    def families(self) -> list[FamilyFrame]:
        """Labels and boxes of the families."""
        return [cell.at for cell in self.cells]


@dataclass(frozen=True)
class Followed:
    """The families of all movies; the families that were found in each movie, and the copies among the movies."""

    cells: list[NamedFamily]
    found: list[Found]
    copies: list[Copy]
    # Notices about parts of one movie, by source.
    parts: dict[str, str]

    @property
    def left_out(self) -> list[LeftOut]:
        """The families that cannot be used."""
        return [lost for _, search in self.found for lost in search.left_out]


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

    `taken` maps names in an existing store to the recorded paths of their movies.
    """
    tasks = [(movie, request, masks) for movie in movies]
    # An OSError here comes from writing masks, not from a movie, and ends the work.
    searches = run_all(_search, tasks, workers=workers, done=done, kept=(InputError,))
    failures.sift(movies, searches)
    found = [(movie, search) for movie, search in zip(movies, searches, strict=True) if not failures.has(movie)]
    copies = find_copies(found)
    dropped = {copy.movie.source for copy in copies if copy.is_left_out}
    found = [(movie, search) for movie, search in found if movie.source not in dropped]
    named: dict[str, NamedFamily] = {}
    for movie, search in found:
        source = request.recorded(movie.source)
        for family in search.families:
            candidates = (family.name if n == 1 else f"{family.name}_{n}" for n in count(1))
            free = (name for name in candidates if name not in named and taken.get(name, source) == source)
            name = next(free)
            named[name] = NamedFamily(name, movie, family, source)
    copied = {copy.movie.source for copy in copies}
    parts = continued([(movie, search) for movie, search in found if movie.source not in copied])
    return Followed(list(named.values()), found, copies, parts)


def _search(movie: LabelMovie, request: Request, masks: Masks) -> FamilySearch:
    readable = replace(movie, read=partial(_read, movie))
    search = find_families(
        readable,
        frames=request.frames,
        min_frames=request.min_frames,
        keep=partial(masks.keep_labels, movie.name),
        border=request.border,
        jumps=request.jumps,
        gaps=request.gaps,
    )
    if not search.families:
        raise InputError(nothing_left(movie, search.left_out))
    return search


def nothing_left(movie: LabelMovie, left_out: Sequence[LeftOut]) -> str:
    """Why a movie has no family to use, and the remedy."""
    first = left_out[0]
    more = f", and {len(left_out) - 1} more" if len(left_out) > 1 else ""
    causes = {lost.cause for lost in left_out}
    if causes <= {Cause.DEPTH, Cause.BORDER}:
        remedy = (
            "the top or bottom of the stack cuts every cell: acquire more planes" * (causes == {Cause.DEPTH})
            or "crop less tightly"
        )
        return (
            f"{movie.source}: no whole cell; {first.name}: {first.reason}{more}; {remedy}, or pass --border keep to make cut "
            "faces part of the surface"
        )
    # A family that is too short has no other fault.
    if short := next((lost for lost in left_out if lost.cause is Cause.SHORT), None):
        return f"{short.where}: {short.name} has {short.reason}{more}; lower --min-frames"
    if causes == {Cause.JUMP}:
        return (
            f"{first.where}: the labels do not follow the cells: {first.reason}{more}; pass --link to follow cells by their "
            "overlap, or --jumps keep if the labels are right"
        )
    return f"{first.where}: {first.reason}{more}, so no family can be used; correct the masks or the tracks"


def _read(movie: LabelMovie, frame: int) -> Labels:
    """Read a frame; an unreadable file becomes an InputError, so that only writing masks can raise OSError."""
    try:
        return movie.read(frame)
    except OSError as fault:
        raise InputError(reason_of(movie.source, fault)) from None


def movie_frames(cells: Sequence[NamedFamily]) -> list[MovieFrame]:
    """All known frames of these families, one entry per frame of a movie."""
    movies = {cell.movie.name: cell.movie for cell in cells}
    together: dict[tuple[str, int], list[CellFrame]] = {}
    for cell in cells:
        known = [(frame, at) for frame, at in enumerate(cell.family.frames, cell.family.first) if at.labels]
        for frame, at in known:
            together.setdefault((cell.movie.name, frame), []).append(CellFrame(cell.name, cell.family.first, at))
    return [MovieFrame(movies[name], frame, tuple(here)) for (name, frame), here in together.items()]

"""What `prepare` will make of the movies in a source: where everything comes from, and what looks wrong."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import zip_longest
from pathlib import Path

import numpy as np

from cytoform.errors import InputError
from cytoform.movies.families import FamilySearch, find_families
from cytoform.movies.movie import LabelMovie
from cytoform.movies.readers import find_movies, name_apart
from cytoform.prepare.cells import nothing_left
from cytoform.prepare.copies import continued, find_copies
from cytoform.prepare.notices import Seen, shape_notices
from cytoform.prepare.plan import look_at
from cytoform.prepare.summary import left_out_lines

UNKNOWN_UM = (1.0, 1.0, 1.0)


@dataclass(frozen=True)
class Forecast:
    """A movie and its families, or the reason why `prepare` refuses it. `is_scaled` says whether its voxel size is known."""

    movie: LabelMovie
    is_scaled: bool
    search: FamilySearch | None
    refusal: str
    notices: tuple[str, ...]


def forecast(source: Path) -> list[str]:
    """Lines about the label movies in a source. Reads every frame once. Raises InputError if no movie can be opened."""
    opened, faults = _opened(source)
    if not opened:
        raise InputError(faults[0])
    movies = name_apart([movie for movie, *_ in opened])
    found = [
        _forecast(movie, is_scaled=known, question=question)
        for movie, (_, known, question) in zip(movies, opened, strict=True)
    ]
    lines = [f"{len(found)} label movie{'s' * (len(found) != 1)}"]
    for one in found:
        lines += [f"  {_headline(one)}", *(f"    {name:<11} {text}" for name, text in _facts(one) if text)]
    searched = [(one.movie, one.search) for one in found if one.search is not None]
    copies = find_copies(searched)
    others = [one for one in searched if one[0].source not in {copy.movie.source for copy in copies}]
    lines += [f"  notice: {line}" for line in (*(copy.notice for copy in copies), *continued(others).values())]
    return lines + [f"  refused: {fault}" for fault in faults]


def _opened(source: Path) -> tuple[list[tuple[LabelMovie, bool, str]], list[str]]:
    """The movies that can be opened, whether their voxel size is known, and what is asked about; the faults of the others.

    A folder of 2D images could be a movie or a volume.
    """
    opened, faults = [], []
    openers = find_movies(source)
    unscaled = find_movies(source, voxel_size_zyx_um=UNKNOWN_UM)
    planes = find_movies(source, flat=True)
    bare_planes = find_movies(source, voxel_size_zyx_um=UNKNOWN_UM, flat=True)
    for ways in zip_longest(openers, unscaled, planes, bare_planes):
        reasons: list[str] = []
        for way, (known, asked) in zip(ways, ((True, False), (False, False), (True, True), (False, True)), strict=True):
            movie = _open(way, reasons)
            if movie is not None:
                opened.append((movie, known, reasons[-1] if asked else ""))
                break
        else:
            faults.append(reasons[0])
    return opened, faults


def _open(way: Callable[[], LabelMovie] | None, reasons: list[str]) -> LabelMovie | None:
    try:
        return None if way is None else way()
    except (InputError, OSError) as fault:
        reasons.append(str(fault))
        return None


def _forecast(movie: LabelMovie, *, is_scaled: bool, question: str) -> Forecast:
    movie = movie if is_scaled else replace(movie, notices=tuple(n for n in movie.notices if "--voxel-size" not in n))
    if question:
        return Forecast(movie, is_scaled, None, question, movie.notices)
    try:
        search = find_families(movie)
    except (InputError, OSError) as fault:
        return Forecast(movie, is_scaled, None, str(fault), movie.notices)
    notices = (*movie.notices, *search.notices, *shape_notices(movie, _sample(movie, search)))
    refusal = "" if search.families else nothing_left(movie, search.left_out)
    if not is_scaled:
        refusal = refusal or "the voxel size is not recorded; pass --voxel-size Z Y X in micrometres"
    return Forecast(movie, is_scaled, search, refusal, notices)


def _sample(movie: LabelMovie, search: FamilySearch) -> list[Seen]:
    """The families in the first, the middle and the last frame."""
    seen = []
    for frame in sorted({0, movie.n_frames // 2, movie.n_frames - 1}):
        labels = movie.read(frame)
        for family in search.families:
            if family.first <= frame <= family.last:
                at = family.at(frame)
                box = labels[at.box_zyx]
                own = np.where(np.isin(box, at.labels), box, 0).astype(np.uint16)
                seen.append(Seen(family, frame, look_at(own, at, movie).measures))
    return seen


def _headline(one: Forecast) -> str:
    movie = one.movie
    spacing = " × ".join(f"{s:g}" for s in movie.spacing_zyx_um) + " µm" if one.is_scaled else "not recorded"
    step = "not recorded" if movie.time_step_s is None else f"{movie.time_step_s:g} s"
    tracks = "no lineage" if movie.lineage is None else f"{len(movie.lineage.tracks)} tracks"
    shape = " × ".join(str(n) for n in (movie.n_frames, *movie.shape_zyx[-movie.n_dims :]))
    axes = " ".join("tzyx") if movie.n_dims == 3 else "t y x"
    return f"{movie.name}: {shape} ({axes}), voxels {spacing}, time step {step}, {tracks}"


def _facts(one: Forecast) -> list[tuple[str, str]]:
    movie, origin = one.movie, one.movie.origin
    files = movie.source if not movie.files else f"{len(movie.files)}, {movie.files[0]} to {Path(movie.files[-1]).name}"
    facts = [
        ("files", files),
        ("shapes", origin.shapes and f"{origin.shapes}{', perhaps tracking markers' * origin.markers}"),
        ("axes", origin.axes),
        ("voxel size", f"from {origin.voxel_size}" if one.is_scaled and origin.voxel_size else ""),
        ("time step", f"from {origin.time_step}" if origin.time_step else ""),
        ("lineage", origin.lineage or "none: every label counts as a cell of its own" * (movie.lineage is None)),
    ]
    if one.search is not None:
        search = one.search
        facts.append(("labels", f"{search.n_labels}, {search.n_lasting} of them in more than one frame"))
        n_frames = sum(len(family.frames) for family in search.families)
        families = "1 family" if len(search.families) == 1 else f"{len(search.families)} families"
        facts.append(("prepare", f"{families}, {n_frames} frames, {len(search.left_out)} left out"))
        facts += [("left out", line) for line in left_out_lines(search.left_out)]
    facts.append(("refused", one.refusal))
    return facts + [("notice", line) for line in one.notices]

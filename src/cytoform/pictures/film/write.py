"""`write_movie`: all steps from a shape store to a movie."""

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, islice
from pathlib import Path

import cytoform
from cytoform.base.cluster import local_workers
from cytoform.base.files import write_json
from cytoform.base.output import Output
from cytoform.base.parallel import Advance, Progress, no_progress, run_all
from cytoform.base.provenance import software_versions
from cytoform.pictures.film.cast import Cast, MovieCell, choose
from cytoform.pictures.film.drawing import Pixels, draw
from cytoform.pictures.film.encoders import EncoderSettings, encoder, require_encoder
from cytoform.pictures.film.framing import frame_all
from cytoform.pictures.film.layout import movie_page, plan_movie, sheet_page
from cytoform.pictures.film.page import Page
from cytoform.pictures.film.style import MovieStyle, check, format_of
from cytoform.pictures.film.timeline import Timeline, matching_frame, timeline

# Pages drawn consecutively by a process, which share surfaces; memory limit of pictures waiting for the encoder.
PAGES_A_TASK = 3
BYTES_WAITING = 96_000_000


@dataclass(frozen=True)
class Movie:
    """Properties of the written movie; a sheet is one picture."""

    names: tuple[str, ...]
    n_pictures: int
    size_px: tuple[int, int]
    fps: float
    px_per_um: float


def write_movie(
    store: Path,
    out: Path,
    *,
    against: Path | None = None,
    sequences: Sequence[str] | None = None,
    style: MovieStyle = MovieStyle(),  # noqa: B008 (frozen)
    workers: int = 1,
    overwrite: bool = False,
    progress: Progress = no_progress,
) -> Movie:
    """Write cells of a shape store as a movie (.mp4, .gif), a sheet of times (.png) or a folder of numbered pictures.

    Shows up to six sequences, or the named ones, with one camera and scale; each above the sequence of the same name in
    `against`, if given. Raises InputError for settings or cells that cannot be shown, before drawing.
    """
    store, out = Path(store), Path(out)
    output = Output.at(out, inputs=[store, against], overwrite=overwrite)
    output.check()
    chosen = format_of(out)
    check(style, chosen)
    require_encoder(chosen)
    cast = choose(store, None if against is None else Path(against), sequences)
    times = timeline(cast.subjects, style, chosen)
    with output.staged(folder=chosen.name == "frames") as partial, local_workers(workers):
        shown = _shown(cast, times)
        with progress("measuring", len(shown)) as advance:
            framing = frame_all(shown, view_deg=style.view_deg, turning=times.turning, workers=workers, done=advance)
        plan = plan_movie(cast, times, framing, style, chosen.size_px)
        sheet = [sheet_page(plan, times)] if chosen.name == "sheet" else None
        first = sheet[0] if sheet else movie_page(plan, times.moments[0])
        name = os.fsencode(store.name).decode(errors="replace")  # a name need not be text, a comment has to be
        comment = f"cytoform {cytoform.__version__}: {name}, 1 µm is {first.px_per_um:.4g} pixels"
        n_pictures = 1 if sheet else len(times.moments)
        settings = EncoderSettings(plan.size_px, times.fps, style, plan.n_sides, comment)
        with progress("drawing", n_pictures) as advance, encoder(chosen, partial, settings) as show:
            pages = sheet or (movie_page(plan, moment) for moment in times.moments)
            for picture in _pictures(pages, plan.size_px, workers, advance):
                show(picture)
        if chosen.name == "frames":
            _write_provenance(partial, comment, cast)
    names = tuple(subject.name for subject in cast.subjects)
    return Movie(names, n_pictures, plan.size_px, float(times.fps), first.px_per_um)


def _shown(cast: Cast, times: Timeline) -> list[tuple[MovieCell, int]]:
    """All frames of cells that appear in the movie."""
    shown = []
    for tick in sorted({moment.tick for moment in times.moments}):
        for subject in cast.subjects:
            frame = times.clock.frame(subject, tick)
            if frame is not None:
                shown += [(cell, matching_frame(subject, frame) if cell.side else frame) for cell in subject.cells]
    return list(dict.fromkeys(shown))


def _pictures(pages: Iterable[Page], size_px: tuple[int, int], workers: int, advance: Advance) -> Iterator[Pixels]:
    """Draw the pages in order, in batches that limit memory."""
    n_at_once = max(BYTES_WAITING // (4 * size_px[0] * size_px[1]), workers)
    n_a_task = max(min(PAGES_A_TASK, n_at_once // workers), 1)
    different = ((page, len(list(same))) for page, same in groupby(pages))
    while some := list(islice(different, n_at_once)):
        tasks = [([page for page, _ in some[low : low + n_a_task]],) for low in range(0, len(some), n_a_task)]
        drawn = run_all(draw, tasks, workers=workers, done=lambda: advance(0))
        for (_, times), picture in zip(some, (picture for pictures in drawn for picture in pictures), strict=True):
            for _ in range(times):
                advance(1)
                yield picture


def _write_provenance(folder: Path, comment: str, cast: Cast) -> None:
    names = [subject.name for subject in cast.subjects]
    provenance = {"command": "cytoform movie", "what": comment, "sequences": names, "versions": software_versions()}
    write_json(folder / "provenance.json", provenance)

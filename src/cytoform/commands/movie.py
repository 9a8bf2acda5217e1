"""`cytoform movie`: cells as time-lapse and turntable, for talks and papers."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from cytoform.commands.common import Common, Incomplete, WorkerOptions
from cytoform.pictures.film.style import MovieStyle


def movie(
    store: Path,
    /,
    *,
    out: Path,
    sequences: Annotated[list[str] | None, Parameter(consume_multiple=True)] = None,
    against: Path | None = None,
    style: MovieStyle = MovieStyle(),  # noqa: B008 (frozen)
    incomplete: Incomplete = Incomplete(),  # noqa: B008 (frozen)
    workers: WorkerOptions = WorkerOptions(),  # noqa: B008 (frozen)
    common: Common = Common(),  # noqa: B008 (frozen)
) -> None:
    """Show cells of a shape store as a movie, with one camera and one scale for all. Needs no display.

    Parameters
    ----------
    store
        Shape store: prepared, reconstructed or generated.
    out
        NAME.mp4 or NAME.gif: a movie. NAME.png: one sheet, a row a cell and a column a time. NAME without an ending: a
        folder of numbered PNG pictures.
    sequences
        Show these sequences, in this order; by default up to six, spread over the store.
    against
        Another store, for example of reconstructions: its sequences of the same names are shown below.
    """
    from cytoform.pictures.film.write import write_movie

    chosen = incomplete.sequences(store, sequences, common)
    with workers.ready() as n_workers:
        written = write_movie(
            store,
            out,
            against=against,
            sequences=chosen,
            style=style,
            workers=n_workers,
            overwrite=common.overwrite,
            progress=common.progress,
        )
    width, height = written.size_px
    n = written.n_pictures
    pictures = "1 picture" if n == 1 else f"{n} pictures ({n / written.fps:.3g} s)"
    common.say(f"{pictures} of {width} × {height}, 1 µm is {written.px_per_um:.4g} pixels: {', '.join(written.names)}")
    common.done(out, "info", store)

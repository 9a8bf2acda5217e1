"""`cytoform movie`: cells as time-lapse and turntable, for talks and papers."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from cytoform.commands.common import Common, WorkerOptions

if TYPE_CHECKING:
    from cytoform.pictures.film import MovieStyle


@Parameter(name="*")
@dataclass(frozen=True)
class StyleOptions:
    """How the movie looks and what moves in it."""

    turntable: Annotated[
        bool, Parameter(help="Turn the cells once around while time runs, or at one --frame.", negative=())
    ] = False
    frame: Annotated[int | None, Parameter(help="Show only this frame, counted from 0; a movie turns around it.")] = (
        None
    )
    seconds: Annotated[
        float | None,
        Parameter(help="Length; by default a tenth of a second a frame, at least 3 s, and 8 s for a turn."),
    ] = None
    fps: Annotated[
        float | None, Parameter(help="Pictures a second; a time-lapse shows each frame once unless --seconds is given.")
    ] = None
    size: Annotated[
        tuple[int, int] | None,
        Parameter(help="Width and height in pixels; by default 1280 720, for a .gif 640 360.", negative=()),
    ] = None
    background: Annotated[Literal["white", "black", "transparent"], Parameter(help="transparent: only for PNG.")] = (
        "white"
    )
    colour: Annotated[
        list[str] | None,
        Parameter(help="Of the cells, and of those of --against: teal, #1b9e77.", consume_multiple=True, negative=()),
    ] = None
    view: Annotated[
        tuple[float, float] | None,
        Parameter(
            help="Azimuth and elevation of the viewer in degrees; by default the side that shows most.", negative=()
        ),
    ] = None
    labels: Annotated[bool, Parameter(help="Names, time and scale bar.")] = True

    def style(self) -> "MovieStyle":
        """As the library takes it."""
        from cytoform.pictures.film import MovieStyle

        return MovieStyle(
            size_px=self.size,
            turntable=self.turntable,
            frame=self.frame,
            seconds=self.seconds,
            fps=self.fps,
            background=self.background,
            colours=tuple(self.colour or ()),
            view_deg=self.view,
            labels=self.labels,
        )


def movie(
    store: Path,
    /,
    *,
    out: Path,
    sequences: Annotated[list[str] | None, Parameter(consume_multiple=True)] = None,
    against: Path | None = None,
    options: StyleOptions = StyleOptions(),
    workers: WorkerOptions = WorkerOptions(),  # noqa: B008 (frozen)
    common: Common = Common(),  # noqa: B008 (frozen)
) -> None:
    """Show cells of a shape store as a movie, seen by one camera at one scale; needs no display.

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
        Another store, whose sequences of the same names are shown below: reconstructions, for example.
    """
    from cytoform.pictures.film import write_movie

    with workers.ready() as n_workers:
        written = write_movie(
            store,
            out,
            against=against,
            sequences=sequences,
            style=options.style(),
            workers=n_workers,
            overwrite=common.overwrite,
            progress=common.progress,
        )
    width, height = written.size_px
    n = written.n_pictures
    pictures = "1 picture" if n == 1 else f"{n} pictures ({n / written.fps:.3g} s)"
    common.say(f"{pictures} of {width} × {height}, 1 µm is {written.px_per_um:.4g} pixels: {', '.join(written.names)}")
    common.done(out, next_command=f"cytoform info {store}")

"""`cytoform view`: the cells of a shape store in 3D, in the browser."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from cytoform.base.options import real
from cytoform.commands.common import Common, Incomplete, WorkerOptions, export_of


def view(
    store: Path,
    /,
    *,
    out: Path | None = None,
    against: Path | None = None,
    protrusions: Annotated[bool, Parameter(negative=())] = False,
    sequences: Annotated[list[str] | None, Parameter(consume_multiple=True)] = None,
    megabytes: Annotated[float, real(0.1, 2000)] = 25.0,
    show: Annotated[bool, Parameter(name="--open", negative=())] = False,
    incomplete: Incomplete = Incomplete(),  # noqa: B008 (frozen)
    workers: WorkerOptions = WorkerOptions(),  # noqa: B008 (frozen)
    common: Common = Common(),  # noqa: B008 (frozen)
) -> None:
    """Write a page to look at the cells of a shape store in 3D: turn, zoom, play, scrub.

    Parameters
    ----------
    store
        Shape store: prepared, reconstructed or generated.
    out
        Page to write, one file that needs no network; by default NAME.html in the current folder.
    against
        Shape store of the original cells: shows each beside its reconstruction, coloured by the signed error.
    protrusions
        Take the cells apart, and give each protrusion a colour that it keeps as long as it lasts.
    sequences
        Names of the sequences to show; by default all.
    megabytes
        Largest size of the page, kept by fewer faces per mesh and, if needed, fewer frames.
    show
        Open the page in the browser.
    """
    from cytoform.pictures.player.view import write_view

    page = Path(f"{store.resolve().stem}.html") if out is None else out
    chosen = incomplete.sequences(store, sequences, common)
    with workers.ready() as n_workers:
        made = write_view(
            store,
            page,
            against=against,
            protrusions=protrusions,
            sequences=chosen,
            megabytes=megabytes,
            workers=n_workers,
            overwrite=common.overwrite,
            progress=common.progress,
        )
    common.say(
        f"{made.n_sequences} cells, {made.n_frames} frames"
        + f", every {made.stride}th shown" * (made.stride > 1)
        + f"; "
        f"meshes of up to {made.most_faces} faces; {page.stat().st_size / 1e6:.1f} MB"
    )
    if show:
        import webbrowser

        webbrowser.open(page.resolve().as_uri())
    common.done(page, *export_of(store))

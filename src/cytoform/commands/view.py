"""`cytoform view`: the cells of a shape store in 3D, in the browser."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from cytoform.commands.common import Common, WorkerOptions


def view(
    store: Path,
    /,
    *,
    out: Path | None = None,
    against: Path | None = None,
    sequences: Annotated[list[str] | None, Parameter(consume_multiple=True)] = None,
    megabytes: float = 25.0,
    show: Annotated[bool, Parameter(name="--open", negative=())] = False,
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
        Shape store of the cells that STORE reconstructs: each stands beside its own, coloured by how far it is off.
    sequences
        Show only the sequences with these names.
    megabytes
        Size that the page keeps to, by fewer faces a mesh and, if need be, fewer frames.
    show
        Open the page in the browser.
    """
    from cytoform.base.files import refuse_existing, staged
    from cytoform.errors import InputError
    from cytoform.pictures.player.view import view_page

    page = Path(f"{store.resolve().stem}.html") if out is None else out
    if page.suffix.lower() not in (".html", ".htm"):
        raise InputError(f"{page}: a page for the browser ends in .html")
    refuse_existing(page, overwrite=common.overwrite)
    if not 0.1 <= megabytes <= 2000:
        raise InputError(f"--megabytes {megabytes:g}: choose from 0.1 to 2000")
    with workers.ready() as n_workers:
        made = view_page(
            store,
            against=against,
            sequences=sequences,
            budget_bytes=int(megabytes * 1e6),
            workers=n_workers,
            progress=common.progress,
        )
    with staged(page, overwrite=common.overwrite, folder=False) as partial:
        partial.write_text(made.html, "utf-8")
    common.say(
        f"{made.n_sequences} cells, {made.n_frames} frames"
        + f", every {made.stride}th shown" * (made.stride > 1)
        + f"; "
        f"meshes of up to {made.most_faces} faces; {page.stat().st_size / 1e6:.1f} MB"
    )
    if show:
        import webbrowser

        webbrowser.open(page.resolve().as_uri())
    common.done(page, next_command=f"cytoform export {store} --to meshes --out meshes")

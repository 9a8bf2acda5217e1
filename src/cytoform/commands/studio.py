"""`cytoform studio`: cells from a run's codes, in the browser."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from cytoform.base.options import real
from cytoform.commands.common import Common, Device


def studio(
    run: Path,
    /,
    *,
    out: Path | None = None,
    megabytes: Annotated[float, real(0.1, 2000)] = 25.0,
    show: Annotated[bool, Parameter(name="--open", negative=())] = False,
    device: Device = "auto",
    common: Common = Common(),  # noqa: B008 (frozen)
) -> None:
    """Write a page in which a run makes cells: move its code, draw at random, go between cells, save the surfaces.

    Parameters
    ----------
    run
        Run folder of 'cytoform train', of whole cells.
    out
        Page to write, one file that needs no network; by default NAME.studio.html in the current folder.
    megabytes
        Largest size of the page; a run with too many weights for it is refused.
    show
        Open the page in the browser.
    """
    from cytoform.reports.studio.page import write_studio
    from cytoform.synthesis.cells import load

    cells = load(run, device=device)
    page = Path(f"{cells.run.path.resolve().name}.studio.html") if out is None else out
    made = write_studio(cells, page, megabytes=megabytes, overwrite=common.overwrite, progress=common.progress)
    common.say(f"{made.n_cells} learned cells; {page.stat().st_size / 1e6:.1f} MB")
    if made.rounded:
        common.say(
            f"distances around thick protrusions are rounded to fit into {megabytes:g} MB; more --megabytes keep them exact"
        )
    if show:
        import webbrowser

        webbrowser.open(page.resolve().as_uri())
    common.done(page, "generate", run, "--code", "CODE.json", "--out", "new.zarr")

"""`cytoform reconstruct`: renders the learned cells from their codes."""

from functools import partial
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from cytoform.commands.common import Common, Device
from cytoform.commands.filled import lines_of
from cytoform.synthesis.options import FitSettings, Rendering


def reconstruct(
    run: Path,
    /,
    *,
    out: Path,
    sequences: Annotated[list[str] | None, Parameter(consume_multiple=True, negative=())] = None,
    known: Path | None = None,
    settings: FitSettings = FitSettings(),  # noqa: B008 (frozen)
    rendering: Rendering = Rendering(),  # noqa: B008 (frozen)
    device: Device = "auto",
    common: Common = Common(),  # noqa: B008 (frozen)
) -> None:
    """Render the learned sequences from their codes, at any grid and any number of frames.

    Parameters
    ----------
    run
        Run folder of 'cytoform train'.
    out
        Shape store to write, NAME.zarr.
    sequences
        Names of the sequences to render; by default all.
    known
        Store with the learned sequences: frames that were learned are copied, and those between (left out by
        data.frame_stride, or more of them by --frames) are filled in as by 'cytoform fill --run'.
    """
    from cytoform.synthesis.cells import load
    from cytoform.synthesis.fitting.stage import reconstruct_between
    from cytoform.synthesis.sequences import reconstruct as reconstruct_sequences
    from cytoform.synthesis.verdict import REMEDY

    cells = load(run, device=device)
    write = reconstruct_sequences if known is None else partial(reconstruct_between, shapes=known, settings=settings)
    completion = write(
        cells,
        out=out,
        names=sequences,
        rendering=rendering,
        seed=common.seed,
        overwrite=common.overwrite,
        progress=common.progress,
    )
    for each in completion.sequences if completion else ():
        for line in lines_of(each):
            common.say(line)
    common.remark(out, remedy=REMEDY)
    common.done(out, "evaluate", known or "shapes.zarr", out, "--paired", "--out", "report")

"""`cytoform reconstruct`: renders the learned cells from their codes."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from cytoform.commands.common import Common, Device
from cytoform.synthesis.options import Rendering


def reconstruct(
    run: Path,
    /,
    *,
    out: Path,
    sequences: Annotated[list[str] | None, Parameter(consume_multiple=True, negative=())] = None,
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
    """
    from cytoform.synthesis.cells import load
    from cytoform.synthesis.sequences import reconstruct as reconstruct_sequences
    from cytoform.synthesis.verdict import REMEDY

    reconstruct_sequences(
        load(run, device=device),
        out,
        names=sequences,
        rendering=rendering,
        seed=common.seed,
        overwrite=common.overwrite,
        progress=common.progress,
    )
    common.remark(out, remedy=REMEDY)
    common.done(out, "evaluate", "shapes.zarr", out, "--paired", "--out", "report")

"""`cytoform generate`: cells that never existed."""

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from cytoform.commands.common import Common, RenderingOptions


def generate(
    run: Path,
    /,
    *,
    out: Path,
    n: Annotated[int, Parameter(name=["-n", "--number"])] = 1,
    prior: Literal["gaussian", "around"] = "gaussian",
    sigma: float | None = None,
    options: RenderingOptions = RenderingOptions(),  # noqa: B008 (frozen)
    common: Common = Common(),  # noqa: B008 (frozen)
) -> None:
    """Render new cells from codes drawn at random.

    Parameters
    ----------
    run
        Run folder of 'cytoform train'.
    out
        Shape store to write, NAME.zarr.
    n
        How many cells.
    prior
        gaussian draws codes from N(0, σ²); around adds N(0, σ²) to learned codes.
    sigma
        σ; by default 0.1 for gaussian and 0.01 for around, as in the paper.
    """
    from cytoform.synthesis.cells import load
    from cytoform.synthesis.sequences import generate as generate_sequences

    generate_sequences(
        load(run, device=options.device),
        out,
        n,
        prior=prior,
        sigma=sigma,
        rendering=options.rendering(),
        seed=common.seed,
        overwrite=common.overwrite,
        progress=common.progress,
    )
    common.done(out, next_command=f"cytoform export {out} --to meshes --out meshes")

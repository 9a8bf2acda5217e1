"""`cytoform reconstruct`: the learned cells, rendered from their codes."""

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from cytoform.commands.common import Common, Device


def reconstruct(
    run: Path,
    /,
    *,
    out: Path,
    grid: int | None = None,
    frames: int | None = None,
    sequences: Annotated[list[str] | None, Parameter(consume_multiple=True, negative=())] = None,
    method: Literal["narrow-band", "dense"] = "narrow-band",
    safety: float = 2.0,
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
    grid
        Voxels along a side of the cube; by default those of the training data.
    frames
        Frames spread evenly over the sequence's time; by default as many as it had.
    sequences
        Names of the sequences to render; by default all.
    method
        narrow-band evaluates only near the surface; dense evaluates every voxel.
    safety
        Times the measured slope of the field: higher is slower and surer to find what is isolated and thin.
    device
        Where to compute.
    """
    from cytoform.synthesis.cells import load
    from cytoform.synthesis.sequences import Rendering
    from cytoform.synthesis.sequences import reconstruct as reconstruct_sequences

    reconstruct_sequences(
        load(run, device=device),
        out,
        names=sequences,
        rendering=Rendering(grid, frames, method, safety),
        seed=common.seed,
        overwrite=common.overwrite,
        progress=common.progress,
    )
    common.done(out, next_command=f"cytoform evaluate shapes.zarr {out} --paired --out report")

"""`cytoform texture render`: images for masks."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from cytoform.base.options import FIRST_LAST
from cytoform.commands.common import Common, Device, ScaleOptions, WorkerOptions


def render(
    model: str,
    masks: Path,
    /,
    *,
    out: Path,
    projection: Annotated[bool, Parameter(negative=())] = False,
    frames: Annotated[tuple[int, int] | None, FIRST_LAST] = None,
    sequences: Annotated[list[str] | None, Parameter(consume_multiple=True)] = None,
    device: Annotated[Device, Parameter(help="Where a trained model computes.")] = "auto",
    scale: ScaleOptions = ScaleOptions(),  # noqa: B008 (frozen)
    workers: WorkerOptions = WorkerOptions(),  # noqa: B008 (frozen)
    common: Common = Common(),  # noqa: B008 (frozen)
) -> None:
    """Make images for masks; writes image and mask pairs in the Cell Tracking Challenge layout.

    Parameters
    ----------
    model
        Trained texture model, parameter file of optics (.toml), or "optics" for a microscope with default parameters.
    masks
        Shape store, or label movies, 2D or 3D: Cell Tracking Challenge folder, TIFF, folder of TIFFs, OME-Zarr labels.
    out
        Folder to write: images in 01/, masks in 01_GT/SEG/, README.md.
    projection
        Write maximum projections of 3D images, as in the paper's 2D+time sets.
    frames
        First and last frame to render; by default all.
    sequences
        Names of the sequences to render; by default all.
    """
    from cytoform.imaging.rendering import render_pairs

    with workers.ready() as n_workers:
        written = render_pairs(
            model,
            masks,
            out,
            projection=projection,
            seed=common.seed,
            device=device,
            frames=frames,
            sequences=sequences,
            voxel_size_zyx_um=scale.voxel_size,
            time_step_s=scale.time_step,
            workers=n_workers,
            overwrite=common.overwrite,
            progress=common.progress,
        )
    n_pairs = sum(len(target.frames) for target in written)
    sequences_written = "1 sequence" if len(written) == 1 else f"{len(written)} sequences"
    common.say(f"{n_pairs} pairs of image and mask in {sequences_written}")
    common.done(out, "texture", "evaluate", "REAL", out, "--out", "judged")

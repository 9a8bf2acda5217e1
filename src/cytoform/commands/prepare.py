"""`cytoform prepare`: label movies to a shape store."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from cytoform.commands.common import Common, ScaleOptions, WorkerOptions

if TYPE_CHECKING:
    from cytoform.prepare import Prepared


def prepare(
    sources: Annotated[list[Path], Parameter(name="SOURCE", negative=())],
    /,
    *,
    out: Path,
    frames: int | None = None,
    grid: int = 128,
    half_extent: float | None = None,
    keep_motion: Annotated[bool, Parameter(negative=())] = False,
    resume: Annotated[bool, Parameter(negative=())] = False,
    scale: ScaleOptions = ScaleOptions(),  # noqa: B008 (frozen)
    workers: WorkerOptions = WorkerOptions(),  # noqa: B008 (frozen)
    common: Common = Common(),  # noqa: B008 (frozen)
) -> int:
    """Turn label movies into a shape store: signed distances in µm of every cell family, on one cube for all.

    Parameters
    ----------
    sources
        Label movies: TIFF or OME-TIFF (t z y x), folders of one TIFF a frame, Cell Tracking Challenge folders,
        OME-Zarr label images.
    out
        Shape store to write, NAME.zarr.
    frames
        Use at most this many frames of each family, from its first.
    grid
        Voxels along a side of the cube.
    half_extent
        Half the side of the cube in µm; by default as small as the cells allow.
    keep_motion
        Centre each sequence as a whole instead of every frame on its own centroid.
    resume
        Go on where the same command was interrupted, or add the movies that failed in it.
    """
    from cytoform.prepare import prepare as prepare_movies

    with workers.ready() as n_workers:
        prepared = prepare_movies(
            sources,
            out,
            voxel_size_zyx_um=scale.voxel_size,
            time_step_s=scale.time_step,
            frames=frames,
            grid_size=grid,
            half_extent_um=half_extent,
            keep_motion=keep_motion,
            workers=n_workers,
            seed=common.seed,
            overwrite=common.overwrite,
            resume=resume,
            progress=common.progress,
        )
    if not prepared.n_families and not prepared.failures:
        common.say(f"nothing is missing in {out}")
        return 0
    for failure in prepared.failures:
        common.complain(failure.reason)
    if prepared.n_families:
        _report(prepared, common)
        common.done(out, next_command=f"cytoform train {out} --out run --preset quick")
    if not prepared.failures:
        return 0
    common.say(f"{len(prepared.failures)} failed; mend them, then add them with the same command and --resume")
    return 2


def _report(prepared: "Prepared", common: Common) -> None:
    grid = prepared.grid
    families = "cell family" if prepared.n_families == 1 else "cell families"
    common.say(f"{prepared.n_families} {families}, {prepared.n_frames} frames")
    common.say(f"cube of {2 * grid.half_extent_um:g} µm in {grid.size}³ voxels of {grid.spacing_um:.4g} µm")
    for lost in prepared.left_out:
        common.say(f"left out: {lost.name}, {lost.reason}")
    if prepared.n_holes or prepared.n_specks:
        common.say(f"{prepared.n_holes} enclosed holes filled, {prepared.n_specks} specks dropped")

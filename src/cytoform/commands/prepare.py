"""`cytoform prepare`: label movies to a shape store."""

import os
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from cytoform.commands.common import Common


def prepare(
    sources: Annotated[list[Path], Parameter(name="SOURCE", negative=())],
    /,
    *,
    out: Path,
    voxel_size: tuple[float, float, float] | None = None,
    time_step: float | None = None,
    frames: int | None = None,
    grid: int = 128,
    half_extent: float | None = None,
    keep_motion: Annotated[bool, Parameter(negative=())] = False,
    workers: int | None = None,
    common: Common = Common(),  # noqa: B008 (frozen)
) -> None:
    """Turn label movies into a shape store: signed distances in µm of every cell family, on one cube for all.

    Parameters
    ----------
    sources
        Label movies: TIFF or OME-TIFF (t z y x), folders of one TIFF a frame, Cell Tracking Challenge folders,
        OME-Zarr label images.
    out
        Shape store to write, NAME.zarr.
    voxel_size
        Voxel size Z Y X in µm, where the files do not record it or record it wrongly.
    time_step
        Seconds between frames, likewise.
    frames
        Use at most this many frames of each family, from its first.
    grid
        Voxels along a side of the cube.
    half_extent
        Half the side of the cube in µm; by default as small as the cells allow.
    keep_motion
        Centre each sequence as a whole instead of every frame on its own centroid.
    workers
        Processes to work in; by default one a CPU core.
    """
    from cytoform.movies.prepare import prepare as prepare_movies

    prepared = prepare_movies(
        sources,
        out,
        voxel_size_zyx_um=voxel_size,
        time_step_s=time_step,
        frames=frames,
        grid_size=grid,
        half_extent_um=half_extent,
        keep_motion=keep_motion,
        workers=len(os.sched_getaffinity(0)) if workers is None else workers,
        seed=common.seed,
        overwrite=common.overwrite,
        progress=common.progress,
    )
    families = "cell family" if prepared.n_families == 1 else "cell families"
    common.say(f"{prepared.n_families} {families}, {prepared.n_frames} frames")
    common.say(
        f"cube of {2 * prepared.grid.half_extent_um:g} µm in {grid}³ voxels of {prepared.grid.spacing_um:.4g} µm"
    )
    for lost in prepared.left_out:
        common.say(f"left out: {lost.name}, {lost.reason}")
    if prepared.n_holes or prepared.n_specks:
        common.say(f"{prepared.n_holes} enclosed holes filled, {prepared.n_specks} specks dropped")
    common.done(out, next_command=f"cytoform train {out} --out run --preset quick")

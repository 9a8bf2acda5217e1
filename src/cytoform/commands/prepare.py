"""`cytoform prepare`: label movies to a shape store."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from cytoform.commands.common import Common, WorkerOptions
from cytoform.prepare.request import Request

if TYPE_CHECKING:
    from cytoform.prepare.stage import Prepared


def prepare(
    sources: Annotated[list[Path], Parameter(name="SOURCE", negative=())],
    /,
    *,
    out: Path,
    request: Request = Request(),  # noqa: B008 (frozen)
    resume: Annotated[bool, Parameter(negative=())] = False,
    workers: WorkerOptions = WorkerOptions(),  # noqa: B008 (frozen)
    common: Common = Common(),  # noqa: B008 (frozen)
) -> int:
    """Turn label movies into a shape store: signed distances in µm of every cell family, on one cube for all.

    Parameters
    ----------
    sources
        Label movies: TIFF or OME-TIFF (t z y x or t y x), folders of one TIFF a frame, Cell Tracking Challenge folders,
        OME-Zarr label images.
    out
        Shape store to write, NAME.zarr.
    resume
        Go on where the same command was interrupted, or add the movies that failed in it.
    """
    from cytoform.prepare.stage import prepare as prepare_movies

    options = replace(request, sources=tuple(sources), seed=common.seed).arguments()
    with workers.ready() as n_workers:
        prepared = prepare_movies(
            **options,
            out=out,
            workers=n_workers,
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
        common.done(out, "train", out, "--out", "run")
    if not prepared.failures:
        return 0
    common.say(f"{len(prepared.failures)} failed; mend them, then add them with the same command and --resume")
    return 2


def _report(prepared: "Prepared", common: Common) -> None:
    from cytoform.prepare.summary import table
    from cytoform.shapes.grid import CUBES

    for line in table(prepared.movies):
        common.say(line)
    grid = prepared.grid
    families = "cell family" if prepared.n_families == 1 else "cell families"
    common.say(f"{prepared.n_families} {families}, {prepared.n_frames} frames")
    common.say(f"{CUBES[grid.n_dims]} of {2 * grid.half_extent_um:g} µm in {grid.text}")
    if prepared.n_holes or prepared.n_specks:
        common.say(f"{prepared.n_holes} enclosed holes filled, {prepared.n_specks} specks dropped")

"""`cytoform fill`: missing frames and planes, without a run or with one."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from cytoform.base.options import GRID
from cytoform.commands.common import Common, Device, ScaleOptions, WorkerOptions
from cytoform.commands.filled import choice_line, lines_beyond, lines_of
from cytoform.commands.source import as_store
from cytoform.completion.options import FillOptions
from cytoform.synthesis.options import FitSettings


def fill(
    source: Path,
    /,
    *,
    out: Path,
    run: Path | None = None,
    sequences: Annotated[list[str] | None, Parameter(consume_multiple=True, negative=())] = None,
    options: FillOptions = FillOptions(),  # noqa: B008 (frozen)
    settings: FitSettings = FitSettings(),  # noqa: B008 (frozen)
    grid_size: Annotated[int, Parameter("--grid"), GRID] = 128,
    scale: ScaleOptions = ScaleOptions(),  # noqa: B008 (frozen)
    device: Device = "auto",
    workers: WorkerOptions = WorkerOptions(),  # noqa: B008 (frozen)
    common: Common = Common(),  # noqa: B008 (frozen)
) -> None:
    """Fill missing frames and planes, or make a movie finer in time. Known frames come back exactly.

    The way is chosen by hiding known frames of this very data set: the mean of the neighbours' distances, or mixtures with a
    cubic in time, a registration, protrusions that are tracked as curves, and what a run expects. The choice, its expected
    error and the expected error of every frame are stored.

    Parameters
    ----------
    source
        Shape store of 'cytoform prepare' (with --gaps keep, if frames are missing), or a label movie.
    out
        Shape store to write, NAME.zarr.
    run
        Run folder of 'cytoform train', fitted to the known frames as by 'cytoform fit'; by default none.
    sequences
        Names of the sequences to fill; by default all.
    grid_size
        Voxels along a side of the cube, for a label movie.
    """
    from cytoform.base.kinds import Kind, kind_of
    from cytoform.completion.stage import fill as fill_store

    model = None
    if run is not None:
        from cytoform.synthesis.cells import load
        from cytoform.synthesis.fitting.model import FittedModel

        settings.check()
        model = FittedModel(load(run, device=device), settings, common.seed)
    with (
        workers.ready() as n_workers,
        as_store(
            source,
            out=out,
            scale=scale,
            grid_size=grid_size,
            half_extent_um=None,
            say=common.say,
            workers=n_workers,
        ) as shapes,
    ):
        found = fill_store(
            shapes,
            out,
            names=sequences,
            options=options,
            model=model,
            workers=n_workers,
            overwrite=common.overwrite,
            progress=common.progress,
        )
    if found.plane_choice is not None:
        common.say(choice_line(found.plane_choice, kind="plane", baseline="slice-wise"))
    for each in found.sequences:
        for line in lines_of(each):
            common.say(line)
    if any(each.n_beyond for each in found.sequences):
        for line in lines_beyond(found.beyond):
            common.say(line)
    if run is not None:
        from cytoform.synthesis.verdict import REMEDY

        common.remark(out, remedy=REMEDY)
    same_times = (options.n_frames, options.before, options.after) == (None, 0, 0)
    if kind_of(source) is Kind.SHAPE_STORE and same_times and sequences is None:
        common.done(out, "evaluate", source, out, "--paired", "--out", "report")
    else:
        common.done(out, "view", out)

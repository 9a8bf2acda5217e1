"""`cytoform fill`: missing frames and planes, without a run."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from cytoform.base.options import GRID
from cytoform.commands.common import Common, ScaleOptions, WorkerOptions
from cytoform.commands.source import as_store
from cytoform.completion.options import FillOptions

if TYPE_CHECKING:
    from cytoform.completion.mixture import Choice
    from cytoform.completion.stage import FilledSequence


def fill(
    source: Path,
    /,
    *,
    out: Path,
    sequences: Annotated[list[str] | None, Parameter(consume_multiple=True, negative=())] = None,
    options: FillOptions = FillOptions(),  # noqa: B008 (frozen)
    grid_size: Annotated[int, Parameter("--grid"), GRID] = 128,
    scale: ScaleOptions = ScaleOptions(),  # noqa: B008 (frozen)
    workers: WorkerOptions = WorkerOptions(),  # noqa: B008 (frozen)
    common: Common = Common(),  # noqa: B008 (frozen)
) -> None:
    """Fill missing frames and planes, or make a movie finer in time. Known frames come back exactly.

    The way is chosen by hiding known frames of this very data set: the mean of the neighbours' distances, or mixtures with a
    cubic in time and a registration. The choice, its expected error and the expected error of every frame are stored.

    Parameters
    ----------
    source
        Shape store of 'cytoform prepare' (with --gaps keep, if frames are missing), or a label movie.
    out
        Shape store to write, NAME.zarr.
    sequences
        Names of the sequences to fill; by default all.
    grid_size
        Voxels along a side of the cube, for a label movie.
    """
    from cytoform.base.kinds import Kind, kind_of
    from cytoform.completion.stage import fill as fill_store

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
            workers=n_workers,
            overwrite=common.overwrite,
            progress=common.progress,
        )
    if found.plane_choice is not None:
        common.say(_choice(found.plane_choice, kind="plane", baseline="slice-wise"))
    for each in found.sequences:
        common.say(_line(each))
        if each.n_filled:
            common.say(f"  {_choice(each.chosen.choice, kind='frame', baseline='mean of distances')}")
    if kind_of(source) is Kind.SHAPE_STORE and options.n_frames is None and sequences is None:
        common.done(out, "evaluate", source, out, "--paired", "--out", "report")
    else:
        common.done(out, "view", out)


def _choice(choice: "Choice", *, kind: str, baseline: str) -> str:
    """The chosen way in one line, with the hidden frames or planes that it was judged by."""
    if choice.jaccard is None:
        return f"{kind}s: {choice.mixture}; no known {kind} could be hidden to compare ways"
    hidden = f"{kind}s of {choice.n_hidden} frames" if kind == "plane" else f"{choice.n_hidden} known frames"
    return (
        f"{kind}s: {choice.mixture}; {hidden} hidden: Jaccard index {choice.jaccard:.4f}, "
        f"{baseline} {choice.jaccard_baseline:.4f}, nearest {kind} {choice.jaccard_nearest:.4f}"
    )


def _line(each: "FilledSequence") -> str:
    n_lost = each.n_known - each.n_copied
    lost = f", {n_lost} known ones are at no frame of the output" if n_lost else ""
    expected = [value for value in each.expected_error_um if value]
    surface = f", surface to ±{min(expected):.2g} to {max(expected):.2g} µm" if expected else ""
    beyond = f"; {each.n_beyond} beyond the known ones, copies of the nearest" if each.n_beyond else ""
    return f"{each.name}: {each.n_copied} frames known{lost}, {each.n_filled} filled in{surface}{beyond}"

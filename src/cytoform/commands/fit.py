"""`cytoform fit`: cells that a run has not seen."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from cytoform.base.options import FRAMES, whole
from cytoform.commands.common import Common, Device, ScaleOptions
from cytoform.commands.filled import lines_beyond, lines_of
from cytoform.commands.source import as_store
from cytoform.synthesis.options import FitSettings, Rendering

if TYPE_CHECKING:
    from cytoform.synthesis.fitting.completed import Completed

ADAPT_STEPS = 600


def fit(
    run: Path,
    source: Path,
    /,
    *,
    out: Path,
    sequences: Annotated[list[str] | None, Parameter(consume_multiple=True, negative=())] = None,
    adapt: Annotated[bool, Parameter(negative=())] = False,
    every_frame: Annotated[int, FRAMES] = 1,
    every_plane: Annotated[int | None, whole(1, 1024)] = None,
    keep_known: bool = True,
    settings: FitSettings = FitSettings(),  # noqa: B008 (frozen)
    scale: ScaleOptions = ScaleOptions(),  # noqa: B008 (frozen)
    rendering: Rendering = Rendering(),  # noqa: B008 (frozen)
    device: Device = "auto",
    common: Common = Common(),  # noqa: B008 (frozen)
) -> None:
    """Find codes for cells that the run has not seen, and write them whole: fills gaps in time and space.

    Where frames or planes are missing, known ones come back exactly, as by 'cytoform fill --run'.

    Parameters
    ----------
    run
        Run folder of 'cytoform train'.
    source
        Shape store of 'cytoform prepare', or a label movie. Frames without a cell are filled in.
    out
        Shape store to write, NAME.zarr.
    sequences
        Names of the sequences to fit; by default all.
    adapt
        Also fine-tune the network for each cell. Fits better, but the cells no longer share one model.
    every_frame
        Use only every n-th frame.
    every_plane
        Use only every n-th plane along z of the store's grid.
    keep_known
        Copy known frames and planes where others are missing; otherwise all frames are as the run describes them.
    """
    from cytoform.base.kinds import Kind, kind_of
    from cytoform.synthesis.cells import load
    from cytoform.synthesis.fitting.stage import complete
    from cytoform.synthesis.verdict import REMEDY

    cells = load(run, device=device)
    learned = cells.run.learned
    with as_store(
        source, out=out, scale=scale, grid_size=learned.grid, half_extent_um=learned.half_extent_um, say=common.say
    ) as shapes:
        found = complete(
            cells,
            shapes,
            out,
            names=sequences,
            every_frame=every_frame,
            every_plane=every_plane,
            keep_known=keep_known,
            settings=replace(settings, adapt_steps=ADAPT_STEPS if adapt else 0),
            rendering=rendering,
            seed=common.seed,
            overwrite=common.overwrite,
            progress=common.progress,
        )
    for cell in found:
        common.say(_line(cell))
        for line in lines_of(cell.filled) if cell.filled else ():
            common.say(f"  {line}")
    for beyond in [cell.beyond for cell in found if cell.beyond][:1]:  # the same for all
        for line in lines_beyond(beyond):
            common.say(line)
    common.remark(out, remedy=REMEDY)
    if kind_of(source) is Kind.SHAPE_STORE:
        common.done(out, "evaluate", source, out, "--paired", "--out", "report")
    else:
        common.done(out, "view", out)


def _line(cell: "Completed") -> str:
    known = f"{cell.n_known} frames" + (f", {cell.n_gaps} filled in" if cell.n_gaps else "")
    learned = "" if cell.learned_error_um is None else f" (learned cells {cell.learned_error_um:.3g} µm)"
    expected = [value for value in cell.expected_error_um if value > 0]  # known ones are exact; NaN: nothing tells it
    surface = f", surface to ±{min(expected):.2g} to {max(expected):.2g} µm" if expected else ""
    score = cell.out_of_distribution
    unusual = "" if score is None else f", code {score:.2f} of the most unusual learned one"
    verdict = "; lies OUTSIDE what the run has learned" if cell.outside else ""
    return f"{cell.name}: {known}, error {cell.error_um:.3g} µm{learned}{surface}{unusual}{verdict}"

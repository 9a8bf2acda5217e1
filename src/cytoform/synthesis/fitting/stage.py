"""The stage from a run and a shape store of unseen cells to a store of the same cells, completed."""

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from cytoform.base.output import Output
from cytoform.base.parallel import Progress, no_progress
from cytoform.base.provenance import recorded_names
from cytoform.completion.options import FillOptions
from cytoform.completion.planes import check_planes
from cytoform.completion.stage import Completion, fill
from cytoform.errors import InputError
from cytoform.runs.run import Run
from cytoform.shapes.grid import frame_times
from cytoform.shapes.store import SequenceInfo, ShapeStore
from cytoform.synthesis.cells import Cells
from cytoform.synthesis.fitting.completed import Completed, completed_of, record_of
from cytoform.synthesis.fitting.fit import Fit
from cytoform.synthesis.fitting.model import FittedModel, arrays_of, fit_cell
from cytoform.synthesis.fitting.observed import Observed, check_dimensions, known_frames, observe
from cytoform.synthesis.options import FitSettings, Rendering
from cytoform.synthesis.render import BAND_VOXELS, render_sequence


def complete(
    cells: Cells,
    shapes: Path,
    out: Path,
    *,
    names: list[str] | None = None,
    every_frame: int = 1,
    every_plane: int | None = None,
    keep_known: bool = True,
    settings: FitSettings = FitSettings(),  # noqa: B008 (frozen)
    rendering: Rendering = Rendering(),  # noqa: B008 (frozen)
    seed: int = 0,
    overwrite: bool = False,
    progress: Progress = no_progress,
) -> list[Completed]:
    """Fit the sequences of the store `shapes`, all of them or the named ones, and write them whole into the store `out`.

    Only every `every_frame`-th frame that shows a cell is used, and in it, if given, only every `every_plane`-th plane. Where
    something is missing, known frames and planes are copied, and the run is one of the ways to make the others
    (completion/stage.py). Without `keep_known`, or where nothing is missing, all frames are those that the run describes. A
    movie is stretched over the time of the run: first frame to first frame. Raises InputError before anything is fitted.
    """
    run = cells.run
    output = Output.at(out, inputs=[run.path, shapes], overwrite=overwrite)
    output.check()
    settings.check()
    rendering.check()
    store = ShapeStore.open(shapes)
    check_dimensions(run, store.grid, shapes)
    check_planes(store, every_plane or 1)
    wanted = names or store.names
    if not wanted:
        raise InputError(f"{shapes}: holds no sequences; prepare some first")
    known = {name: known_frames(store[name], every_frame) for name in wanted}
    in_planes = every_plane is not None and every_plane != 1
    fills = keep_known and (in_planes or any(len(known[name]) < store[name].info.n_frames for name in wanted))
    _check(run, store, rendering, settings, in_planes=in_planes, fills=fills)
    model = FittedModel(cells, settings, seed)
    if fills:
        options = FillOptions(every_frame, every_plane or 1, rendering.n_frames)
        return _fill(model, store, out, wanted, options, overwrite, progress)
    observed = [
        observe(store[name], run, np.random.default_rng([seed, number]), frames=known[name], every_plane=every_plane)
        for number, name in enumerate(wanted)
    ]
    n_steps = len(wanted) * (settings.steps + settings.adapt_steps)
    return _render(model, store, output, observed, rendering, n_steps, progress)


def reconstruct_between(
    cells: Cells,
    shapes: Path,
    out: Path,
    *,
    names: list[str] | None = None,
    settings: FitSettings = FitSettings(),  # noqa: B008 (frozen)
    rendering: Rendering = Rendering(),  # noqa: B008 (frozen)
    seed: int = 0,
    overwrite: bool = False,
    progress: Progress = no_progress,
) -> Completion:
    """Copy the frames of the store `shapes` that the run has learned, and fill in those between (completion/stage.py).

    These are the frames that `data.frame_stride` left out, or those of a finer `rendering`. The run, whose decoder has seen
    the hidden frames, is one of the ways. Raises InputError.
    """
    run, store = cells.run, ShapeStore.open(shapes)
    check_dimensions(run, store.grid, shapes)
    stride, wanted = run.config.data.frame_stride, names or cells.names
    for name in wanted:
        run.code(name)  # raises where there is none
    if stride == 1 and rendering.n_frames is None:
        raise InputError(f"--known: {run.path} has learned every frame, so none lies between them; give more --frames")
    settings.check()
    rendering.check()
    _check(run, store, rendering, settings, in_planes=False, fills=True)
    options = FillOptions(every_frame=stride, n_frames=rendering.n_frames)
    model = FittedModel(cells, settings, seed)
    return fill(shapes, out, names=wanted, options=options, model=model, overwrite=overwrite, progress=progress)


def _check(
    run: Run, store: ShapeStore, rendering: Rendering, settings: FitSettings, *, in_planes: bool, fills: bool
) -> None:
    """Raises InputError for options that do not go together."""
    if run.config.model.kind == "linear" and settings.adapt_steps:
        raise InputError(f"--adapt: {run.path} has learned components alone; fit with a run of --preset unseen")
    if run.has_scales and in_planes and not fills:
        raise InputError(
            f"--every-plane: {run.path} has learned components, which take whole frames; keep known planes"
        )
    if fills and rendering.grid_size not in (None, store.grid.size):
        raise InputError(
            f"--grid {rendering.grid_size}: known frames are kept on their grid of {store.grid.size}; leave it out, or "
            "render all frames with --no-keep-known"
        )


def _fill(
    model: FittedModel,
    store: ShapeStore,
    out: Path,
    names: list[str],
    options: FillOptions,
    overwrite: bool,
    progress: Progress,
) -> list[Completed]:
    """Known frames as they are, the others by a mixture of ways of which the run is one."""
    filled = fill(store.path, out, names=names, options=options, model=model, overwrite=overwrite, progress=progress)
    return [
        replace(
            model.completed[each.name],
            expected_error_um=tuple(math.nan if um is None else um for um in each.expected_error_um),
            filled=each,
            beyond=filled.beyond if each.n_beyond else None,
        )
        for each in filled.sequences
    ]


def _render(
    model: FittedModel,
    store: ShapeStore,
    output: Output,
    observed: Sequence[Observed],
    rendering: Rendering,
    n_steps: int,
    progress: Progress,
) -> list[Completed]:
    """All frames as the run describes them."""
    run = model.cells.run
    grid = replace(run.learned.cube, size=rendering.size(run.learned.grid))
    attributes = {"command": "fit", **model.attributes, "shapes": store.path.name, "method": rendering.method}
    found = []
    with output.staged() as partial, progress("fitting", n_steps) as advance:
        written = ShapeStore.create(partial, grid, band_um=BAND_VOXELS * grid.spacing_um, attributes=attributes)
        for each in observed:
            sequence = store[each.name]
            fitted = fit_cell(run, sequence, each, model.settings, model.seed, advance)
            _write(written, sequence.info, fitted, rendering)
            found.append(completed_of(run, fitted, n_known=len(each.frames), n_gaps=each.n_gaps))
        written.note({"fits": {each.name: record_of(each) for each in found}})
    return found


def _write(store: ShapeStore, info: SequenceInfo, fitted: Fit, rendering: Rendering) -> None:
    n_frames = rendering.frames(info.n_frames)
    step_s = info.time_step_s
    if step_s is not None and min(n_frames, info.n_frames) > 1:
        step_s *= (info.n_frames - 1) / (n_frames - 1)
    offsets = info.offsets_zyx_um if n_frames == info.n_frames else ()
    sequence = store.add(
        SequenceInfo(
            info.name,
            n_frames,
            step_s,
            f"fitted to {recorded_names([info.source])[0] if info.source else info.name}",
            offsets,
        ),
        latent=arrays_of(fitted),
    )
    frames = (
        fitted.field.render(float(time), store.grid.size, method=rendering.method, safety=rendering.safety)
        for time in frame_times(n_frames)
    )
    render_sequence(frames, sequence, lambda: None)

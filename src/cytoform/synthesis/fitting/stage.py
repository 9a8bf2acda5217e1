"""The stage from a run and a shape store of unseen cells to a store of the same cells, completed."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
from jaxtyping import Float
from torch import Tensor

from cytoform.base.output import Output
from cytoform.base.parallel import Progress, no_progress
from cytoform.base.provenance import recorded_names
from cytoform.completion.beyond import ChosenBeyond
from cytoform.completion.options import FillOptions
from cytoform.completion.stage import FilledSequence, fill
from cytoform.errors import InputError
from cytoform.runs.run import Run
from cytoform.shapes.grid import Grid, frame_times
from cytoform.shapes.store import SequenceInfo, ShapeStore
from cytoform.synthesis.cells import Cells
from cytoform.synthesis.fitting.fit import Fit
from cytoform.synthesis.fitting.model import FittedModel, arrays_of, fit_cell
from cytoform.synthesis.fitting.observed import Observed, known_frames, observe
from cytoform.synthesis.fitting.out_of_distribution import relative_score
from cytoform.synthesis.options import FitSettings, Rendering
from cytoform.synthesis.render import BAND_VOXELS, render_sequence
from cytoform.synthesis.verdict import remark_on_loss
from cytoform.training.metrics import final_loss

# A cell lies outside a run if its error is more than this many times the error of the learned cells, or its code
# farther from the learned ones than any of them from the others (docs/LOG.md).
OUTSIDE = 2.0


@dataclass(frozen=True)
class Completed:
    """How a cell of the store was fitted; lengths are in µm."""

    name: str
    n_known: int
    n_gaps: int
    error_um: float
    learned_error_um: float | None
    expected_error_um: tuple[float, ...]  # of the surface, in each frame
    out_of_distribution: float | None  # score of the code; 1 is the score of the most unusual learned code
    filled: FilledSequence | None = None  # where known frames were kept
    beyond: ChosenBeyond | None = None  # how frames were made before the first known one and after the last

    @property
    def outside(self) -> bool:
        """Whether the run cannot describe this cell as it does the learned ones, or only by a code unlike theirs."""
        badly = self.learned_error_um is not None and self.error_um > OUTSIDE * self.learned_error_um
        return badly or (self.out_of_distribution is not None and self.out_of_distribution > 1)


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


def _check(
    run: Run, store: ShapeStore, rendering: Rendering, settings: FitSettings, *, in_planes: bool, fills: bool
) -> None:
    """Raises InputError for options that do not go together."""
    if run.has_scales and settings.adapt_steps:
        raise InputError(f"--adapt: {run.path} has learned components; fit with a run of --preset unseen")
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
    run = model.cells.run
    filled = fill(store.path, out, names=names, options=options, model=model, overwrite=overwrite, progress=progress)
    return [
        replace(
            _completed(run, model.fits[each.name], each.n_known, len(each.expected_error_um) - each.n_copied),
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
    grid = Grid(rendering.size(run.learned.grid), run.learned.half_extent_um)
    attributes = {"command": "fit", **model.attributes, "shapes": store.path.name, "method": rendering.method}
    if remark := remark_on_loss(run):
        attributes["remark"] = remark
    found = []
    with output.staged() as partial, progress("fitting", n_steps) as advance:
        written = ShapeStore.create(partial, grid, band_um=BAND_VOXELS * grid.spacing_um, attributes=attributes)
        for each in observed:
            sequence = store[each.name]
            fitted = fit_cell(run, sequence, each, model.settings, model.seed, advance)
            _write(written, sequence.info, fitted, rendering)
            found.append(_completed(run, fitted, len(each.frames), each.n_gaps))
        written.note({"fits": {each.name: _record(each) for each in found}})
    return found


def _completed(run: Run, fitted: Fit, n_known: int, n_gaps: int) -> Completed:
    return Completed(
        fitted.name,
        n_known,
        n_gaps,
        fitted.error_um,
        _times(final_loss(run.path), run.learned.half_extent_um),
        tuple(map(float, fitted.expected_error_um)),
        relative_score(*(_over_time(run, codes) for codes in (fitted.field.code[None], run.codes))),
    )


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


def _record(completed: Completed) -> dict[str, object]:
    """As JSON: nothing is expected of a frame without a surface."""
    record = {key: value for key, value in asdict(completed).items() if key not in {"filled", "beyond"}}
    expected = [None if math.isnan(value) else value for value in completed.expected_error_um]
    score = record.pop("out_of_distribution")
    return {**record, "remoteness": score, "expected_error_um": expected, "outside": completed.outside}


def _over_time(run: Run, codes: Tensor) -> Float[np.ndarray, "n knots values"]:
    return run.decoder.over_time(codes).cpu().numpy()


def _times(loss: float | None, half_extent_um: float) -> float | None:
    return None if loss is None else loss * half_extent_um

"""The stage from a run and a shape store of unseen cells to a store of the same cells, completed."""

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float
from torch import Tensor

from cytoform.base.output import Output
from cytoform.base.parallel import Progress, no_progress
from cytoform.base.provenance import recorded_names
from cytoform.errors import InputError
from cytoform.representations.rotation import principal_rotation
from cytoform.runs.alignment import moments_of
from cytoform.runs.run import Run
from cytoform.shapes.grid import Grid, frame_times
from cytoform.shapes.store import SequenceInfo, ShapeSequence, ShapeStore
from cytoform.synthesis.cells import Cells
from cytoform.synthesis.fitting.components import fit_components
from cytoform.synthesis.fitting.fit import Fit, fit
from cytoform.synthesis.fitting.observed import Observed, observe
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
    settings: FitSettings = FitSettings(),  # noqa: B008 (frozen)
    rendering: Rendering = Rendering(),  # noqa: B008 (frozen)
    seed: int = 0,
    overwrite: bool = False,
    progress: Progress = no_progress,
) -> list[Completed]:
    """Fit the sequences of the store `shapes`, all of them or the named ones, and render them whole into the store `out`.

    Only every `every_frame`-th frame that shows a cell is used, and in it, if given, only every `every_plane`-th plane. A
    movie is stretched over the time of the run: first frame to first frame. Raises InputError before anything is fitted.
    """
    run, half_um = cells.run, cells.run.learned.half_extent_um
    output = Output.at(out, inputs=[run.path, shapes], overwrite=overwrite)
    output.check()
    settings.check()
    rendering.check()
    if run.has_scales and (every_plane is not None or settings.adapt_steps):
        option = "--adapt" if every_plane is None else "--every-plane"
        raise InputError(
            f"{option}: {run.path} has learned components, which take whole frames; fit with a run of --preset unseen"
        )
    store = ShapeStore.open(shapes)
    wanted = names or store.names
    if not wanted:
        raise InputError(f"{shapes}: holds no sequences; prepare some first")
    sampling = run.config.sampling
    known = [
        observe(
            store[name], half_um, sampling, np.random.default_rng([seed, number]),
            every_frame=every_frame, every_plane=every_plane,
        )
        for number, name in enumerate(wanted)
    ]  # fmt: skip
    grid = Grid(rendering.size(run.learned.grid), half_um)
    learned_um = _times(final_loss(run.path), half_um)
    n_steps = len(wanted) * (settings.steps + settings.adapt_steps)
    attributes = {
        "command": "fit",
        "run": run.path.name,
        "shapes": shapes.name,
        "seed": seed,
        "method": rendering.method,
    }
    if remark := remark_on_loss(run):
        attributes["remark"] = remark
    found = []
    with output.staged() as partial, progress("fitting", n_steps) as advance:
        written = ShapeStore.create(partial, grid, band_um=BAND_VOXELS * grid.spacing_um, attributes=attributes)
        for observed in known:
            fitted = _fit(run, store[observed.name], observed, settings, seed, advance)
            _write(written, store[observed.name].info, fitted, rendering)
            found.append(
                Completed(
                    observed.name, len(observed.frames), observed.n_gaps, fitted.error_um, learned_um,
                    tuple(map(float, fitted.expected_error_um)),
                    relative_score(*(_over_time(run, codes) for codes in (fitted.field.code[None], run.codes))),
                )
            )  # fmt: skip
        written.note({"fits": {each.name: _record(each) for each in found}})
    return found


def _fit(
    run: Run,
    sequence: ShapeSequence,
    observed: Observed,
    settings: FitSettings,
    seed: int,
    done: Callable[[], object],
) -> Fit:
    if run.has_scales:
        return fit_components(run, sequence, observed.frames)
    return fit(run, observed, settings, rotation=_rotation(run, sequence, observed), seed=seed, done=done)


def _rotation(run: Run, sequence: ShapeSequence, observed: Observed) -> Float[Tensor, " 4"] | None:
    """The rotation into the principal frame of the known frames, for a run of aligned sequences; otherwise None."""
    if run.config.data.align == "none":
        return None
    first, *others = (moments_of(sequence, frame) for frame in observed.frames)
    return principal_rotation(sum(others, start=first))


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
        latent={
            "code": fitted.field.code.cpu().numpy(),
            **{key: values.numpy() for key, values in fitted.field.variables.items()},
        },
    )
    frames = (
        fitted.field.render(float(time), store.grid.size, method=rendering.method, safety=rendering.safety)
        for time in frame_times(n_frames)
    )
    render_sequence(frames, sequence, lambda: None)


def _record(completed: Completed) -> dict[str, object]:
    """As JSON: nothing is expected of a frame without a surface."""
    record = asdict(completed)
    expected = [None if math.isnan(value) else value for value in completed.expected_error_um]
    score = record.pop("out_of_distribution")
    return {**record, "remoteness": score, "expected_error_um": expected, "outside": completed.outside}


def _over_time(run: Run, codes: Tensor) -> Float[np.ndarray, "n knots values"]:
    return run.decoder.over_time(codes).cpu().numpy()


def _times(loss: float | None, half_extent_um: float) -> float | None:
    return None if loss is None else loss * half_extent_um

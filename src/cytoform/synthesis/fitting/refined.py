"""Fit components with a network to a cell that a run has not seen: codes in closed form, and if asked the network after."""

import copy
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import cast

import numpy as np
import torch
from jaxtyping import Float, Float32

from cytoform.representations.bounds import Bounds, measure_bounds
from cytoform.representations.linear.representation import Linear
from cytoform.representations.refined.representation import Correction, Refined
from cytoform.representations.representation import SCALE
from cytoform.representations.rotation import to_matrix
from cytoform.runs.remainder import left_by
from cytoform.runs.run import Run
from cytoform.runs.samples import draw_samples
from cytoform.shapes.grid import frame_times
from cytoform.shapes.store import ShapeSequence
from cytoform.synthesis.fitting.components import fit_components
from cytoform.synthesis.fitting.fit import Descent, Fit
from cytoform.synthesis.fitting.observed import POINTS, Observed
from cytoform.synthesis.options import FitSettings

NEAR = 0.02  # half extents from the surface, where points say how it lies


def fit_refined(
    run: Run,
    sequence: ShapeSequence,
    frames: Sequence[int],
    settings: FitSettings,
    *,
    bounds: Bounds | None = None,
    seed: int = 0,
    done: Callable[[], object] = lambda: None,
) -> Fit:
    """Fit one cell to its known `frames` as components are fitted; the network sees the code that this finds.

    With `settings.adapt_steps`, the network is fine-tuned for this cell alone, and the code stays. `bounds` are those of
    the field; by default they are measured at the found code.
    """
    found = fit_components(run, sequence, frames, bounds=bounds or run.learned.bounds)
    decoder = cast(Refined, copy.deepcopy(run.decoder) if settings.adapt_steps else run.decoder)
    times, samples = frame_times(sequence.info.n_frames)[list(frames)], []
    rng, near = np.random.default_rng([seed, 1]), []
    for frame, time in zip(frames, times.tolist(), strict=True):
        drawn = _drawn(run, sequence, frame, rng)
        samples.append(_left(found, drawn, time, run.config.sampling.truncation))
        near.append(np.abs(drawn[:, -1]) < NEAR)
    observed = Observed(sequence.info.name, sequence.info.n_frames, tuple(frames), times, np.stack(samples), False)
    work = Descent(decoder.correction, run, observed, settings, None, rng, code=decoder.seen(found.field.code))
    if settings.adapt_steps:
        work.adapt(replace(settings, adapt_code_rate=0.0), done)
    field = replace(found.field, decoder=decoder)
    if bounds is None:
        field = replace(field, bounds=measure_bounds(decoder, field.code[None], seed=seed))
    size_um = float(field.variables[SCALE].mean()) * field.half_extent_um
    expected = found.expected_error_um.copy()
    expected[list(frames)] = size_um * _errors(decoder.correction, work.code.detach(), observed, near)
    return Fit(found.name, field, work.error() * size_um, expected)


def _drawn(run: Run, sequence: ShapeSequence, frame: int, rng: np.random.Generator) -> Float32[np.ndarray, "n values"]:
    """Samples of a frame in half extents of the run."""
    sampling = run.config.sampling.model_copy(update={"pool_points": POINTS})
    unit = sequence.grid.half_extent_um / run.learned.half_extent_um
    return draw_samples(sequence, frame, sampling, rng) * np.float32(unit)


def _left(
    found: Fit, drawn: Float32[np.ndarray, "n values"], time: float, truncation: float
) -> Float32[np.ndarray, "n values"]:
    """The part of samples that the components of a fit leave."""
    field, decoder = found.field, cast(Linear, found.field.decoder)
    turn = None if field.rotation is None else to_matrix(field.rotation[None], decoder.n_dims)[0]
    frame = decoder.grid_frame(field.code, time, rotation=turn, variables=field.variables)
    return left_by(frame, drawn, decoder.cut, truncation)


@torch.no_grad()
def _errors(
    correction: Correction, code: torch.Tensor, observed: Observed, near: Sequence[np.ndarray]
) -> Float[np.ndarray, " known"]:
    """Root mean square of what the network leaves near the surface of every known frame; NaN without points there."""
    errors = []
    for samples, time, where in zip(observed.samples, observed.times.tolist(), near, strict=True):
        points = torch.from_numpy(samples[where])
        rest = correction.frame(code, time)(points[:, :-1].contiguous()) - points[:, -1]
        errors.append(float(rest.square().mean().sqrt()))
    return np.array(errors)

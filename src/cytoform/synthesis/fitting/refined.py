"""Fit codes of a network in the frame of components: from the weights of the components on, by descent."""

import copy
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import cast

import numpy as np
import torch
from jaxtyping import Float

from cytoform.representations.bounds import Bounds, measure_bounds
from cytoform.representations.refined.representation import InGrid, Refined
from cytoform.representations.representation import SCALE, at_share
from cytoform.representations.rotation import to_matrix
from cytoform.runs.refined import Place
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
    """Fit one cell to its known `frames`, brought into its principal axes and to the size that all cells share.

    With `settings.adapt_steps`, the network is then fine-tuned for this cell alone. `bounds` are those of the field; by
    default they are measured at the found code. The error that is expected of a frame between known ones is that of the
    components.
    """
    found = fit_components(run, sequence, frames, bounds=bounds or run.learned.bounds)
    decoder = cast(Refined, copy.deepcopy(run.decoder) if settings.adapt_steps else run.decoder)
    times, rng = frame_times(sequence.info.n_frames)[list(frames)], np.random.default_rng([seed, 1])
    matrix = to_matrix(cast(torch.Tensor, found.field.rotation)[None], decoder.n_dims)[0].double().numpy()
    scales = found.field.variables[SCALE]
    sampling = run.config.sampling.model_copy(update={"pool_points": POINTS})
    unit, samples = np.float32(sequence.grid.half_extent_um / run.learned.half_extent_um), []
    for frame, time in zip(frames, times.tolist(), strict=True):
        place = Place(matrix, float(at_share((time + 1) / 2, scales)), float(decoder.extent))
        samples.append(place.brought(unit * draw_samples(sequence, frame, sampling, rng), sampling.truncation))
    observed = Observed(sequence.info.name, sequence.info.n_frames, tuple(frames), times, np.stack(samples), False)
    work = Descent(decoder.network, run, observed, settings, None, rng, code=found.field.code / decoder.unit)
    work.find_code(settings, done)
    if settings.adapt_steps:
        work.adapt(settings, done)
    field = replace(found.field, decoder=decoder, code=work.code.detach())
    if bounds is None:
        field = replace(field, bounds=measure_bounds(decoder, field.code[None], seed=seed))
    size_um = float(scales.mean()) * field.half_extent_um
    expected = found.expected_error_um.copy()
    expected[list(frames)] = size_um * _errors(decoder.network, field.code, observed)
    return Fit(found.name, field, work.error() * size_um, expected)


@torch.no_grad()
def _errors(network: InGrid, code: torch.Tensor, observed: Observed) -> Float[np.ndarray, " known"]:
    """Root mean square error near the surface of every known frame; NaN without points there."""
    errors = []
    for samples, time in zip(observed.samples, observed.times.tolist(), strict=True):
        points = torch.from_numpy(samples[np.abs(samples[:, -1]) < NEAR])
        rest = network.frame(code, time)(points[:, :-1].contiguous()) - points[:, -1]
        errors.append(float(rest.square().mean().sqrt()))
    return np.array(errors)

"""Fit components of distance grids to a cell that a run has not seen: in closed form, from whole frames."""

from collections.abc import Sequence
from functools import lru_cache
from typing import cast

import numpy as np
import torch
from jaxtyping import Float

from cytoform.representations.bounds import Bounds, measure_bounds
from cytoform.representations.linear.representation import Linear, spline_basis
from cytoform.representations.representation import SCALE
from cytoform.runs.canonical import Canonical, distances_at_nodes, measure
from cytoform.runs.components import spline_weights
from cytoform.runs.principal_components import PrincipalComponents
from cytoform.runs.run import Run
from cytoform.shapes.grid import frame_times
from cytoform.shapes.store import ShapeSequence
from cytoform.synthesis.field import CodeField
from cytoform.synthesis.fitting.fit import Fit

FEWEST = 4  # known frames, of which every second one can be hidden


def fit_components(run: Run, sequence: ShapeSequence, frames: Sequence[int], *, bounds: Bounds | None = None) -> Fit:
    """Fit one cell to its known `frames`, brought into its principal axes and to the size that all cells share.

    The error that is expected of a frame between known ones is the one that is made when every second known frame is
    hidden; with fewer than four known frames it is not known (NaN). `bounds` are those of the field; by default they are
    measured at the found code.
    """
    decoder, half_um = cast(Linear, run.decoder), run.learned.half_extent_um
    unit = sequence.grid.half_extent_um / half_um  # half extents of the run in one of the store
    measured = measure(sequence, frames, run.config.data.align)
    scales = np.cbrt(measured.volumes * unit**3 / float(decoder.volume))
    extent, nodes = float(decoder.extent), decoder.nodes
    grids = np.stack(
        [
            distances_at_nodes(sequence, frame, Canonical(measured.rotation, scale / unit), nodes, extent, decoder.cut)
            for frame, scale in zip(frames, scales.tolist(), strict=True)
        ]
    )
    components = _components(decoder)
    times, weights = frame_times(sequence.info.n_frames)[list(frames)], components.weights_of(grids)
    n_knots = decoder.code_shape[0]
    code = spline_weights(times, weights, n_knots)
    at_known = spline_basis(times, n_knots) @ code
    moments = np.linspace(-1, 1, run.scales.shape[1])
    course = np.exp(np.interp(moments, times, np.log(scales)))
    values = torch.tensor(code, dtype=torch.float32)
    field = CodeField(
        decoder,
        values,
        half_um,
        bounds or measure_bounds(decoder, values[None], seed=0),
        measured.rotation,
        {SCALE: torch.tensor(course, dtype=torch.float32)},
    )
    width = 2 * extent / nodes
    expected = np.full(sequence.info.n_frames, _hidden_error(components, grids, times, weights, n_knots, width))
    expected[list(frames)] = _surface_errors(components, grids, at_known, width)
    size_um = float(scales.mean()) * half_um
    return Fit(sequence.info.name, field, components.error(grids, at_known) * size_um, expected * size_um)


@lru_cache(maxsize=1)
def _components(decoder: Linear) -> PrincipalComponents:
    """Those of a trained run do not change."""
    return PrincipalComponents.of(decoder)


def _surface_errors(
    components: PrincipalComponents,
    grids: Float[np.ndarray, "frames n n n"],
    weights: Float[np.ndarray, "frames components"],
    width: float,
) -> Float[np.ndarray, " frames"]:
    """Root mean square error of every frame at the nodes next to the surface; `width` is between nodes."""
    made = np.stack([components.grid(row) for row in weights])
    return np.array([np.sqrt(np.mean((m - g)[np.abs(g) < width] ** 2)) for m, g in zip(made, grids, strict=True)])


def _hidden_error(
    components: PrincipalComponents,
    grids: Float[np.ndarray, "frames n n n"],
    times: Float[np.ndarray, " frames"],
    weights: Float[np.ndarray, "frames components"],
    n_knots: int,
    width: float,
) -> float:
    if len(grids) < FEWEST:
        return float("nan")
    kept, hidden = slice(0, None, 2), slice(1, len(grids) - 1, 2)
    guessed = spline_basis(times[hidden], n_knots) @ spline_weights(times[kept], weights[kept], n_knots)
    return float(np.sqrt(np.mean(_surface_errors(components, grids[hidden], guessed, width) ** 2)))

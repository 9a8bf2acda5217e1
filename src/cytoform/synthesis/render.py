"""From a field to frames: the gate from torch back to NumPy."""

from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
from jaxtyping import Float

from cytoform.base.triples import Ints
from cytoform.errors import InputError
from cytoform.representations.bounds import Bounds
from cytoform.representations.parts.frame import PartsFrame
from cytoform.representations.representation import Frame, QuickFrame, ScaledFrame
from cytoform.shapes.box import BoxedField
from cytoform.shapes.grid import Grid
from cytoform.shapes.store import ShapeSequence
from cytoform.synthesis.narrow_band import evaluate_all, search
from cytoform.synthesis.options import SAFETY, Method

BAND_VOXELS = 1.0  # distances are exact this far from the surface, and truncated beyond


def render_frame(
    evaluate: Frame, grid: Grid, *, bounds: Bounds, method: Method = "narrow-band", safety: float = SAFETY
) -> BoxedField:
    """Render one frame; `dense` evaluates every voxel and is the reference for `narrow-band`, which small grids need not.

    The narrow band can miss a piece of surface only where the field changes more than `safety` times as fast as anything
    that was found when its bounds were measured, and only if that piece touches no other.
    """
    if not (np.isfinite(safety) and safety > 0):
        raise InputError(f"--safety {safety}: must be a positive number")
    wanted = BAND_VOXELS * 2 / grid.size
    is_quick = isinstance(evaluate, QuickFrame) and grid.size**grid.n_dims <= evaluate.n_quick
    if method == "dense" or is_quick:
        box = evaluate_all(evaluate, grid.size, device=evaluate.device, n_dims=grid.n_dims)
    elif isinstance(evaluate, PartsFrame):
        return _with_tubes(evaluate, grid, bounds_at(evaluate, bounds, safety), wanted)
    else:
        steps = bounds_at(evaluate, bounds, safety)
        box = search(evaluate, grid.size, bounds=steps, band=wanted, device=evaluate.device, n_dims=grid.n_dims)
    return _boxed(grid, box.corner_zyx, box.distances.cpu().numpy(), wanted)


def bounds_at(frame: Frame, bounds: Bounds, safety: float) -> Bounds:
    """The bounds of a field, with a margin, for a frame in which the cell (of cells taken apart, the body) has its size."""
    if isinstance(frame, PartsFrame):
        return bounds.times(safety * max(frame.body.scale, 1))
    return (bounds.scaled(frame.scale) if isinstance(frame, ScaledFrame) else bounds).times(safety)


def _with_tubes(frame: PartsFrame, grid: Grid, bounds: Bounds, wanted: float) -> BoxedField:
    """The body in a narrow band as wide as the rounding at roots needs, and the tubes on the voxels around them."""
    band = max(wanted, frame.fillet)
    body = search(frame.body, grid.size, bounds=bounds, band=band, device=frame.device, n_dims=grid.n_dims)
    distances, corner_zyx = frame.add_solids(body.distances.cpu().numpy(), body.corner_zyx, grid.size, wanted)
    return _boxed(grid, corner_zyx, distances, wanted)


def _boxed(grid: Grid, corner_zyx: Ints, distances: Float[np.ndarray, "*zyx"], band: float) -> BoxedField:
    truncated = np.clip(distances, -band, band).astype(np.float32, copy=False)
    truncated *= np.float32(grid.half_extent_um)
    return BoxedField(grid, corner_zyx, truncated, BAND_VOXELS * grid.spacing_um)


def render_sequence(frames: Iterable[BoxedField], sequence: ShapeSequence, done: Callable[[], object]) -> None:
    """Write frames into a sequence of a shape store, each while the next is computed; at most two are in memory."""
    with ThreadPoolExecutor(max_workers=1) as writer:
        written: Future[None] | None = None
        for number, frame in enumerate(frames):
            if written is not None:
                written.result()
            written = writer.submit(sequence.write_box, number, frame)
            done()
        if written is not None:
            written.result()

"""From a field to frames: the gate from torch back to NumPy."""

from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np

from cytoform.errors import InputError
from cytoform.representations.bounds import Bounds
from cytoform.representations.representation import Frame
from cytoform.shapes.box import BoxedField
from cytoform.shapes.grid import Grid
from cytoform.shapes.store import ShapeSequence
from cytoform.synthesis.narrow_band import evaluate_all, search
from cytoform.synthesis.options import SAFETY, Method

BAND_VOXELS = 1.0  # distances are exact this far from the surface, and truncated beyond


def render_frame(
    evaluate: Frame, grid: Grid, *, bounds: Bounds, method: Method = "narrow-band", safety: float = SAFETY
) -> BoxedField:
    """Render one frame; `dense` evaluates every voxel and is the reference for `narrow-band`.

    The narrow band can miss a piece of surface only where the field changes more than `safety` times as fast as anything
    that was found when its bounds were measured, and only if that piece touches no other.
    """
    if not (np.isfinite(safety) and safety > 0):
        raise InputError(f"--safety {safety}: must be a positive number")
    voxel = 2 / grid.size
    if method == "dense":
        box = evaluate_all(evaluate, grid.size, device=evaluate.device)
    else:
        wanted = BAND_VOXELS * voxel
        box = search(evaluate, grid.size, bounds=bounds.times(safety), band=wanted, device=evaluate.device)
    truncated = box.distances.clamp(-BAND_VOXELS * voxel, BAND_VOXELS * voxel) * grid.half_extent_um
    return BoxedField(grid, box.corner_zyx, truncated.cpu().numpy(), BAND_VOXELS * grid.spacing_um)


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

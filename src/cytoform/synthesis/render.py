"""From a field to frames: the gate from torch back to NumPy."""

from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float

from cytoform.errors import InputError
from cytoform.representations.bounds import Bounds
from cytoform.representations.representation import Frame
from cytoform.shapes.grid import Grid
from cytoform.shapes.mesh import Mesh, mesh_from_distance
from cytoform.shapes.store import ShapeSequence
from cytoform.synthesis.narrow_band import evaluate_all, search

Method = Literal["narrow-band", "dense"]
BAND_VOXELS = 1.0  # distances are exact this far from the surface, and truncated beyond
SAFETY = 1.25  # times the measured bounds


@dataclass(frozen=True)
class RenderedFrame:
    """One frame: distances on the box of the grid that holds the cell; all beyond it is outside."""

    grid: Grid
    corner_zyx: tuple[int, int, int]
    box_sdf_um: Float[np.ndarray, "z y x"]
    n_evaluated: int

    @property
    def band_um(self) -> float:
        """Distances are exact up to this, and truncated beyond."""
        return BAND_VOXELS * self.grid.spacing_um

    def mask(self) -> Bool[np.ndarray, "z y x"]:
        """Occupancy of the whole grid: distance ≤ 0."""
        return self._whole(self.box_sdf_um <= 0, False)

    def sdf_um(self) -> Float[np.ndarray, "z y x"]:
        """Signed distance on the whole grid in µm, truncated at ± band."""
        return self._whole(self.box_sdf_um, self.band_um)

    def mesh(self) -> Mesh:
        """Closed surface in µm. Raises EmptyFrame."""
        return mesh_from_distance(self.box_sdf_um, self.grid.spacing_um, corner_zyx=self.corner_zyx)

    def _whole(self, box: np.ndarray, outside: float) -> np.ndarray:
        volume = np.full(self.grid.shape, outside, box.dtype)
        z, y, x = (slice(low, low + n) for low, n in zip(self.corner_zyx, box.shape, strict=True))
        volume[z, y, x] = box
        return volume


def render_frame(
    evaluate: Frame, grid: Grid, *, bounds: Bounds, method: Method = "narrow-band", safety: float = SAFETY
) -> RenderedFrame:
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
    return RenderedFrame(grid, box.corner_zyx, truncated.cpu().numpy(), box.n_evaluated)


def render_sequence(frames: Iterable[RenderedFrame], sequence: ShapeSequence, done: Callable[[], object]) -> None:
    """Write frames into a sequence of a shape store, each while the next is computed; at most two are in memory."""
    with ThreadPoolExecutor(max_workers=1) as writer:
        written: Future[None] | None = None
        for number, frame in enumerate(frames):
            if written is not None:
                written.result()
            written = writer.submit(sequence.write_block, number, frame.corner_zyx, frame.box_sdf_um)
            done()
        if written is not None:
            written.result()

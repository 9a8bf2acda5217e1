"""From a field to frames: the gate from torch back to NumPy."""

from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from jaxtyping import Bool, Float

from cytoform.shapes.grid import Grid
from cytoform.shapes.mesh import Mesh, mesh_from_distance
from cytoform.shapes.store import CHUNK, ShapeSequence
from cytoform.synthesis.evaluator import FrameEvaluator
from cytoform.synthesis.narrow_band import SparseFrame, evaluate_all, search

Method = Literal["narrow-band", "dense"]
BAND_VOXELS = 1.0  # distances are exact this far from the surface, and truncated beyond
SAFETY = 2.0  # times the measured slope


@dataclass(frozen=True)
class RenderedFrame:
    """One frame: occupancy of every voxel, and distances in a band around the surface."""

    grid: Grid
    sparse: SparseFrame

    @property
    def band_um(self) -> float:
        """Distances are exact up to this, and truncated beyond."""
        return BAND_VOXELS * self.grid.spacing_um

    def mask(self) -> Bool[np.ndarray, "z y x"]:
        """Occupancy: distance ≤ 0."""
        inside = self.sparse.distances <= 0
        return self.sparse.volume(torch.bool, inside=True, outside=False, voxels=inside).cpu().numpy()

    def sdf_um(self) -> Float[np.ndarray, "z y x"]:
        """Signed distance in µm, truncated at ± band."""
        voxels = (self.sparse.distances * self.grid.half_extent_um).clamp(-self.band_um, self.band_um)
        volume = self.sparse.volume(torch.float32, inside=-self.band_um, outside=self.band_um, voxels=voxels)
        return volume.cpu().numpy()

    def touched(self, multiple: int) -> tuple[slice, slice, slice] | None:
        """The box of voxels that are not simply outside, grown to multiples of `multiple`; None in an empty frame."""
        if not len(self.sparse.voxels_zyx):
            return None
        low = self.sparse.voxels_zyx.amin(dim=0) // multiple * multiple
        high = (self.sparse.voxels_zyx.amax(dim=0) // multiple + 1) * multiple
        z, y, x = (slice(int(a), min(int(b), self.grid.size)) for a, b in zip(low, high, strict=True))
        return z, y, x

    def mesh(self) -> Mesh:
        """Closed surface in µm. Raises EmptyFrame."""
        return mesh_from_distance(self.sdf_um(), self.grid.spacing_um)


def render_frame(
    evaluate: FrameEvaluator, grid: Grid, *, slope: float, method: Method = "narrow-band", safety: float = SAFETY
) -> RenderedFrame:
    """Render one frame; `dense` evaluates every voxel and is the reference for `narrow-band`."""
    band = BAND_VOXELS * 2 / grid.size
    if method == "dense":
        return RenderedFrame(grid, evaluate_all(evaluate, grid.size, band=band, device=evaluate.device))
    return RenderedFrame(grid, search(evaluate, grid.size, slope=safety * slope, band=band, device=evaluate.device))


def render_sequence(frames: Iterable[RenderedFrame], sequence: ShapeSequence, done: Callable[[], object]) -> None:
    """Write frames into a sequence of a shape store, each while the next is computed; at most two are in memory."""
    with ThreadPoolExecutor(max_workers=1) as writer:
        written: Future[None] | None = None
        for number, frame in enumerate(frames):
            if written is not None:
                written.result()
                done()
            written = writer.submit(_write, sequence, number, frame)
        if written is not None:
            written.result()
            done()


def _write(sequence: ShapeSequence, number: int, frame: RenderedFrame) -> None:
    """Write the chunks that the cell touches; the others are outside already."""
    box = frame.touched(CHUNK)
    if box is not None:
        sequence.write_block(number, (box[0].start, box[1].start, box[2].start), frame.sdf_um()[box])

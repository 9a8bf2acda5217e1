"""The stages from a run to new shape stores: reconstruct learned cells, generate ones that never existed."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from cytoform.files import staged
from cytoform.model.run import LearnedSequence
from cytoform.parallel import Progress, no_progress
from cytoform.shapes.grid import Grid, frame_times
from cytoform.shapes.store import SequenceInfo, ShapeStore
from cytoform.synthesis.cells import Cells
from cytoform.synthesis.priors import DEFAULT_SIGMA, Prior, draw_codes
from cytoform.synthesis.render import BAND_VOXELS, SAFETY, Method, render_sequence


@dataclass(frozen=True)
class Rendering:
    """How sequences are rendered: the grid's voxels a side and the frames, both as learned where None."""

    grid_size: int | None = None
    n_frames: int | None = None
    method: Method = "narrow-band"
    safety: float = SAFETY


@dataclass(frozen=True)
class NewSequence:
    """A sequence to render: its name, its code, and what it takes over from a learned one."""

    name: str
    code: Float[np.ndarray, " code"]
    like: LearnedSequence
    source: str


def reconstruct(
    cells: Cells,
    out: Path,
    *,
    names: list[str] | None = None,
    rendering: Rendering = Rendering(),
    seed: int = 0,
    overwrite: bool = False,
    progress: Progress = no_progress,
) -> None:
    """Render learned sequences from their codes, all of them or those named. Raises InputError for an unknown name."""
    wanted = names or cells.names
    codes = {name: cells.run.code(name).cpu().numpy() for name in wanted}
    sequences = [
        NewSequence(like.name, codes[like.name], like, "reconstructed")
        for like in cells.run.learned.sequences
        if like.name in codes
    ]
    _write_store(cells, sequences, out, rendering, {"command": "reconstruct", "seed": seed}, overwrite, progress)


def generate(
    cells: Cells,
    out: Path,
    n: int,
    *,
    prior: Prior = "gaussian",
    sigma: float | None = None,
    rendering: Rendering = Rendering(),
    seed: int = 0,
    overwrite: bool = False,
    progress: Progress = no_progress,
) -> None:
    """Render `n` new cells, their codes drawn as `draw_codes` says (paper section 3.2)."""
    sigma = DEFAULT_SIGMA[prior] if sigma is None else sigma
    rng = np.random.default_rng(seed)
    drawn = draw_codes(cells.codes, n, prior=prior, sigma=sigma, rng=rng)
    # A new cell takes the number of frames and the time step of one of the learned sequences, each in turn.
    likes = cells.run.learned.sequences
    sequences = [
        NewSequence(
            f"new{number:04d}",
            code.astype(np.float32),
            likes[number % len(likes)],
            f"{prior} {sigma:g}",
        )
        for number, code in enumerate(drawn)
    ]
    attributes = {"command": "generate", "seed": seed, "prior": prior, "sigma": sigma}
    _write_store(cells, sequences, out, rendering, attributes, overwrite, progress)


def _write_store(
    cells: Cells,
    sequences: list[NewSequence],
    out: Path,
    rendering: Rendering,
    attributes: dict[str, Any],
    overwrite: bool,
    progress: Progress,
) -> None:
    grid = Grid(
        cells.run.learned.grid if rendering.grid_size is None else rendering.grid_size, cells.run.learned.half_extent_um
    )
    frames = {sequence.name: _n_frames(rendering, sequence) for sequence in sequences}
    times = {name: frame_times(n) for name, n in frames.items()}
    attributes = {**attributes, "run": cells.run.path.name, "method": rendering.method}
    with staged(out, overwrite=overwrite) as partial, progress("rendering", sum(frames.values())) as advance:
        store = ShapeStore.create(partial, grid, band_um=BAND_VOXELS * grid.spacing_um, attributes=attributes)
        for sequence in sequences:
            info = SequenceInfo(
                sequence.name, frames[sequence.name], _time_step(sequence, frames[sequence.name]), sequence.source
            )
            field = cells.field(sequence.code)
            rendered = (
                field.render(float(time), grid.size, method=rendering.method, safety=rendering.safety)
                for time in times[sequence.name]
            )
            render_sequence(rendered, store.add(info), advance)


def _n_frames(rendering: Rendering, sequence: NewSequence) -> int:
    return sequence.like.n_frames if rendering.n_frames is None else rendering.n_frames


def _time_step(sequence: NewSequence, n_frames: int) -> float | None:
    """The time between frames when the same span of time is cut into `n_frames`."""
    like = sequence.like
    if like.time_step_s is None or n_frames == 1 or like.n_frames == 1:
        return like.time_step_s
    return like.time_step_s * (like.n_frames - 1) / (n_frames - 1)

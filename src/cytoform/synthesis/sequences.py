"""The stages from a run to new shape stores: reconstruct learned cells, generate ones that never existed."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from cytoform.base.files import refuse_existing, staged
from cytoform.base.parallel import Progress, no_progress
from cytoform.errors import InputError
from cytoform.priors.file import read_prior
from cytoform.priors.fitted import PRIORS, PriorName, fit_prior
from cytoform.runs.run import LearnedSequence
from cytoform.shapes.grid import Grid, frame_times
from cytoform.shapes.store import SequenceInfo, ShapeStore
from cytoform.synthesis.cells import Cells
from cytoform.synthesis.conditional.search import Condition
from cytoform.synthesis.pose import POSES, Pose, chosen_pose, draw_rotation, uncut
from cytoform.synthesis.render import BAND_VOXELS, SAFETY, Method, render_sequence


@dataclass(frozen=True)
class Rendering:
    """How sequences are rendered: the grid's voxels a side and the frames, both as learned where None."""

    grid_size: int | None = None
    n_frames: int | None = None
    method: Method = "narrow-band"
    safety: float = SAFETY

    def frames_of(self, like: LearnedSequence) -> int:
        """The number of frames of a sequence like this one."""
        return like.n_frames if self.n_frames is None else self.n_frames

    def grid_of(self, cells: Cells) -> Grid:
        """The grid of what is rendered from these cells."""
        learned = cells.run.learned
        return Grid(learned.grid if self.grid_size is None else self.grid_size, learned.half_extent_um)


@dataclass(frozen=True)
class NewSequence:
    """A sequence to render: its name, its code, what it takes over from a learned one, and what else is to be known."""

    name: str
    code: Float[np.ndarray, " code"]
    like: LearnedSequence
    source: str
    # From its pose to the canonical one; None: it is in that pose.
    rotation: Float[np.ndarray, " 4"] | None = None
    # Whether it is refused where the cube cuts it.
    whole: bool = False
    details: dict[str, Any] = field(default_factory=dict)


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
    for name in wanted:
        cells.run.code(name)  # raises where there is none
    sequences = [
        NewSequence(like.name, code, like, "reconstructed", rotation if cells.run.config.has_rotations else None)
        for like, code, rotation in zip(cells.run.learned.sequences, cells.codes, cells.rotations, strict=True)
        if like.name in wanted
    ]
    write_sequences(cells, sequences, out, rendering, {"command": "reconstruct", "seed": seed}, overwrite, progress)


def generate(
    cells: Cells,
    out: Path,
    n: int,
    *,
    prior: PriorName = "gaussian",
    sigma: float | None = None,
    condition: Condition | None = None,
    pose: Pose | None = None,
    rendering: Rendering = Rendering(),
    seed: int = 0,
    overwrite: bool = False,
    progress: Progress = no_progress,
) -> None:
    """Render `n` new cells, their codes drawn from a prior (paper section 3.2), or from it under a `condition`.

    `sigma` replaces that of `PRIORS`, where the prior has one. A run that turned its sequences gives cells in random
    poses, one that did not in the pose of its sequences, unless `pose` says otherwise. Raises InputError for what cannot
    be drawn, and for a cell that the cube would cut.
    """
    if n < 1:
        raise InputError(f"-n {n}: at least one cell is to be generated")
    refuse_existing(out, overwrite=overwrite)
    pose = chosen_pose(cells.run, pose)
    if sigma is None:
        sigma, fitted = PRIORS[prior].sigma, read_prior(cells.run.path, cells.codes, prior)
    else:
        fitted = fit_prior(prior, cells.codes, sigma=sigma)
    rng = np.random.default_rng(seed)
    drawn = fitted.draw(n, rng) if condition is None else condition.draw(fitted, n, rng, progress=progress)
    source = prior if sigma is None else f"{prior} {sigma:g}"
    sequences = [
        NewSequence(
            f"new{number:04d}",
            code.astype(np.float32),
            like_of_new(cells, number),
            source,
            whole=cells.run.config.has_rotations,
        )
        for number, code in enumerate(drawn)
    ]
    if pose == "random":
        poses = np.random.default_rng([seed, POSES])
        sequences = [_turned(cells, sequence, rendering, poses) for sequence in sequences]
    attributes: dict[str, Any] = {"command": "generate", "seed": seed, "prior": prior, "sigma": sigma, "pose": pose}
    if condition is not None:
        attributes["where"] = [request.text for request in condition.requests]
    write_sequences(cells, sequences, out, rendering, attributes, overwrite, progress)


def like_of_new(cells: Cells, number: int) -> LearnedSequence:
    """The learned sequence that new cell `number` takes its number of frames and time step from: each in turn."""
    likes = cells.run.learned.sequences
    return likes[number % len(likes)]


def _turned(cells: Cells, sequence: NewSequence, rendering: Rendering, rng: np.random.Generator) -> NewSequence:
    """The sequence in a random pose."""
    times = frame_times(rendering.frames_of(sequence.like))
    return replace(sequence, rotation=draw_rotation(cells.field(sequence.code), times, sequence.name, rng))


def write_sequences(
    cells: Cells,
    sequences: list[NewSequence],
    out: Path,
    rendering: Rendering,
    attributes: dict[str, Any],
    overwrite: bool,
    progress: Progress,
) -> None:
    """Render sequences into a new store; each keeps its code among its attributes. Raises InputError."""
    grid = rendering.grid_of(cells)
    frames = {sequence.name: rendering.frames_of(sequence.like) for sequence in sequences}
    times = {name: frame_times(n) for name, n in frames.items()}
    attributes = {
        **attributes,
        "run": cells.run.path.name,
        "weights_sha256": cells.weights_sha256,
        "method": rendering.method,
    }
    with staged(out, overwrite=overwrite) as partial, progress("rendering", sum(frames.values())) as advance:
        store = ShapeStore.create(partial, grid, band_um=BAND_VOXELS * grid.spacing_um, attributes=attributes)
        for sequence in sequences:
            n_frames = frames[sequence.name]
            info = SequenceInfo(
                sequence.name,
                n_frames,
                _time_step(sequence, n_frames),
                sequence.source,
                rotation_wxyz=_quaternion(sequence),
                details={**sequence.details, "code": sequence.code.tolist()},
            )
            field = cells.field(sequence.code, rotation=sequence.rotation)
            rendered = (
                field.render(float(time), grid.size, method=rendering.method, safety=rendering.safety)
                for time in times[sequence.name]
            )
            render_sequence(uncut(rendered, sequence.name) if sequence.whole else rendered, store.add(info), advance)


def _quaternion(sequence: NewSequence) -> tuple[float, float, float, float] | None:
    if sequence.rotation is None:
        return None
    w, x, y, z = map(float, sequence.rotation)
    return w, x, y, z


def _time_step(sequence: NewSequence, n_frames: int) -> float | None:
    """The time between frames when the same span of time is cut into `n_frames`."""
    like = sequence.like
    if like.time_step_s is None or n_frames == 1 or like.n_frames == 1:
        return like.time_step_s
    return like.time_step_s * (like.n_frames - 1) / (n_frames - 1)

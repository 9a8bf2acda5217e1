"""The stages from a run to new shape stores: reconstruct learned cells, generate ones that never existed."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from cytoform.base.output import Output
from cytoform.base.parallel import Progress, no_progress
from cytoform.errors import InputError
from cytoform.priors.fitted import PRIORS
from cytoform.priors.prior import DrawnCell, Prior
from cytoform.runs.run import LearnedSequence
from cytoform.shapes.box import BoxedField
from cytoform.shapes.grid import frame_times
from cytoform.shapes.store import SequenceInfo, ShapeStore
from cytoform.synthesis.cells import Cells
from cytoform.synthesis.choice import default_choice, whole_cells
from cytoform.synthesis.coded import longest, read_code
from cytoform.synthesis.compose import Composed
from cytoform.synthesis.conditional.search import Condition
from cytoform.synthesis.options import Rendering
from cytoform.synthesis.pose import POSES, NoPoseError, Pose, chosen_pose, draw_rotation, uncut
from cytoform.synthesis.render import BAND_VOXELS, render_sequence
from cytoform.synthesis.verdict import remark_on_loss

LONGEST_SPAN = 20.0
# How often a cell is drawn that the cube holds in no pose.
TRIES = 20


@dataclass(frozen=True)
class NewSequence:
    """A sequence to render: its name and code, the learned sequence that gives it frames and time step, and further facts."""

    name: str
    code: Float[np.ndarray, "..."]
    like: LearnedSequence
    source: str
    # From its pose to the canonical one; None: it is in that pose.
    rotation: Float[np.ndarray, " 4"] | None = None
    # Whether it is refused where the cube cuts it.
    whole: bool = False
    # Drawn by a prior beside the code.
    variables: Mapping[str, Float[np.ndarray, "..."]] = field(default_factory=dict)
    details: dict[str, Any] = field(default_factory=dict)


def reconstruct(
    cells: Cells,
    out: Path,
    *,
    names: list[str] | None = None,
    rendering: Rendering = Rendering(),  # noqa: B008 (frozen)
    seed: int = 0,
    overwrite: bool = False,
    progress: Progress = no_progress,
) -> None:
    """Render learned sequences from their codes, all of them or the named ones. Raises InputError for an unknown name."""
    wanted = names or cells.names
    for name in wanted:
        cells.run.code(name)  # raises where there is none
    sequences = [
        NewSequence(
            like.name,
            code,
            like,
            "reconstructed",
            rotation if cells.run.config.has_rotations else None,
            variables=cells.variables(like.name),
        )
        for like, code, rotation in zip(cells.run.learned.sequences, cells.codes, cells.rotations, strict=True)
        if like.name in wanted
    ]
    write_sequences(cells, sequences, out, rendering, {"command": "reconstruct", "seed": seed}, overwrite, progress)


def generate(
    cells: Cells,
    out: Path,
    n: int,
    *,
    prior: str | None = None,
    sigma: float | None = None,
    span: float = 1.0,
    condition: Condition | None = None,
    pose: Pose | None = None,
    rendering: Rendering = Rendering(),  # noqa: B008 (frozen)
    seed: int = 0,
    overwrite: bool = False,
    progress: Progress = no_progress,
) -> int:
    """Render `n` new cells, drawn from a prior (paper section 3.2), or from it under a `condition`.

    Without a `prior` it is the one that was chosen by measurement at the end of the training (`choice.default_choice`),
    and cells with more pieces than learned ones have are drawn again. `sigma` replaces that of `PRIORS`, where the prior
    has one. `span` is the length of the new movies in learned movies, for cells taken apart. A run that turned its
    sequences gives cells in random poses, one that did not in the pose of its sequences, unless `pose` says otherwise.
    A cell that the cube holds in no pose is drawn again, except under a condition; returns for how many cells that was
    so. Raises InputError for what cannot be drawn, and for a cell that the cube would cut.
    """
    if n < 1:
        raise InputError(f"-n {n}: at least one cell is to be generated")
    rendering.check()
    Output.at(out, inputs=[cells.run.path], overwrite=overwrite).check()
    pose = chosen_pose(cells.run, pose)
    pieces = None
    if prior is None:
        choice = default_choice(cells)
        prior, pieces = choice.prior, choice.most_pieces
        sigma = choice.sigma if sigma is None else sigma
        fitted = cells.prior(prior, sigma=sigma) if condition else choice.fitted(cells, sigma=sigma)
    else:
        fitted = cells.prior(prior, sigma=sigma)
    fitted = _with_span(fitted, prior, span)
    sigma = PRIORS[prior].sigma if sigma is None and prior in PRIORS else sigma
    rng = np.random.default_rng(seed)
    if condition is not None:
        drawn = condition.draw(fitted, n, rng, progress=progress)
    else:
        drawn = whole_cells(cells, fitted, n, pieces, rng)
    source = prior if sigma is None else f"{prior} {sigma:g}"
    sequences = [
        NewSequence(
            f"new{number:04d}",
            cell.code.astype(np.float32),
            like_of_new(cells, number, span),
            source,
            whole=cells.run.config.has_rotations,
            variables=cell.variables,
        )
        for number, cell in enumerate(drawn)
    ]
    if pose == "random":
        poses = np.random.default_rng([seed, POSES])

        def draw_again() -> DrawnCell:
            return whole_cells(cells, fitted, 1, pieces, rng)[0]

        again = draw_again if condition is None else None
        sequences = [_turned(cells, sequence, rendering, poses, again) for sequence in sequences]
    attributes: dict[str, Any] = {"command": "generate", "seed": seed, "prior": prior, "sigma": sigma, "pose": pose}
    if condition is not None:
        attributes["where"] = [request.text for request in condition.requests]
    write_sequences(cells, sequences, out, rendering, attributes, overwrite, progress)
    return sum("drawn_again" in sequence.details for sequence in sequences)


def generate_coded(
    cells: Cells,
    code: Path,
    out: Path,
    *,
    pose: Pose | None = None,
    rendering: Rendering = Rendering(),  # noqa: B008 (frozen)
    seed: int = 0,
    overwrite: bool = False,
    progress: Progress = no_progress,
) -> None:
    """Render the cell of a file that the studio saved, in the canonical pose unless `pose` says otherwise.

    Raises InputError for a damaged file, and for the code of another run.
    """
    rendering.check()
    Output.at(out, inputs=[cells.run.path, code], overwrite=overwrite).check()
    pose = chosen_pose(cells.run, pose or "canonical")
    cell = read_code(code, cells)
    sequence = NewSequence("new0000", cell.code, longest(cells), "code", variables=cell.variables)
    if pose == "random":
        sequence = _turned(cells, sequence, rendering, np.random.default_rng([seed, POSES]))
    attributes = {"command": "generate", "seed": seed, "code": code.name, "pose": pose}
    write_sequences(cells, [sequence], out, rendering, attributes, overwrite, progress)


def like_of_new(cells: Cells, number: int, span: float = 1.0) -> LearnedSequence:
    """The learned sequence that new cell `number` takes its number of frames and time step from: each in turn.

    A movie of another `span` has more or fewer frames of the same time step.
    """
    likes = cells.run.learned.sequences
    like = likes[number % len(likes)]
    return like if span == 1 else replace(like, n_frames=max(round(span * (like.n_frames - 1)) + 1, 1))


def _with_span(prior: Prior, name: str, span: float) -> Prior:
    if span == 1:
        return prior
    if not isinstance(prior, Composed):
        raise InputError(f"--span {span:g}: the prior {name} knows movies of the learned length only; leave it out")
    if not (np.isfinite(span) and 0 < span <= LONGEST_SPAN):
        raise InputError(f"--span {span:g}: must be more than 0 and at most {LONGEST_SPAN:g} learned movies")
    return replace(prior, span=span)


def _turned(
    cells: Cells,
    sequence: NewSequence,
    rendering: Rendering,
    rng: np.random.Generator,
    draw_again: Callable[[], DrawnCell] | None = None,
) -> NewSequence:
    """The sequence in a random pose; another cell in its place if the cube holds it in none. Raises NoPoseError."""
    times = frame_times(rendering.frames(sequence.like.n_frames))
    n_again = 0
    while True:
        field = cells.field(sequence.code, variables=sequence.variables)
        try:
            return replace(sequence, rotation=draw_rotation(field, times, sequence.name, rng))
        except NoPoseError:
            if draw_again is None or n_again == TRIES:
                raise
        cell, n_again = draw_again(), n_again + 1
        details = {**sequence.details, "drawn_again": n_again}
        sequence = replace(sequence, code=cell.code.astype(np.float32), variables=cell.variables, details=details)


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
    rendering.check()
    learned = cells.run.learned
    grid = replace(learned.cube, size=rendering.size(learned.grid))
    frames = {sequence.name: rendering.frames(sequence.like.n_frames) for sequence in sequences}
    times = {name: frame_times(n) for name, n in frames.items()}
    attributes = {
        **attributes,
        "run": cells.run.path.name,
        "weights_sha256": cells.weights_sha256,
        "method": rendering.method,
    }
    if remark := remark_on_loss(cells.run):
        attributes["remark"] = remark
    output = Output.at(out, inputs=[cells.run.path], overwrite=overwrite)
    with output.staged() as partial, progress("rendering", sum(frames.values())) as advance:
        store = ShapeStore.create(partial, grid, band_um=BAND_VOXELS * grid.spacing_um, attributes=attributes)
        for sequence in sequences:
            n_frames = frames[sequence.name]
            info = SequenceInfo(
                sequence.name,
                n_frames,
                _time_step(sequence, n_frames),
                sequence.source,
                rotation_wxyz=_quaternion(sequence),
                details=sequence.details,
            )
            field = cells.field(sequence.code, rotation=sequence.rotation, variables=sequence.variables)
            latent = {"code": field.code.cpu().numpy(), **sequence.variables}
            rendered: Iterable[BoxedField] = (
                field.render(float(time), grid.size, method=rendering.method, safety=rendering.safety)
                for time in times[sequence.name]
            )
            if sequence.whole:
                rendered = uncut(rendered, sequence.name)
            render_sequence(rendered, store.add(info, latent=latent), advance)
        store.note()


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

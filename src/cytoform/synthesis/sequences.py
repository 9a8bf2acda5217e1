"""The stages from a run to new shape stores: reconstruct learned cells, generate ones that never existed."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from cytoform.base.output import Output
from cytoform.base.parallel import Progress, no_progress
from cytoform.errors import InputError
from cytoform.priors.fitted import PRIORS
from cytoform.priors.prior import DrawnCell, Prior
from cytoform.runs.run import LearnedSequence
from cytoform.shapes.grid import frame_times
from cytoform.synthesis.cells import Cells
from cytoform.synthesis.choice import Choice, default_choice, whole_cells
from cytoform.synthesis.coded import longest, read_code
from cytoform.synthesis.compose import Composed
from cytoform.synthesis.conditional.search import Condition
from cytoform.synthesis.options import Rendering
from cytoform.synthesis.pose import POSES, NoPoseError, Pose, chosen_pose, draw_rotation
from cytoform.synthesis.rendered_store import NewSequence, write_sequences

LONGEST_SPAN = 20.0
# How often a cell is drawn that the cube holds in no pose.
TRIES = 20


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
    choice = default_choice(cells) if prior is None else Choice(prior, sigma, None, "named")
    if condition is not None:
        choice = replace(choice, dividing=())  # who divides is for the condition to say
    prior, pieces = choice.prior, choice.most_pieces
    sigma = choice.sigma if sigma is None else sigma
    fitted = _with_span(choice.fitted(cells, sigma=sigma), prior, span)
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

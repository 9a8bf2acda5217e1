"""The stage from two learned cells to new cells between them."""

from pathlib import Path

import numpy as np
from jaxtyping import Float
from scipy.spatial.transform import Rotation, Slerp

from cytoform.base.parallel import Progress, no_progress
from cytoform.errors import InputError
from cytoform.representations.representation import SCALE
from cytoform.runs.run import LearnedSequence
from cytoform.synthesis.cells import Cells
from cytoform.synthesis.options import Rendering
from cytoform.synthesis.paths import PathKind, code_path, path_weights
from cytoform.synthesis.rendered_store import NewSequence, write_sequences


def interpolate(
    cells: Cells,
    out: Path,
    *,
    start: str,
    end: str,
    steps: int = 5,
    path: PathKind = "straight",
    rendering: Rendering = Rendering(),  # noqa: B008 (frozen)
    seed: int = 0,
    overwrite: bool = False,
    progress: Progress = no_progress,
) -> None:
    """Render `steps` cells along a path between the codes of two learned sequences, both included.

    The ends are the cells that `reconstruct` renders. Number of frames and time step change evenly along the path.
    Raises InputError for an unknown name, one name twice, or fewer than 2 steps.
    """
    run = cells.run
    code_start, code_end = (run.code(name).flatten().cpu().numpy() for name in (start, end))
    if start == end:
        raise InputError(f"--from {start} --to {end}: one and the same cell; name two")
    first, last = (run.learned.sequences[run.names.index(name)] for name in (start, end))
    digits = max(3, len(str(steps - 1)))
    sequences = [
        NewSequence(
            f"step_{number:0{digits}d}",
            code,
            _between(first, last, weight),
            f"{path}, {start} to {end}, {weight:.3f}",
            _rotation_between(cells, start, end, weight),
            variables=_size_between(cells, start, end, weight),
            details={"from": start, "to": end, "weight": weight},
        )
        for number, (code, weight) in enumerate(
            zip(code_path(code_start, code_end, steps, kind=path), path_weights(steps).tolist(), strict=True)
        )
    ]
    attributes = {"command": "interpolate", "seed": seed, "from": start, "to": end, "path": path}
    write_sequences(cells, sequences, out, rendering, attributes, overwrite, progress)


def _rotation_between(cells: Cells, start: str, end: str, weight: float) -> Float[np.ndarray, " 4"] | None:
    """The pose in a run with rotations: on the shortest turn from one sequence's rotation to the other's."""
    run = cells.run
    if not run.config.has_rotations:
        return None
    if weight in (0, 1):  # exactly theirs
        return run.rotation(end if weight else start).cpu().numpy()
    ends = Rotation.from_quat([run.rotation(name).cpu().numpy()[[1, 2, 3, 0]] for name in (start, end)])
    x, y, z, w = Slerp([0, 1], ends)(weight).as_quat()
    return np.array([w, x, y, z], np.float32)


def _size_between(cells: Cells, start: str, end: str, weight: float) -> dict[str, Float[np.ndarray, " moments"]]:
    """The size in a run whose cells have one beside their codes: it grows by the same share at every step."""
    if not cells.run.has_scales:
        return {}
    ends = [cells.variables(name)[SCALE] for name in (start, end)]
    return {SCALE: ends[0] ** (1 - weight) * ends[1] ** weight}


def _between(first: LearnedSequence, last: LearnedSequence, weight: float) -> LearnedSequence:
    """Frames and time step of a cell between two: the nearest whole number, and a time step if both have one."""
    n_frames = round((1 - weight) * first.n_frames + weight * last.n_frames)
    step = None
    if first.time_step_s is not None and last.time_step_s is not None:
        step = (1 - weight) * first.time_step_s + weight * last.time_step_s
    return LearnedSequence(f"{first.name} to {last.name}", n_frames, step)

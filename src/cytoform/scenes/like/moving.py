"""Displacements of cells from frame to frame, without the motion that all cells of the field have in common."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from jaxtyping import Float, Integer

from cytoform.movies.motion import FEWEST_TURNING, Motion, own_motions, rest
from cytoform.scenes.like.cells import CellTable

# The field moves as a whole if this explains all but a share of the cells' displacements.
UNEXPLAINED = 0.5
KINDS = ("rest", "shift", "turn")


@dataclass(frozen=True)
class Steps:
    """Displacements in µm of cells that no border cuts, with their families, and pairs of successive ones."""

    moved_um: Float[np.ndarray, "steps dims"]
    family: Integer[np.ndarray, " steps"]
    # The earlier one as the field has turned since.
    before_um: Float[np.ndarray, "pairs dims"]
    after_um: Float[np.ndarray, "pairs dims"]
    pair_family: Integer[np.ndarray, " pairs"]
    # How the field moves as a whole: rest, shift or turn, and its median displacement in µm.
    kind: str
    field_um: float

    @property
    def lengths_um(self) -> Float[np.ndarray, " steps"]:
        """Their lengths."""
        return np.asarray(np.linalg.norm(self.moved_um, axis=1))


def own_steps(cells: CellTable) -> Steps:
    """Displacements of the cells themselves."""
    tried = [found for found in (_steps(cells, kind) for kind in KINDS) if found is not None]
    still = tried[0]
    if not len(still.moved_um):
        return still
    best = min(tried, key=lambda steps: float(np.median(steps.lengths_um)))
    lengths = float(np.median(best.lengths_um)), float(np.median(still.lengths_um))
    return best if lengths[0] < UNEXPLAINED * lengths[1] else still


def _steps(cells: CellTable, kind: str) -> Steps | None:
    """Displacements without one kind of common motion; None where a frame has too few cells to tell it."""
    places = np.zeros((len(cells.frame), 3))
    places[:, 3 - cells.n_dims :] = cells.centroid_um
    moved = np.full((len(cells.frame), 3), np.nan)
    turned: dict[int, Motion] = {}
    common = []
    for rows in _by_frame(cells):
        before, after = places[rows[:, 0]], places[rows[:, 1]]
        motion = _common(before, after, kind)
        if motion is None:
            return None
        moved[rows[:, 0]] = after - motion(before)
        turned[int(cells.frame[rows[0, 0]])] = motion
        common.append(np.median(np.linalg.norm(motion(before) - before, axis=1)))
    steps = cells.steps
    twice = [(one, two) for (one, two), (again, _) in pairwise(steps.tolist()) if two == again]
    pairs = np.array(twice, int).reshape(-1, 2)
    carried = [turned[int(cells.frame[two])](places[[two]] + moved[one]) for one, two in twice]
    stood = [turned[int(cells.frame[two])](places[[two]]) for _, two in twice]
    axes = slice(3 - cells.n_dims, None)
    return Steps(
        moved[steps[:, 0], axes],
        cells.family[steps[:, 0]],
        np.array([a[0] - b[0] for a, b in zip(carried, stood, strict=True)]).reshape(-1, 3)[:, axes],
        moved[pairs[:, 1], axes],
        cells.family[pairs[:, 0]],
        kind,
        float(np.median(common)) if common else 0.0,
    )


def _common(before: np.ndarray, after: np.ndarray, kind: str) -> Motion | None:
    if kind == "rest":
        return rest
    if len(before) < (3 if kind == "shift" else FEWEST_TURNING):
        return None
    found = list(own_motions(before, after, np.full(len(before), np.inf)))
    return found[0] if kind == "shift" else found[-1]


def _by_frame(cells: CellTable) -> Iterator[Integer[np.ndarray, "steps 2"]]:
    """The rows of all steps from one frame to the next."""
    steps = cells.steps
    frames = cells.frame[steps[:, 0]]
    for frame in np.unique(frames):
        yield steps[frames == frame]

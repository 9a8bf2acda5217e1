"""What a model expects of a cell between and beyond its known frames: told all of them, or all but some that are hidden.

A model is fitted anew for each choice of frames that it is told, so what it expects of a hidden frame does not come from that
frame. Its fields are evaluated once, near the known surfaces, and lie on disk for all processes.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float

from cytoform.base.parallel import Progress
from cytoform.base.triples import IntTriple
from cytoform.completion.fields import BoxOfFrames, Field, fields_of
from cytoform.completion.gaps import Gap
from cytoform.completion.timeline import Timeline
from cytoform.shapes.sequence import ShapeSequence
from cytoform.shapes.store import ShapeStore

NEAR_VOXELS = 6.0  # from known surfaces; farther away a prediction is the mean of the known distances

# Signed distance in µm at points (z, y, x) in µm from the corner of the cube, at a time in frames.
Expected = Callable[[Float[np.ndarray, "n 3"], float], Float[np.ndarray, " n"]]


@runtime_checkable
class Model(Protocol):
    """Something that knows how cells look, such as a trained run."""

    def told(self, sequence: ShapeSequence, frames: Sequence[int]) -> Expected:
        """The cell as expected at all times, from these of its frames alone."""
        ...

    def stored(self, name: str) -> dict[str, np.ndarray]:
        """Arrays by which it describes a sequence, to be stored with it."""
        ...

    @property
    def attributes(self) -> Mapping[str, Any]:
        """Which model it is."""
        ...


@dataclass(frozen=True)
class Predicted:
    """Fields at ascending times, in voxels and on one box of the grid, on disk."""

    path: Path
    times: tuple[float, ...]
    corner_zyx: IntTriple

    def at(self, times: Sequence[float], box: BoxOfFrames) -> tuple[Field, ...]:
        """The fields at some of the times, on a box within this one."""
        fields = np.load(self.path, mmap_mode="r")
        shape = next(iter(box.by_frame.values())).shape
        first = np.subtract(box.corner_zyx, self.corner_zyx)
        where = tuple(slice(f, f + n) for f, n in zip(first.tolist(), shape, strict=True))
        return tuple(np.array(fields[(self.times.index(time), *where)]) for time in times)


@dataclass(frozen=True)
class Predictions:
    """By name of the sequence: told all known frames; and by hidden frame, told neither it nor `reach` - 1 beside it."""

    whole: dict[str, Predicted] = field(default_factory=dict)
    hidden: dict[tuple[str, int, int], Predicted] = field(default_factory=dict)


def predict_all(
    model: Model,
    shapes: Path,
    folder: Path,
    timelines: Sequence[Timeline],
    hidden: Mapping[int, Sequence[Gap]],
    progress: Progress,
) -> Predictions:
    """Tell a model the known frames of each sequence, and all but the `hidden` ones, which are given by `reach`."""
    folder.mkdir()
    store, found = ShapeStore.open(shapes), Predictions()
    jobs = [
        (timeline, reach, gaps)
        for timeline in timelines
        for reach, gaps in [(0, list(timeline.gaps().values())), *_hidden_apart(timeline, hidden)]
    ]
    with progress("asking the model", len(jobs)) as advance:
        for number, (timeline, reach, gaps) in enumerate(jobs):
            name = timeline.info.name
            told = _told(timeline.known, reach, gaps)
            expected = model.told(store[name], told)
            advance()
            if not gaps:  # the model describes the sequence all the same
                continue
            made = _predict(expected, store[name], gaps, folder / f"{number}.npy", is_hidden=reach > 0)
            if reach:
                found.hidden.update({(name, int(gap.position), reach): made for gap in gaps})
            else:
                found.whole[name] = made
    return found


def _hidden_apart(timeline: Timeline, hidden: Mapping[int, Sequence[Gap]]) -> list[tuple[int, list[Gap]]]:
    """Hidden frames of a sequence in groups that a model can do without at the same time: each keeps its neighbours."""
    groups = []
    for reach, gaps in hidden.items():
        mine = [gap for gap in gaps if gap.sequence == timeline.info.name]
        by_turn: dict[int, list[Gap]] = {}
        for gap in mine:
            by_turn.setdefault(timeline.known.index(int(gap.position)) % (2 * reach), []).append(gap)
        groups += [(reach, group) for group in by_turn.values()]
    return groups


def _told(known: Sequence[int], reach: int, gaps: Sequence[Gap]) -> list[int]:
    """The known frames without the hidden ones and those beside them."""
    if not reach:
        return list(known)
    hidden = {
        known[number + step]
        for number in (known.index(int(gap.position)) for gap in gaps)
        for step in range(1 - reach, reach)
    }
    return [frame for frame in known if frame not in hidden]


def _predict(
    expected: Expected, sequence: ShapeSequence, gaps: Sequence[Gap], path: Path, *, is_hidden: bool
) -> Predicted:
    """Evaluate what a model expects in the gaps and at the known frames around them. Hidden frames lie in the box."""
    around = {frame for gap in gaps for frame in gap.known}
    frames = sorted(around | {int(gap.position) for gap in gaps if is_hidden})
    box = fields_of(sequence, frames)
    shape = box.by_frame[frames[0]].shape
    beside = {gap.position: gap.known for gap in gaps} | {float(frame): (frame,) for frame in around}
    times = tuple(sorted(beside))
    fields = np.lib.format.open_memmap(path, "w+", np.float32, (len(times), *shape))
    spacing_um = sequence.grid.spacing_um
    for row, time in enumerate(times):
        known = np.stack([box.by_frame[frame] for frame in beside[time]])
        field = known.mean(axis=0)
        near = (np.abs(known).min(axis=0) < NEAR_VOXELS) | ((known <= 0).any(axis=0) != (known <= 0).all(axis=0))
        points_um = (np.argwhere(near) + box.corner_zyx + 0.5) * spacing_um
        field[near] = expected(points_um, time) / spacing_um
        fields[row] = field
    return Predicted(path, times, box.corner_zyx)

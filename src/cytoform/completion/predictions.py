"""What a model expects of a cell between and beyond its known frames: told all of them, or all but some that are hidden.

The model is fitted anew for each set of frames that it is told. So it knows nothing of a hidden frame. Its fields are evaluated
once, near the known surfaces, and written to disk for all processes.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float

from cytoform.base.parallel import Progress
from cytoform.base.triples import Ints
from cytoform.completion.beyond import told
from cytoform.completion.fields import BoxOfFrames, Field, fields_of
from cytoform.completion.gaps import Gap
from cytoform.completion.timeline import Timeline
from cytoform.shapes.sequence import ShapeSequence
from cytoform.shapes.store import ShapeStore

NEAR_VOXELS = 6.0  # from known surfaces; farther away a prediction is the mean of the known distances

# Signed distance in µm at points (z, y, x) in µm from the corner of the cube, at a time in frames.
Expected = Callable[[Float[np.ndarray, "n dims"], float], Float[np.ndarray, " n"]]


@runtime_checkable
class CellModel(Protocol):
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

    @property
    def path(self) -> Path:
        """Where it lies; nothing is written there."""
        ...


@dataclass(frozen=True)
class Predicted:
    """Fields at ascending times, in voxels and on one box of the grid, on disk."""

    path: Path
    times: tuple[float, ...]
    corner_zyx: Ints

    def at(self, times: Sequence[float], box: BoxOfFrames) -> tuple[Field, ...]:
        """The fields at some of the times, on a box within this one."""
        fields = np.load(self.path, mmap_mode="r")
        shape = next(iter(box.by_frame.values())).shape
        first = np.subtract(box.corner_zyx, self.corner_zyx)
        where = tuple(slice(f, f + n) for f, n in zip(first.tolist(), shape, strict=True))
        return tuple(np.array(fields[(self.times.index(time), *where)]) for time in times)


@dataclass(frozen=True)
class Predictions:
    """What a model expects, told all known frames of a sequence, by name; and told nothing of a hidden frame, by its gap."""

    whole: dict[str, Predicted] = field(default_factory=dict)
    hidden: dict[Gap, Predicted] = field(default_factory=dict)


@dataclass(frozen=True)
class Question:
    """Frames of a sequence that a model is told, and gaps that it is asked about."""

    name: str
    told: tuple[int, ...]
    gaps: tuple[Gap, ...]
    is_hidden: bool


def questions_of(timeline: Timeline, hidden: Mapping[int, Sequence[Gap]], ends: Sequence[Gap]) -> Iterator[Question]:
    """About what is missing; about frames hidden with their `reach` - 1 neighbours, by `reach`; and about hidden `ends`."""
    name, known = timeline.info.name, timeline.known
    yield Question(name, known, tuple(timeline.gaps().values()), is_hidden=False)
    for reach, gaps in hidden.items():
        # Gaps that lie far enough apart are hidden at once: each keeps its neighbours.
        by_turn: dict[int, list[Gap]] = {}
        for gap in gaps:
            if gap.sequence == name:
                by_turn.setdefault(known.index(int(gap.position)) % (2 * reach), []).append(gap)
        for group in by_turn.values():
            places = [known.index(int(gap.position)) for gap in group]
            out = {known[place + step] for place in places for step in range(1 - reach, reach)}
            yield Question(name, tuple(frame for frame in known if frame not in out), tuple(group), is_hidden=True)
    by_told: dict[tuple[int, ...], list[Gap]] = {}
    for gap in ends:
        if gap.sequence == name:
            by_told.setdefault(told(timeline, gap), []).append(gap)
    for frames, group in by_told.items():
        yield Question(name, frames, tuple(group), is_hidden=True)


def ask(model: CellModel, shapes: Path, folder: Path, questions: Sequence[Question], progress: Progress) -> Predictions:
    """Tell a model some frames of each sequence, and write down what it expects of others."""
    folder.mkdir()
    store, found = ShapeStore.open(shapes), Predictions()
    with progress("asking the model", len(questions)) as advance:
        for number, question in enumerate(questions):
            sequence = store[question.name]
            expected = model.told(sequence, question.told)
            if question.gaps:  # otherwise the model describes the sequence, and that is all
                made = _predict(expected, sequence, question, folder / f"{number}.npy")
                if question.is_hidden:
                    found.hidden.update(dict.fromkeys(question.gaps, made))
                else:
                    found.whole[question.name] = made
            advance()
    return found


def _predict(expected: Expected, sequence: ShapeSequence, question: Question, path: Path) -> Predicted:
    """Evaluate what a model expects in the gaps and at the known frames around them. Hidden frames lie in the box."""
    gaps = question.gaps
    around = {frame for gap in gaps for frame in gap.known}
    frames = sorted(around | {int(gap.position) for gap in gaps if question.is_hidden})
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

"""The first half of the stage, where only some planes of the known frames are known: a store of whole known frames."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from cytoform.base.parallel import Progress, run_all
from cytoform.completion.gaps import evenly
from cytoform.completion.mixture import Choice, Mixture, choose
from cytoform.completion.planes import PLANE_WAYS, fill_planes, hide_planes
from cytoform.completion.timeline import Timeline
from cytoform.completion.uncertainty import SMOOTH, Calibration, calibrate
from cytoform.shapes.store import ShapeStore

MOST_FRAMES = 8  # frames with hidden planes; each has several


@dataclass(frozen=True)
class FilledPlanes:
    """The chosen way, and the expected error in µm of the known frames, by sequence and frame."""

    choice: Choice
    expected_error_um: dict[tuple[str, int], float | None]


def complete_planes(
    shapes: Path, out: Path, timelines: Sequence[Timeline], every: int, *, workers: int, progress: Progress
) -> FilledPlanes:
    """Write the store `out`: the sequences of `shapes`, in their known frames the planes between every `every`-th filled."""
    frames = [(timeline.info.name, frame) for timeline in timelines for frame in timeline.known]
    hidden = [(shapes, *frame, every) for frame in evenly(frames, MOST_FRAMES)]
    with progress("hiding known planes", len(hidden)) as advance:
        found = run_all(hide_planes, hidden, workers=workers, done=advance)
    examples = [example for example in found if example is not None]
    choice = choose(examples, PLANE_WAYS)
    calibration = calibrate(examples, choice.mixture.weights(PLANE_WAYS), power=SMOOTH)
    store = ShapeStore.open(shapes)
    written = ShapeStore.create(out, store.grid, band_um=store.band_um, attributes={"command": "fill"})
    for timeline in timelines:
        written.add(timeline.info)
    write = partial(_write, shapes, out, every=every, mixture=choice.mixture, calibration=calibration)
    with progress("filling planes", len(frames)) as advance:
        expected_um = run_all(write, frames, workers=workers, done=advance)
    return FilledPlanes(choice, dict(zip(frames, expected_um, strict=True)))


def _write(
    shapes: Path, out: Path, name: str, frame: int, *, every: int, mixture: Mixture, calibration: Calibration
) -> float | None:
    """Write one frame, and return the expected error of its surface in µm."""
    filled = fill_planes(ShapeStore.open(shapes)[name], frame, every, mixture, calibration)
    ShapeStore.open(out, writable=True)[name].write(frame, filled.sdf_um)
    return filled.expected_error_um

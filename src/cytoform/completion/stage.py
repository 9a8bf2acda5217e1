"""The stage from a shape store with missing frames or planes to a store without."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path

from cytoform.base.cluster import local_workers
from cytoform.base.output import Output
from cytoform.base.parallel import Progress, no_progress, run_all
from cytoform.base.provenance import recorded_names, software_versions
from cytoform.completion.beyond import ChosenBeyond
from cytoform.completion.choosing import Choices, Chosen, choose_ways, to_hide
from cytoform.completion.frames import fill_frame
from cytoform.completion.gaps import Gap
from cytoform.completion.mixture import Choice
from cytoform.completion.options import FillOptions
from cytoform.completion.plane_stage import FilledPlanes, complete_planes
from cytoform.completion.planes import check_planes
from cytoform.completion.predictions import CellModel, Predicted, ask
from cytoform.completion.timeline import Timeline, timeline_of
from cytoform.errors import InputError
from cytoform.protrusions.verdict import Verdict, judge
from cytoform.shapes.store import ShapeStore


@dataclass(frozen=True)
class FilledSequence:
    """What was filled in a sequence, and how.

    `expected_error_um` of a frame is 0 if it is known, and None where nothing tells it.
    """

    name: str
    n_known: int
    n_copied: int
    n_beyond: int  # frames before the first known one and after the last
    expected_error_um: tuple[float | None, ...]
    chosen: Chosen

    @property
    def n_filled(self) -> int:
        """Frames that are no copies of known ones at the same time."""
        return len(self.expected_error_um) - self.n_copied


@dataclass(frozen=True)
class Completion:
    """The sequences in the order asked for, the chosen way between planes (None where no plane was missing) and at the ends.

    `verdict` says from the known frames whether cells are bodies with protrusions, which are then tracked.
    """

    plane_choice: Choice | None
    sequences: tuple[FilledSequence, ...]
    beyond: ChosenBeyond
    verdict: Verdict


def fill(
    shapes: Path,
    out: Path,
    *,
    names: Sequence[str] | None = None,
    options: FillOptions = FillOptions(),  # noqa: B008 (frozen)
    model: CellModel | None = None,
    workers: int = 1,
    overwrite: bool = False,
    progress: Progress = no_progress,
) -> Completion:
    """Fill missing frames and planes of a shape store, in all of its sequences or the named ones, into the store `out`.

    Known frames are copied; in known frames, known planes are. The way is chosen by hiding known frames, and planes, of this
    store (mixture.py); with a `model`, what it expects is one more way between frames. Choice and expected errors are in the
    attribute "fill" of `out`. Raises InputError.
    """
    output = Output.at(out, inputs=[shapes, *([model.path] if model else [])], overwrite=overwrite)
    output.check()
    options.check()
    store = ShapeStore.open(shapes)
    check_planes(store, options.every_plane)
    timelines = [timeline_of(store[name], options, fewest=1 if model else 2) for name in names or store.names]
    if not timelines:
        raise InputError(f"{shapes}: holds no sequences; prepare some first")
    with output.locked(), local_workers(workers):
        path, planes = _whole_frames(shapes, output, timelines, options, workers, progress)
        hidden = to_hide(timelines)
        room = output.folder / "expected"
        predictions = ask(model, path, room, hidden.questions(timelines), progress) if model else None
        verdict = _verdict(path, timelines, workers)
        radius_um = verdict.opening_um
        choices = choose_ways(path, hidden, predictions, radius_um=radius_um, workers=workers, progress=progress)
        with output.built() as folder:
            written = _create(folder, store, timelines, options, model)
            whole = predictions.whole if predictions else {}
            expected_um = _write_all(partial(_write, path, folder, whole, choices), timelines, workers, progress)
            filled = [
                _filled(timeline, errors_um, planes, choices.between[timeline.info.name])
                for timeline, errors_um in zip(timelines, expected_um, strict=True)
            ]
            completion = Completion(planes.choice if planes else None, tuple(filled), choices.beyond, verdict)
            written.note({"fill": _record(completion)})
    return completion


def _whole_frames(
    shapes: Path,
    output: Output,
    timelines: Sequence[Timeline],
    options: FillOptions,
    workers: int,
    progress: Progress,
) -> tuple[Path, FilledPlanes | None]:
    """The store of the known frames: `shapes`, or a temporary one with their planes filled."""
    every, whole = options.every_plane, output.folder / "known.zarr"
    if every == 1:
        return shapes.absolute(), None
    return whole, complete_planes(shapes.absolute(), whole, timelines, every, workers=workers, progress=progress)


def _verdict(shapes: Path, timelines: Sequence[Timeline], workers: int) -> Verdict:
    """From known frames of the sequences that have gaps between such frames."""
    known = {each.info.name: each.known for each in timelines if any(gap.is_between for gap in each.gaps().values())}
    if not known:
        return Verdict(("no frames are missing between known ones",))
    return judge(ShapeStore.open(shapes), names=list(known), frames=known, quick=True, workers=workers)


def _create(
    folder: Path, store: ShapeStore, timelines: Sequence[Timeline], options: FillOptions, model: CellModel | None
) -> ShapeStore:
    attributes = {
        "command": "fill",
        "shapes": store.path.name,
        "options": asdict(options),
        "versions": software_versions(),
        **(model.attributes if model else {}),
    }
    written = ShapeStore.create(folder, store.grid, band_um=store.band_um, attributes=attributes)
    for timeline in timelines:
        source = recorded_names([timeline.info.source])[0] if timeline.info.source else timeline.info.name
        latent = model.stored(timeline.info.name) if model else {}
        written.add(replace(timeline.completed(), source=f"filled from {source}"), latent=latent)
    return written


def _write_all(
    write: "partial[float | None]",
    timelines: Sequence[Timeline],
    workers: int,
    progress: Progress,
) -> list[list[float | None]]:
    """Write all frames; returns the expected errors of each sequence."""
    tasks = [
        (timeline.info.name, number, frame_or_gap)
        for timeline in timelines
        for number, frame_or_gap in sorted((timeline.copies() | timeline.gaps()).items())
    ]
    with progress("filling frames", len(tasks)) as advance:
        found = iter(run_all(write, tasks, workers=workers, done=advance))
    return [[next(found) for _ in timeline.times] for timeline in timelines]


def _write(
    shapes: Path,
    folder: Path,
    predicted: Mapping[str, Predicted],
    choices: Choices,
    name: str,
    number: int,
    frame_or_gap: int | Gap,
) -> float | None:
    """Write one frame, and return the expected error of its surface in µm."""
    sequence, written = ShapeStore.open(shapes)[name], ShapeStore.open(folder, writable=True)[name]
    if isinstance(frame_or_gap, int):
        written.write_box(number, sequence.box(frame_or_gap))
        return 0.0
    way = choices.between[name] if frame_or_gap.is_between else choices.beyond
    filled = fill_frame(
        sequence, frame_or_gap, way.choice.mixture, way.calibration, predicted.get(name), choices.radius_um
    )
    written.write(number, filled.sdf_um)
    return filled.expected_error_um


def _filled(
    timeline: Timeline, expected_um: list[float | None], planes: FilledPlanes | None, chosen: Chosen
) -> FilledSequence:
    copies = timeline.copies()
    if planes is not None:
        for number, frame in copies.items():
            expected_um[number] = planes.expected_error_um[timeline.info.name, frame]
    n_beyond = sum(not gap.is_between for gap in timeline.gaps().values())
    return FilledSequence(timeline.info.name, len(timeline.known), len(copies), n_beyond, tuple(expected_um), chosen)


def _record(completion: Completion) -> dict[str, object]:
    """As JSON; ways in words too."""
    ways = {each.name: str(each.chosen.choice.mixture) for each in completion.sequences}
    return {
        "ways": ways,
        "plane_way": None if completion.plane_choice is None else str(completion.plane_choice.mixture),
        "protrusions": completion.verdict.sentence,
        "beyond": {"way": str(completion.beyond.choice.mixture), **asdict(completion.beyond)},
        "plane_choice": None if completion.plane_choice is None else asdict(completion.plane_choice),
        "sequences": {each.name: asdict(each) for each in completion.sequences},
    }

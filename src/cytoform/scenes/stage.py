"""The whole stage: runs and shape stores in, one scene as one or more benchmark data sets out."""

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from cytoform.base.cluster import local_workers
from cytoform.base.files import write_json
from cytoform.base.geff import refuse_without_geff
from cytoform.base.parallel import Progress, no_progress, run_all
from cytoform.base.provenance import software_versions
from cytoform.errors import InputError
from cytoform.imaging.inheritance import Inheritance
from cytoform.scenes.compose import Placement, Seen, View
from cytoform.scenes.contact import RADII, pressed
from cytoform.scenes.dataset import Dataset
from cytoform.scenes.difficulty import IMAGE_DIALS, Moment
from cytoform.scenes.graph import write_graph
from cytoform.scenes.like.taken import settle
from cytoform.scenes.motion import real_trajectories
from cytoform.scenes.paint import Measured, census, paint
from cytoform.scenes.protrusion_files import look_for, write_protrusions
from cytoform.scenes.protrusions import FollowedProtrusions, are_known, follow_protrusions
from cytoform.scenes.request import OPTIONS, WALK, SceneRequest, SettledRequest
from cytoform.scenes.scale import SceneScale, settle_scale
from cytoform.scenes.scene import PICTURES, Scene, contact_of, seed_of, stage_scene
from cytoform.scenes.sources import is_run, load_cells
from cytoform.scenes.texture import TextureChoice, refuse_unfit
from cytoform.scenes.tracks import Tracked, number_tracks
from cytoform.scenes.work import Work
from cytoform.shapes.grid import ROOTS
from cytoform.zoo.find import find_run


@dataclass(frozen=True)
class Made:
    """A written data set, with its tracks and measures, and its protrusions where they are known."""

    name: str
    dataset: Dataset
    texture: TextureChoice
    frames: tuple[int, ...]
    tracked: Tracked
    seen: tuple[tuple[Seen, ...], ...]
    measured: tuple[Measured, ...]
    protrusions: FollowedProtrusions | None = None


Report = Callable[[Path, Scene, Sequence[Made]], object]


def benchmark(
    request: SceneRequest,
    out: Path,
    *,
    workers: int = 1,
    overwrite: bool = False,
    resume: bool = False,
    progress: Progress = no_progress,
    report: Report = lambda folder, scene, made: None,
) -> list[Made]:
    """Make a scene and write it as the data set `out`, or as a series of data sets OUT/DIAL-VALUE.

    The same request gives the same bytes with any number of workers. `resume` continues an interrupted call with the same
    request; finished cells and frames are kept. `report` may add files. Raises InputError.
    """
    if not request.sources:
        raise InputError("no RUN: give trained runs or shape stores whose cells populate the scene")
    moves = None if request.motion == WALK else request.motion
    asked = replace(request, sources=tuple(find_run(source) for source in request.sources))
    work = Work.at(out, inputs=[*asked.sources, asked.texture, moves, asked.like], overwrite=overwrite)
    work.check(resume=resume)
    if asked.geff:
        refuse_without_geff()
    request, likeness = settle(asked)
    recorded = request.recorded() | {"versions": software_versions()}
    scale = settle_scale(request)
    if request.in_contact:
        _refuse_protrusions(request)
    if request.motion != WALK:
        real_trajectories(Path(request.motion), time_step_s=scale.time_step_s, n_dims=scale.n_dims)
    for shown in _shown(request, scale).values():
        planes = min(shown.view.seen_shape_zyx[0], 8)
        refuse_unfit(shown.texture, _moment(shown, 0, 1.0), planes=planes, projection=shown.view.projection)
    with work.locked(), local_workers(workers):
        work.begin(recorded, resume=resume)
        try:
            scene = stage_scene(request, scale, work, likeness=likeness, workers=workers, progress=progress)
            made = [_make(scene, name, work, workers=workers, progress=progress) for name in _shown(request, scale)]
            report(work.output, scene, made)
        except BaseException as stop:
            if n_kept := work.n_frames():
                stop.add_note(f"{n_kept} finished frames are kept; the same command with --resume goes on")
            elif isinstance(stop, InputError):
                work.give_up()  # the same again would fail again
            raise
        write_json(work.output / "provenance.json", {"command": "cytoform benchmark", **recorded})
        work.finish()
    return made


def _refuse_protrusions(request: SettledRequest) -> None:
    for source in request.sources:
        if is_run(source) and load_cells(source, request.device).run.parts:
            raise InputError(
                f"--contact: the protrusions of {source.name} are exact in cells that keep their shapes; leave it out, or "
                "choose other cells"
            )


@dataclass(frozen=True)
class _Shown:
    """A data set of a scene: its request, view and texture."""

    request: SettledRequest
    view: View
    texture: TextureChoice

    @property
    def frames(self) -> range:
        """Frames of the scene that it shows."""
        return range(0, self.request.frames, self.view.every)


def _shown(request: SettledRequest, scale: SceneScale) -> dict[str, _Shown]:
    """The data sets of a request by folder: one, or one per value of the series."""
    if request.series is None:
        return {"": _one(request, scale)}
    dial, values = request.series
    return {f"{dial}-{value:g}": _one(request.turned(dial, value), scale) for value in values}


def _one(request: SettledRequest, scale: SceneScale) -> _Shown:
    view = View(
        request.size_zyx,
        scale.voxel_size_zyx_um,
        request.cells,
        every=request.every or 1,
        planes=request.planes or 1,
        projection=request.projection,
        n_dims=scale.n_dims,
    )
    # Workers on other machines need absolute paths.
    known = Path(request.texture).exists()
    name = str(Path(request.texture).absolute()) if known else request.texture
    dials = {dial: float(value) for dial in IMAGE_DIALS if (value := getattr(request, dial)) is not None}
    texture = TextureChoice(name, request.device, request.optics or "", dials)
    if dials and not texture.paints:
        raise InputError(f"{OPTIONS[next(iter(dials))]}: only for images, and --texture none makes none; leave it out")
    if "focus_drift_um" in dials and scale.n_dims == 3:
        raise InputError(
            "--focus-drift: only for 2D cells, since volumes have all planes in focus; leave it out, or choose --blur"
        )
    return _Shown(request, view, texture)


def _moment(shown: _Shown, number: int, cell_radius_um: float) -> Moment:
    """A frame of a data set."""
    return Moment(
        number, len(shown.frames), shown.view.seen_spacing_zyx_um, cell_radius_um, seed_of(shown.request, PICTURES)
    )


def _make(scene: Scene, name: str, work: Work, *, workers: int, progress: Progress) -> Made:
    """Write one data set of a scene."""
    shown = _shown(scene.request, scene.scale)[name]
    request, view, texture, frames = shown.request, shown.view, shown.texture, tuple(shown.frames)
    dataset = Dataset(
        work.output / name,
        view,
        len(frames),
        scene.scale.time_step_s * view.every,
        request.ome_zarr,
        request.meshes,
    )
    placements = [_placements(scene, view, frame) for frame in frames]
    if (contact := contact_of(request, view.n_dims)) is not None:
        with progress(f"{name} pressing cells".strip(), len(frames)) as advance:
            kept = f"contact-{view.families}-{contact.gap_um:g}"
            crowds = [
                (frame, placed, view, work.cells, kept, contact)
                for frame, placed in zip(frames, placements, strict=True)
            ]
            placements = run_all(pressed, crowds, workers=workers, done=advance)
    with progress(f"{name} following cells".strip(), len(frames)) as advance:
        seen = run_all(census, [(placed, dataset, work.cells) for placed in placements], workers=workers, done=advance)
    tracked = number_tracks(scene.bodies, frames, [{cell.number for cell in cells} for cells in seen])
    dataset.create(texture.open().dtype if texture.paints else None)
    work.records(name).mkdir(parents=True, exist_ok=True)
    with progress(f"{name} painting frames".strip(), len(frames)) as advance:
        labelled = [_labelled(placed, tracked.labels_in(number)) for number, placed in enumerate(placements)]
        mothers = {track.label: track.parent for track in tracked.tracks}
        write = functools.partial(paint, inherited=Inheritance(mothers, request.resemblance or 0.0))
        radius_um = _radius_um(scene)
        tasks = [
            (
                _moment(shown, number, radius_um),
                placed,
                dataset,
                texture,
                work.cells,
                work.records(name) / f"{number}.json",
            )
            for number, placed in enumerate(labelled)
        ]
        measured = run_all(write, tasks, workers=workers, done=advance)
    dataset.challenge.finish(tracked.lineage)
    labels = f"../{dataset.ome.name}/labels/cells" if dataset.ome_zarr else None
    if scene.request.geff:
        _write_graph(scene, dataset, tracked, seen, labels)
    followed = None
    if are_known(scene.bodies):
        followed = follow_protrusions(scene.bodies, scene.centres_um, frames, tracked, view)
        followed = look_for(followed, dataset, workers=workers)
        write_protrusions(followed, dataset, geff=bool(scene.request.geff), labels=labels)
    return Made(name, dataset, texture, frames, tracked, tuple(map(tuple, seen)), tuple(measured), followed)


def _radius_um(scene: Scene) -> float:
    """Radius of a ball or disc as large as the median cell."""
    n_dims = scene.scale.n_dims
    median = float(np.median([shape.size for body in scene.bodies for shape in body.shapes]))
    return float(RADII[n_dims] * ROOTS[n_dims](median))


def _write_graph(
    scene: Scene, dataset: Dataset, tracked: Tracked, seen: Sequence[Sequence[Seen]], labels: str | None
) -> None:
    write_graph(
        dataset.folder / f"{dataset.sequence}.geff",
        tracked,
        seen,
        families=[body.family for body in scene.bodies],
        time_step_s=dataset.time_step_s,
        view=dataset.view,
        labels=labels,
    )


def _placements(scene: Scene, view: View, frame: int) -> list[Placement]:
    """The cells of a frame in a data set; labels are body indices plus 1."""
    return [
        Placement(number, number + 1, body.shape(frame), scene.centres_um[frame][number])
        for number, body in enumerate(scene.bodies)
        if number in scene.centres_um[frame] and body.family < view.families
    ]


def _labelled(placements: Sequence[Placement], labels: dict[int, int]) -> list[Placement]:
    return [replace(p, label=labels[p.number]) for p in placements if p.number in labels]

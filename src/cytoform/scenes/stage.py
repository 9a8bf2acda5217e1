"""The whole stage: runs and shape stores in, one scene as one or more benchmark data sets out."""

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from cytoform.base.cluster import local_workers
from cytoform.base.files import write_json
from cytoform.base.geff import refuse_without_geff
from cytoform.base.parallel import Progress, no_progress, run_all
from cytoform.base.provenance import software_versions
from cytoform.errors import InputError
from cytoform.imaging.inheritance import Inheritance
from cytoform.scenes.compose import Placement, Seen, View
from cytoform.scenes.dataset import Dataset
from cytoform.scenes.graph import write_graph
from cytoform.scenes.like.taken import settle
from cytoform.scenes.motion import real_trajectories
from cytoform.scenes.paint import Measured, census, paint
from cytoform.scenes.protrusion_files import look_for, write_protrusions
from cytoform.scenes.protrusions import FollowedProtrusions, are_known, follow_protrusions
from cytoform.scenes.request import WALK, SceneRequest, SettledRequest
from cytoform.scenes.scale import SceneScale, settle_scale
from cytoform.scenes.scene import PICTURES, Scene, seed_of, stage_scene
from cytoform.scenes.texture import TextureChoice, refuse_unfit
from cytoform.scenes.tracks import Tracked, number_tracks
from cytoform.scenes.work import Work
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
    if request.motion != WALK:
        real_trajectories(Path(request.motion), time_step_s=scale.time_step_s, n_dims=scale.n_dims)
    for view, texture in _views(request, scale).values():
        planes = min(view.seen_shape_zyx[0], 8)
        refuse_unfit(texture, spacing_zyx_um=view.seen_spacing_zyx_um, planes=planes, projection=view.projection)
    with work.locked(), local_workers(workers):
        work.begin(recorded, resume=resume)
        try:
            scene = stage_scene(request, scale, work, likeness=likeness, workers=workers, progress=progress)
            made = [_make(scene, name, work, workers=workers, progress=progress) for name in _views(request, scale)]
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


def _views(request: SettledRequest, scale: SceneScale) -> dict[str, tuple[View, TextureChoice]]:
    """The data sets of a request by folder: one, or one per value of the series."""
    view = View(
        request.size_zyx,
        scale.voxel_size_zyx_um,
        request.cells,
        projection=request.projection,
        n_dims=scale.n_dims,
    )
    # Workers on other machines need absolute paths.
    known = Path(request.texture).exists()
    name = str(Path(request.texture).absolute()) if known else request.texture
    texture = TextureChoice(name, request.device, optics=request.optics or "")
    if request.series is None:
        return {"": (view, texture)}
    dial, values = request.series
    dials: dict[str, Callable[[float], tuple[View, TextureChoice]]] = {
        "snr": lambda value: (view, replace(texture, snr=value)),
        "cells": lambda value: (replace(view, families=int(value)), texture),
        "every": lambda value: (replace(view, every=int(value)), texture),
        "planes": lambda value: (replace(view, planes=int(value)), texture),
    }
    return {f"{dial}-{value:g}": dials[dial](value) for value in values}


def _make(scene: Scene, name: str, work: Work, *, workers: int, progress: Progress) -> Made:
    """Write one data set of a scene."""
    view, texture = _views(scene.request, scene.scale)[name]
    frames = tuple(range(0, scene.request.frames, view.every))
    dataset = Dataset(
        work.output / name,
        view,
        len(frames),
        scene.scale.time_step_s * view.every,
        scene.request.ome_zarr,
        scene.request.meshes,
    )
    placements = [_placements(scene, view, frame) for frame in frames]
    with progress(f"{name} following cells".strip(), len(frames)) as advance:
        seen = run_all(census, [(placed, dataset, work.cells) for placed in placements], workers=workers, done=advance)
    tracked = number_tracks(scene.bodies, frames, [{cell.number for cell in cells} for cells in seen])
    dataset.create(texture.open().dtype if texture.paints else None)
    work.records(name).mkdir(parents=True, exist_ok=True)
    with progress(f"{name} painting frames".strip(), len(frames)) as advance:
        labelled = [_labelled(placed, tracked.labels_in(number)) for number, placed in enumerate(placements)]
        mothers = {track.label: track.parent for track in tracked.tracks}
        inherited = Inheritance(mothers, scene.request.resemblance or 0.0)
        write = functools.partial(paint, seed=seed_of(scene.request, PICTURES), inherited=inherited)
        tasks = [
            (number, placed, dataset, texture, work.cells, work.records(name) / f"{number}.json")
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

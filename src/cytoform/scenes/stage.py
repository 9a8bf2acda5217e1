"""The whole stage: runs and shape stores in, one scene as one or more benchmark data sets out."""

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from cytoform.base.cluster import local_workers
from cytoform.base.files import write_json
from cytoform.base.gate import MEGABYTE, Record, read_json
from cytoform.base.geff import refuse_without_geff
from cytoform.base.parallel import Progress, no_progress, run_all
from cytoform.base.provenance import software_versions
from cytoform.base.triples import Floats
from cytoform.errors import InputError
from cytoform.scenes.bodies import ANEW, Body
from cytoform.scenes.compose import Placement, Seen, View
from cytoform.scenes.crowd import Crowd, Room, refuse_overfull
from cytoform.scenes.cycles import Cycle
from cytoform.scenes.dataset import Dataset
from cytoform.scenes.families import FamilySettings, draw_families, read_bodies, render_family
from cytoform.scenes.graph import write_graph
from cytoform.scenes.lineages import LineageDraw, draw_lineages, render_lineage
from cytoform.scenes.motion import chosen_motion, real_trajectories
from cytoform.scenes.paint import Measured, census, paint
from cytoform.scenes.posing import FamilyDraw
from cytoform.scenes.protrusion_files import look_for, write_protrusions
from cytoform.scenes.protrusions import FollowedProtrusions, are_known, follow_protrusions
from cytoform.scenes.request import OPEN, WALK, SceneRequest, SceneScale, settle_scale
from cytoform.scenes.texture import TextureChoice, refuse_unfit
from cytoform.scenes.tracks import Tracked, number_tracks
from cytoform.scenes.work import Work
from cytoform.zoo.find import find_run

# Streams of random numbers.
CAST, ENTRIES, CROWD, PICTURES = 11, 12, 13, 14
# Families rendered before the check for room.
FIRST = 8
MOST_PLACES_BYTES = 256 * MEGABYTE


@dataclass(frozen=True)
class Scene:
    """The cells of a scene, and for each frame the cube centres of the cells present."""

    request: SceneRequest
    scale: SceneScale
    bodies: tuple[Body, ...]
    centres_um: tuple[dict[int, Floats], ...]


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
    request = replace(request, sources=tuple(find_run(source) for source in request.sources))
    work = Work.at(out, inputs=[*request.sources, request.texture, moves], overwrite=overwrite)
    work.check(resume=resume)
    if request.geff:
        refuse_without_geff()
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
            scene = _stage(request, scale, work, workers=workers, progress=progress)
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


def _views(request: SceneRequest, scale: SceneScale) -> dict[str, tuple[View, TextureChoice]]:
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
    texture = TextureChoice(str(Path(request.texture).absolute()) if known else request.texture, request.device)
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


def _stage(request: SceneRequest, scale: SceneScale, work: Work, *, workers: int, progress: Progress) -> Scene:
    """Render all families and position their cells in every frame."""
    settings = FamilySettings(
        tuple(source.absolute() for source in request.sources),
        request.frames,
        scale.time_step_s,
        min(scale.spacing_um),
        _depth_um(request, scale),
        request.device,
        work.cells,
    )
    draws, render = _cast(request, scale, settings)
    is_open = OPEN[request.leave][-scale.n_dims :]
    room = Room(request.size_zyx[-scale.n_dims :], scale.spacing_um, is_open, request.gap_um)
    with progress("rendering cells", len(draws)) as advance:
        # The first families show whether all have room, before hours of work.
        for some in (draws[:FIRST], draws[FIRST:]):
            run_all(render, [(drawn, settings) for drawn in some], workers=workers, done=advance)
            refuse_overfull(len(draws), read_bodies(settings, min(FIRST, len(draws))), room)
    bodies = read_bodies(settings, len(draws))
    if not work.places.exists():
        with progress("moving cells", request.frames) as advance:
            motion = chosen_motion(request, bodies, time_step_s=scale.time_step_s, n_dims=scale.n_dims)
            seed = _seed(request, CROWD)
            crowd = Crowd(bodies, room, work.cells, motion=motion, n_frames=request.frames, seed=seed)
            centres = crowd.play(advance)
        places = [{str(number): place.tolist() for number, place in frame.items()} for frame in centres]
        write_json(work.places, {"frames": places})
    frames = read_json(work.places, _Places, remedy=ANEW, most=MOST_PLACES_BYTES).frames
    return Scene(
        request, scale, tuple(bodies), tuple({int(number): p for number, p in frame.items()} for frame in frames)
    )


def _cast(
    request: SceneRequest, scale: SceneScale, settings: FamilySettings
) -> tuple[Sequence[FamilyDraw | LineageDraw], Callable[..., None]]:
    """The families or, with cell cycles, lineages of a scene, and what renders one."""
    seed, firsts = _seed(request, CAST), _entries(request)
    lasts_s = (request.frames - 1) * scale.time_step_s
    chosen: dict[str, Any] = {"prior": request.prior, "device": request.device, "seed": seed, "lasts_s": lasts_s}
    if request.cycle_min is None:
        return draw_families(settings.sources, firsts, **chosen), render_family
    cycle = Cycle(60 * request.cycle_min / scale.time_step_s, request.cycle_spread)
    return draw_lineages(settings.sources, firsts, cycle, n_frames=request.frames, **chosen), render_lineage


class _Places(Record):
    frames: tuple[dict[str, Floats], ...]


def _depth_um(request: SceneRequest, scale: SceneScale) -> float | None:
    """How tall cells may be; None where there is no z axis, or cells leave along it."""
    if scale.n_dims < 3 or OPEN[request.leave][0]:
        return None
    return (request.size_zyx[0] - 2) * scale.voxel_size_zyx_um[0]


def _entries(request: SceneRequest) -> list[int]:
    """The first frame of every family; arrivals are spread evenly over the scene."""
    rng = np.random.default_rng([request.seed, ENTRIES])
    if not any(OPEN[request.leave]) or request.frames == 1:
        return [0] * request.cells
    arrives = rng.random(request.cells) < request.arrivals
    return [int(rng.integers(1, request.frames)) if late else 0 for late in arrives]


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
        write = functools.partial(paint, seed=_seed(scene.request, PICTURES))
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


def _seed(request: SceneRequest, stream: int) -> int:
    """A seed of its own for each use."""
    return int(np.random.SeedSequence([request.seed, stream]).generate_state(1)[0])

"""A scene before it is shown: its cells drawn and rendered, and their places in every frame."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from cytoform.base.files import write_json
from cytoform.base.gate import MEGABYTE, Record, read_json
from cytoform.base.parallel import Progress, run_all
from cytoform.base.triples import Floats
from cytoform.scenes.bodies import ANEW, Body
from cytoform.scenes.contact import Contact
from cytoform.scenes.crowd import Crowd
from cytoform.scenes.cycles import Cycle
from cytoform.scenes.families import FamilySettings, draw_families, read_bodies, render_family
from cytoform.scenes.like.taken import Likeness
from cytoform.scenes.lineages import LineageDraw, draw_lineages, render_lineage
from cytoform.scenes.motion import chosen_guidance, chosen_motion
from cytoform.scenes.posing import FamilyDraw
from cytoform.scenes.request import OPEN, SceneRequest, SettledRequest
from cytoform.scenes.room import Room, refuse_overfull
from cytoform.scenes.scale import SceneScale
from cytoform.scenes.sizes import FIRST, sized
from cytoform.scenes.work import Work

# Streams of random numbers.
CAST, ENTRIES, CROWD, PICTURES = 11, 12, 13, 14
MOST_PLACES_BYTES = 256 * MEGABYTE


@dataclass(frozen=True)
class Scene:
    """The cells of a scene, and for each frame the cube centres of the cells present."""

    request: SettledRequest
    scale: SceneScale
    bodies: tuple[Body, ...]
    centres_um: tuple[dict[int, Floats], ...]
    # The movie that it resembles, if any.
    likeness: Likeness | None = None


def stage_scene(
    request: SettledRequest,
    scale: SceneScale,
    work: Work,
    *,
    likeness: Likeness | None = None,
    workers: int,
    progress: Progress,
) -> Scene:
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
    drawn_as_is, render = _cast(request, scale, settings)
    draws = sized(drawn_as_is, render, request, settings, workers=workers)
    is_open = OPEN[request.leave][-scale.n_dims :]
    # Between cells that change their shapes, gaps are made after they have moved.
    gap_um = 0.0 if request.in_contact else request.gap_um
    room = Room(request.size_zyx[-scale.n_dims :], scale.spacing_um, is_open, gap_um, request.contact_depth)
    with progress("rendering cells", len(draws)) as advance:
        # The first families show whether all have room, before hours of work.
        for some in (draws[:FIRST], draws[FIRST:]):
            run_all(render, [(drawn, settings) for drawn in some], workers=workers, done=advance)
            drawn = read_bodies(settings, min(FIRST, len(draws)))
            # Lineages grow beyond an open field.
            leave = request.cycle_min is not None and any(is_open)
            n_there = sum(each.first == 0 for each in draws) if leave else len(draws)
            if request.confluence is None:
                refuse_overfull(n_there, drawn, room, at_start=leave)
    bodies = read_bodies(settings, len(draws))
    if not work.places.exists():
        with progress("moving cells", request.frames) as advance:
            motion = chosen_motion(request, bodies, time_step_s=scale.time_step_s, n_dims=scale.n_dims)
            seed = seed_of(request, CROWD)
            crowd = Crowd(
                bodies,
                room,
                work.cells,
                motion=motion,
                n_frames=request.frames,
                seed=seed,
                neighbour_um=request.neighbour_um,
                guidance=chosen_guidance(request, time_step_s=scale.time_step_s, n_dims=scale.n_dims),
                contact=contact_of(request, scale.n_dims),
            )
            played = crowd.play(advance)
        places = [{str(number): place.tolist() for number, place in frame.items()} for frame in played]
        write_json(work.places, {"frames": places})
    frames = read_json(work.places, _Places, remedy=ANEW, most=MOST_PLACES_BYTES).frames
    centres = tuple({int(number): place for number, place in frame.items()} for frame in frames)
    return Scene(request, scale, tuple(bodies), centres, likeness)


def _cast(
    request: SettledRequest, scale: SceneScale, settings: FamilySettings
) -> tuple[Sequence[FamilyDraw | LineageDraw], Callable[..., None]]:
    """The families or, with cell cycles, lineages of a scene, and what renders one."""
    seed, firsts = seed_of(request, CAST), _entries(request)
    lasts_s = (request.frames - 1) * scale.time_step_s
    chosen: dict[str, Any] = {"prior": request.prior, "device": request.device, "seed": seed, "lasts_s": lasts_s}
    if request.cycle_min is None:
        return draw_families(settings.sources, firsts, **chosen), render_family
    step_min = scale.time_step_s / 60
    deaths = (request.deaths or 0.0) * step_min / 60
    cycle = Cycle(request.cycle_min / step_min, request.cycle_spread, request.quiescent or 0.0, deaths)
    return draw_lineages(settings.sources, firsts, cycle, n_frames=request.frames, **chosen), render_lineage


def contact_of(request: SettledRequest, n_dims: int) -> Contact | None:
    """How cells share space where they meet; None where they keep their shapes."""
    if not request.in_contact:
        return None
    return Contact(request.contact_depth, request.confluence, OPEN[request.leave][-n_dims:], request.gap_um)


class _Places(Record):
    frames: tuple[dict[str, Floats], ...]


def _depth_um(request: SettledRequest, scale: SceneScale) -> float | None:
    """How tall cells may be; None where there is no z axis, or cells leave along it."""
    if scale.n_dims < 3 or OPEN[request.leave][0]:
        return None
    return (request.size_zyx[0] - 2) * scale.voxel_size_zyx_um[0]


def _entries(request: SettledRequest) -> list[int]:
    """The first frame of every family; arrivals are spread evenly over the scene."""
    rng = np.random.default_rng([request.seed, ENTRIES])
    if not any(OPEN[request.leave]) or request.frames == 1:
        return [0] * request.cells
    arrives = rng.random(request.cells) < request.arrivals
    if request.like is not None:
        # As many as the real movie has, not only on average.
        arrives = rng.permutation(request.cells) < round(request.arrivals * request.cells)
    return [int(rng.integers(1, request.frames)) if late else 0 for late in arrives]


def seed_of(request: SceneRequest, stream: int) -> int:
    """A seed of its own for each use."""
    return int(np.random.SeedSequence([request.seed, stream]).generate_state(1)[0])

"""A sequence taken apart: its body in every frame, and its protrusions as tracks."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from cytoform.base.parallel import run_all
from cytoform.protrusions.body import BAND_VOXELS, body_of, shares
from cytoform.protrusions.curves import curves_of
from cytoform.protrusions.lasting_parts import lasting_parts
from cytoform.protrusions.parts import PartsOfFrame, PartsOfSequence
from cytoform.protrusions.tracks import follow
from cytoform.shapes.boundary import ball_radius
from cytoform.shapes.box import BoxedField
from cytoform.shapes.components import components
from cytoform.shapes.store import ShapeStore

FRAMES_A_TASK = 5


def take_apart(
    store: ShapeStore,
    radius_um: float | None,
    *,
    names: Sequence[str] | None = None,
    frames: Mapping[str, Sequence[int]] | None = None,
    n_frames: int | None = None,
    bodies: ShapeStore | None = None,
    coarser: int = 1,
    workers: int = 1,
    done: Callable[[], object] = lambda: None,
) -> list[PartsOfSequence]:
    """Take the sequences of a store apart, all or the named ones, with a ball of `radius_um`; `done` after some frames.

    With `frames`, only those of each sequence, by its name, which are counted anew; with `n_frames`, only so many, from the
    first on. The bodies are written into `bodies`, a store on the same grid that has the same sequences. At most one frame a
    worker is in memory. Without a radius the body is what lasts of a cell over the frames around each, which are in memory too,
    and protrusions are what comes and goes; `frames` need a radius. Such cells may be looked at on a grid
    that is `coarser` by a factor, without bodies.
    """
    infos = [store[name].info for name in names or store.names]
    wanted = [(range(info.n_frames) if frames is None else frames[info.name])[:n_frames] for info in infos]
    out = None if bodies is None else bodies.path.absolute()
    if radius_um is None:
        movies = [(store.path.absolute(), out, info.name, range(info.n_frames)[:n_frames]) for info in infos]
        return list(run_all(partial(lasting_parts, coarser=coarser), movies, workers=workers, done=done))
    tasks = [
        (store.path.absolute(), out, info.name, radius_um, each[first : first + FRAMES_A_TASK])
        for info, each in zip(infos, wanted, strict=True)
        for first in range(0, len(each), FRAMES_A_TASK)
    ]
    parts = iter(run_all(_frames, tasks, workers=workers, done=done))
    found = []
    for info, each in zip(infos, wanted, strict=True):
        apart = [parts_of_frame for _ in range(0, len(each), FRAMES_A_TASK) for parts_of_frame in next(parts)]
        tracks = follow(
            [f.curves for f in apart],
            np.stack([f.centre_zyx_um for f in apart]),
            mean_radius_um([f.body_um3 for f in apart], store.grid.n_dims),
        )
        found.append(PartsOfSequence(info.name, len(each), info.time_step_s, radius_um, apart, tracks))
    return found


def mean_radius_um(sizes: Sequence[float], n_dims: int) -> float:
    """Radius of the ball with the mean of some volumes, or of the disc with the mean of some areas."""
    return ball_radius(max(float(np.mean(sizes)), 1e-9), n_dims)


def n_tasks(store: ShapeStore, names: Sequence[str] | None = None, *, lasting: bool = False) -> int:
    """How often `take_apart` calls `done`; `lasting`: without a radius."""
    if lasting:
        return len(names or store.names)
    return sum(-(-store[name].info.n_frames // FRAMES_A_TASK) for name in names or store.names)


def _frames(path: Path, out: Path | None, name: str, radius_um: float, frames: Sequence[int]) -> list[PartsOfFrame]:
    sequence = ShapeStore.open(path)[name]
    bodies = None if out is None else ShapeStore.open(out, writable=True)[name]
    found = []
    for frame in frames:
        parts, body = parts_of(sequence.box(frame), radius_um)
        if bodies is not None:
            bodies.write_box(frame, body)
        found.append(parts)
    return found


def parts_of(field: BoxedField, radius_um: float) -> tuple[PartsOfFrame, BoxedField]:
    """One frame taken apart: its protrusions and figures, and its body as a field."""
    field = field.tight(max(int(np.ceil(field.band_um / field.grid.spacing_um)), int(BAND_VOXELS)))
    body = body_of(field, radius_um)
    inside = np.argwhere(body.inside)
    if not len(inside):
        middle = np.full(field.grid.n_dims, field.grid.half_extent_um)
        return PartsOfFrame([], _size(field), 0.0, middle, 0), body
    centre = (inside.mean(axis=0) + np.array(field.corner_zyx) + 0.5) * field.grid.spacing_um
    n_bodies = int(components(body.inside).max())
    return PartsOfFrame(curves_of(field, body), _size(field), _size(body), centre, n_bodies), body


def _size(field: BoxedField) -> float:
    """Volume or area."""
    return float(shares(field.box_sdf_um, field.grid.spacing_um).sum()) * field.grid.spacing_um**field.grid.n_dims

"""Compute and write the distances of a plan, frame by frame."""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

from cytoform.base.parallel import run_all
from cytoform.base.provenance import software_versions
from cytoform.base.triples import Floats, floats
from cytoform.errors import InputError
from cytoform.prepare.cells import MovieFrame, movie_frames
from cytoform.prepare.failures import Failures
from cytoform.prepare.masks import Masks
from cytoform.prepare.partial import PartialStore
from cytoform.prepare.plan import Plan, corner_um, in_space, spacing_um
from cytoform.shapes.distance import band_um, signed_distance
from cytoform.shapes.store import ShapeStore


def write(
    plan: Plan,
    partial: PartialStore,
    masks: Masks,
    *,
    attributes: dict[str, Any],
    failures: Failures,
    workers: int,
    done: Callable[[], object],
) -> None:
    """Write all frames that an interrupted call with the same plan has not written; drop movies that fail.

    The unfinished store of any other plan is deleted. After an interruption all complete frames stay.
    """
    _begin(plan, partial, attributes)
    frames = movie_frames(plan.cells)
    tasks = [(frame, partial, masks, _centres(plan, frame)) for frame in frames]
    try:
        # An OSError comes from writing the store, not from a movie, and ends the work.
        faults = run_all(_write, tasks, workers=workers, done=done, kept=(InputError,))
    except BaseException as stop:
        n_frames = sum(len(cell.family.frames) for cell in plan.cells)
        stop.add_note(f"{partial.n_frames()} of {n_frames} frames are kept; the same command with --resume goes on")
        raise
    failures.sift([frame.movie for frame in frames], faults)
    for cell in plan.cells:
        if failures.has(cell.movie):
            partial.discard(cell.name)


def _begin(plan: Plan, partial: PartialStore, attributes: dict[str, Any]) -> None:
    """Create an empty store, unless the same one was begun before."""
    sequences = plan.sequences()
    wanted = {
        "attributes": attributes,
        "grid": asdict(plan.grid),
        "sequences": [asdict(info) | {"offsets_zyx_um": [list(o) for o in info.offsets_zyx_um]} for info in sequences],
        "versions": software_versions(),
    }
    before = partial.plan()
    if before is not None and before["store"] == wanted:
        return
    partial.clear()
    store = ShapeStore.create(partial.store, plan.grid, band_um=band_um(plan.grid), attributes=attributes)
    for info in sequences:
        store.add(info)
    partial.note_plan({"replaces": partial.overwrite, "store": wanted})


def _centres(plan: Plan, frame: MovieFrame) -> list[Floats]:
    return [floats(plan.centres[cell.name][frame.frame - cell.first]) for cell in frame.cells]


def _write(frame: MovieFrame, partial: PartialStore, masks: Masks, centres_zyx_um: Sequence[Floats]) -> None:
    movie = frame.movie
    cleaned = masks.cleaned(movie.name, frame.frame, frame.families)
    for cell, mask, centre_zyx_um in zip(frame.cells, cleaned, centres_zyx_um, strict=True):
        number = frame.frame - cell.first
        if partial.has(cell.name, number):
            continue
        with partial.writing(cell.name, number) as sequence:
            centre_in_box = floats(centre_zyx_um - corner_um(cell.at, movie))
            sequence.write(
                number, signed_distance(in_space(mask, movie), spacing_um(movie), sequence.grid, centre_in_box)
            )

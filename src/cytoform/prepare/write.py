"""Plan to distances on the disk, frame by frame."""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

from cytoform.base.parallel import run_all
from cytoform.base.provenance import software_versions
from cytoform.base.triples import Triple
from cytoform.errors import InputError
from cytoform.movies.movie import LabelMovie, Labels
from cytoform.prepare.cells import MovieFrame, movie_frames
from cytoform.prepare.failures import Failures
from cytoform.prepare.partial import PartialStore
from cytoform.prepare.plan import Plan, as_triple, corner_um
from cytoform.shapes.cleaning import clean_mask
from cytoform.shapes.distance import band_um, signed_distance
from cytoform.shapes.store import ShapeStore


def write(
    plan: Plan,
    partial: PartialStore,
    *,
    attributes: dict[str, Any],
    replaces: bool,
    failures: Failures,
    workers: int,
    done: Callable[[], object],
) -> None:
    """Write all frames that are not there yet from an earlier try, and drop the movies that fail meanwhile.

    What an earlier try has left of anything else is thrown away. When stopped, by whatever, what is there stays.
    """
    _begin(plan, partial, attributes, replaces)
    frames = movie_frames(plan.cells)
    tasks = [(frame, partial, _centres(plan, frame)) for frame in frames]
    try:
        # Faults of the disk are not the movie's, and end the work.
        faults = run_all(_write, tasks, workers=workers, done=done, kept=(InputError,))
    except BaseException as stop:
        n_frames = sum(len(cell.family.frames) for cell in plan.cells)
        stop.add_note(f"{partial.n_frames()} of {n_frames} frames are kept; the same command with --resume goes on")
        raise
    failures.sift([frame.movie for frame in frames], faults)
    for cell in plan.cells:
        if failures.has(cell.movie):
            partial.discard(cell.name)


def _begin(plan: Plan, partial: PartialStore, attributes: dict[str, Any], replaces: bool) -> None:
    """Have an empty store, unless the very same one was begun before."""
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
    partial.note_plan({"replaces": replaces, "store": wanted})


def _centres(plan: Plan, frame: MovieFrame) -> list[Triple]:
    return [as_triple(plan.centres[cell.name][frame.frame - cell.first]) for cell in frame.cells]


def _write(frame: MovieFrame, partial: PartialStore, centres_zyx_um: Sequence[Triple]) -> None:
    movie = frame.movie
    labels: Labels | None = None
    for cell, centre_zyx_um in zip(frame.cells, centres_zyx_um, strict=True):
        if partial.has(cell.name, frame.frame - cell.first):
            continue
        labels = _read(movie, frame.frame) if labels is None else labels
        mask = clean_mask(labels[cell.at.box_zyx], cell.at.labels).mask
        with partial.writing(cell.name, frame.frame - cell.first) as sequence:
            centre_in_box = as_triple(centre_zyx_um - corner_um(cell.at, movie))
            sdf_um = signed_distance(mask, movie.spacing_zyx_um, sequence.grid, centre_in_box)
            sequence.write(frame.frame - cell.first, sdf_um)


def _read(movie: LabelMovie, frame: int) -> Labels:
    """Read a frame such that a fault of its file cannot be taken for one of the store's."""
    try:
        return movie.read(frame)
    except OSError as fault:
        raise InputError(f"{movie.where(frame)}: {fault.strerror or fault}; make it readable") from None

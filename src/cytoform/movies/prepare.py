"""The stage from label movies to a shape store: find the families, choose one cube for all, measure distances."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np

from cytoform.errors import InputError
from cytoform.files import refuse_existing, staged
from cytoform.movies.extent import Centres, Extent, Vector, centres_of, common_grid, extent_of
from cytoform.movies.families import Family, FamilyFrame, FamilySearch, LeftOut, Triple, find_families
from cytoform.movies.movie import LabelMovie
from cytoform.movies.readers import open_all
from cytoform.parallel import Progress, no_progress, run_all
from cytoform.shapes.cleaning import clean_mask
from cytoform.shapes.distance import band_um, signed_distance
from cytoform.shapes.grid import Grid
from cytoform.shapes.store import SequenceInfo, ShapeStore


@dataclass(frozen=True)
class Prepared:
    """What `prepare` found and did."""

    grid: Grid
    n_families: int
    n_frames: int
    left_out: tuple[LeftOut, ...]
    n_holes: int
    n_specks: int


@dataclass(frozen=True)
class _Cell:
    """A family under the name that it gets in the store."""

    name: str
    movie: LabelMovie
    family: Family


@dataclass(frozen=True)
class _Measured:
    """What the first pass learns of a family in one frame."""

    extent: Extent
    n_holes: int
    n_specks: int


@dataclass(frozen=True)
class _CellFrame:
    """A cell in one frame of its movie; `first` is the cell's first frame."""

    name: str
    first: int
    at: FamilyFrame


@dataclass(frozen=True)
class _Task:
    """All cells of one frame of a movie, so that it is read once for all of them."""

    movie: LabelMovie
    frame: int
    cells: tuple[_CellFrame, ...]


def prepare(
    sources: Sequence[Path],
    out: Path,
    *,
    voxel_size_zyx_um: Triple | None = None,
    time_step_s: float | None = None,
    frames: int | None = None,
    grid_size: int = 128,
    half_extent_um: float | None = None,
    keep_motion: bool = False,
    workers: int = 1,
    seed: int = 0,
    overwrite: bool = False,
    progress: Progress = no_progress,
) -> Prepared:
    """Turn label movies into the shape store `out`, one sequence a cell family, at most `frames` frames of each.

    One cube holds every cell: of half-width `half_extent_um`, or as small as the cells allow. Each frame is centred on
    the cell's centroid, or with `keep_motion` the whole sequence on the middle of its motion. Nothing here is random;
    `seed` is only noted. Raises InputError for what the user can put right, and then writes nothing.
    """
    options = {
        "voxel_size_zyx_um": list(voxel_size_zyx_um) if voxel_size_zyx_um else None,
        "time_step_s": time_step_s,
        "frames": frames,
        "half_extent_um": half_extent_um,
        "keep_motion": keep_motion,
    }
    refuse_existing(out, overwrite=overwrite)
    Grid(grid_size, 1.0 if half_extent_um is None else half_extent_um)  # refuses impossible ones before the long work
    movies = open_all(sources, voxel_size_zyx_um=voxel_size_zyx_um, time_step_s=time_step_s)
    with progress("following families", len(movies)) as advance:
        searches = run_all(_search, [(movie, frames) for movie in movies], workers=workers, done=advance)
    cells, left_out = _name_cells(movies, searches)
    tasks = _tasks(cells)
    with progress("preparing frames", 2 * len(tasks)) as advance:
        measured = _by_cell(tasks, run_all(_measure, [(task,) for task in tasks], workers=workers, done=advance))
        extents = {name: [frame.extent for frame in frames_of_cell] for name, frames_of_cell in measured.items()}
        centres = {name: centres_of(of_cell, keep_motion=keep_motion) for name, of_cell in extents.items()}
        grid = common_grid(extents, centres, size=grid_size, half_extent_um=half_extent_um)
        attributes = {
            "command": "prepare",
            "options": options,
            "sources": [str(source) for source in sources],
            "seed": seed,
            "left_out": [{"name": lost.name, "reason": lost.reason} for lost in left_out],
        }
        with staged(out, overwrite=overwrite) as folder:
            _create(folder, grid, cells, centres, attributes)
            run_all(
                _write, [(task, folder, _centres_in(task, centres)) for task in tasks], workers=workers, done=advance
            )
    every = [frame for frames_of_cell in measured.values() for frame in frames_of_cell]
    return Prepared(
        grid=grid,
        n_families=len(cells),
        n_frames=len(every),
        left_out=tuple(left_out),
        n_holes=sum(frame.n_holes for frame in every),
        n_specks=sum(frame.n_specks for frame in every),
    )


def _search(movie: LabelMovie, frames: int | None) -> FamilySearch:
    return find_families(movie, frames=frames)


def _name_cells(movies: list[LabelMovie], searches: list[FamilySearch]) -> tuple[list[_Cell], list[LeftOut]]:
    """The families of all movies, each under a name of its own. Raises InputError where none is left."""
    cells: dict[str, _Cell] = {}
    left_out: list[LeftOut] = []
    for movie, search in zip(movies, searches, strict=True):
        left_out += search.left_out
        for family in search.families:
            candidates = (family.name if n == 1 else f"{family.name}_{n}" for n in count(1))
            name = next(name for name in candidates if name not in cells)
            cells[name] = _Cell(name, movie, family)
    if not cells:
        first = f"; {left_out[0].name}: {left_out[0].reason}" if left_out else ""
        raise InputError(f"{movies[0].source}: no whole cell in {len(movies)} movies{first}; crop less tightly")
    return list(cells.values()), left_out


def _tasks(cells: list[_Cell]) -> list[_Task]:
    movies = {cell.movie.name: cell.movie for cell in cells}
    together: dict[tuple[str, int], list[_CellFrame]] = {}
    for cell in cells:
        for frame, at in enumerate(cell.family.frames, cell.family.first):
            together.setdefault((cell.movie.name, frame), []).append(_CellFrame(cell.name, cell.family.first, at))
    return [_Task(movies[name], frame, tuple(here)) for (name, frame), here in together.items()]


def _by_cell(tasks: list[_Task], results: list[list[_Measured]]) -> dict[str, list[_Measured]]:
    """Results of tasks, which go frame by frame, regrouped by cell; frames stay in order."""
    regrouped: dict[str, list[_Measured]] = {}
    for task, result in sorted(zip(tasks, results, strict=True), key=lambda pair: pair[0].frame):
        for cell, measured in zip(task.cells, result, strict=True):
            regrouped.setdefault(cell.name, []).append(measured)
    return regrouped


def _centres_in(task: _Task, centres: dict[str, Centres]) -> list[Triple]:
    return [_triple(centres[cell.name][task.frame - cell.first]) for cell in task.cells]


def _measure(task: _Task) -> list[_Measured]:
    labels = task.movie.read(task.frame)
    spacing_zyx_um = np.array(task.movie.spacing_zyx_um)
    measured = []
    for cell in task.cells:
        clean = clean_mask(labels[cell.at.box_zyx], cell.at.labels)
        extent = extent_of(clean.mask, spacing_zyx_um, _corner_um(cell.at, spacing_zyx_um))
        measured.append(_Measured(extent, clean.n_holes, clean.n_specks))
    return measured


def _write(task: _Task, folder: Path, centres_zyx_um: list[Triple]) -> None:
    store = ShapeStore.open(folder, writable=True)
    labels = task.movie.read(task.frame)
    spacing_zyx_um = np.array(task.movie.spacing_zyx_um)
    for cell, centre_zyx_um in zip(task.cells, centres_zyx_um, strict=True):
        mask = clean_mask(labels[cell.at.box_zyx], cell.at.labels).mask
        centre_in_box = _triple(centre_zyx_um - _corner_um(cell.at, spacing_zyx_um))
        sdf_um = signed_distance(mask, task.movie.spacing_zyx_um, store.grid, centre_in_box)
        store[cell.name].write(task.frame - cell.first, sdf_um)


def _create(
    folder: Path, grid: Grid, cells: list[_Cell], centres: dict[str, Centres], attributes: dict[str, Any]
) -> None:
    store = ShapeStore.create(folder, grid, band_um=band_um(grid), attributes=attributes)
    for cell in cells:
        store.add(
            SequenceInfo(
                name=cell.name,
                n_frames=len(cell.family.frames),
                time_step_s=cell.movie.time_step_s,
                source=cell.movie.source,
                offsets_zyx_um=tuple(_triple(centre) for centre in centres[cell.name]),
            )
        )


def _corner_um(at: FamilyFrame, spacing_zyx_um: Vector) -> Vector:
    return np.array([side.start for side in at.box_zyx]) * spacing_zyx_um


def _triple(vector: Vector) -> Triple:
    z, y, x = (float(value) for value in vector)
    return z, y, x

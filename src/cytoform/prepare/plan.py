"""The plan of a store, from measures of every frame: the cube, and its centre in each frame of each movie."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Shaped

from cytoform.base.parallel import run_all
from cytoform.base.triples import Floats, floats
from cytoform.errors import InputError
from cytoform.movies.families import FamilyFrame
from cytoform.movies.movie import LabelMovie, Labels
from cytoform.prepare.cells import MovieFrame, NamedFamily
from cytoform.prepare.extent import Centres, Extent, Vector, centres_of, check_fits, common_grid, extent_of
from cytoform.prepare.failures import Failures
from cytoform.prepare.masks import Masks
from cytoform.prepare.request import Request
from cytoform.shapes.cleaning import clean_mask
from cytoform.shapes.grid import Grid
from cytoform.shapes.pieces import FarPieces, far_pieces
from cytoform.shapes.store import SequenceInfo


@dataclass(frozen=True)
class CellMeasures:
    """Measures of a cleaned cell in one frame."""

    extent: Extent
    n_holes: int
    n_specks: int
    # Labels with a piece far from the rest.
    far_pieces: tuple[tuple[int, FarPieces], ...] = ()
    # The share of the volume that was a hole before cleaning.
    filled_share: float = 0.0


Measurements = Mapping[str, Sequence[CellMeasures]]


@dataclass(frozen=True)
class Plan:
    """The cells to write and their common grid; centres (in the movie) and measures by name."""

    grid: Grid
    cells: tuple[NamedFamily, ...]
    centres: Mapping[str, Centres]
    measured: Measurements

    def sequences(self) -> list[SequenceInfo]:
        """Descriptions of the cells for the store."""
        return [
            SequenceInfo(
                name=cell.name,
                n_frames=len(cell.family.frames),
                time_step_s=cell.movie.time_step_s,
                source=cell.source,
                offsets_zyx_um=tuple(floats(centre) for centre in self.centres[cell.name]),
            )
            for cell in self.cells
        ]


def measure(
    frames: Sequence[MovieFrame], masks: Masks, *, failures: Failures, workers: int, done: Callable[[], object]
) -> dict[str, list[CellMeasures]]:
    """Clean and measure every cell in all its frames, by name; cells of failed movies are missing."""
    tasks = [(frame, masks) for frame in frames]
    results = run_all(_measure, tasks, workers=workers, done=done, kept=(InputError,))
    failures.sift([frame.movie for frame in frames], results)
    whole = [pair for pair in zip(frames, results, strict=True) if not failures.has(pair[0].movie)]
    by_cell: dict[str, list[CellMeasures]] = {}
    for frame, result in sorted(whole, key=lambda pair: pair[0].frame):
        for cell, measured in zip(frame.cells, result, strict=True):
            by_cell.setdefault(cell.name, []).append(measured)
    return by_cell


def with_gaps(
    cells: Sequence[NamedFamily], measured: Mapping[str, list[CellMeasures]]
) -> dict[str, list[CellMeasures]]:
    """Measures of all frames: a gap lies where the cell was before, or before its first known frame where it will be."""
    filled: dict[str, list[CellMeasures]] = {}
    for cell in cells:
        known = iter(measured[cell.name])
        last = CellMeasures(measured[cell.name][0].extent, 0, 0)
        filled[cell.name] = []
        for at in cell.family.frames:
            found = next(known) if at.labels else last
            filled[cell.name].append(found)
            last = CellMeasures(found.extent, 0, 0)
    return filled


def make_plan(
    request: Request, cells: Sequence[NamedFamily], measured: Measurements, grid: Grid | None, failures: Failures
) -> Plan:
    """Choose the cube for the measured cells. With a given `grid`, movies with a cell that does not fit fail."""
    extents = {cell.name: [frame.extent for frame in measured[cell.name]] for cell in cells}
    centres = {name: centres_of(of_cell, keep_motion=request.keep_motion) for name, of_cell in extents.items()}
    if grid is None:
        grid = common_grid(
            extents,
            centres,
            size=request.grid_size,
            half_extent_um=request.half_extent_um,
            n_dims=cells[0].movie.n_dims,
        )
        return Plan(grid, tuple(cells), centres, measured)
    for cell in cells:
        try:
            check_fits({cell.name: extents[cell.name]}, centres, grid)
        except InputError as fault:
            failures.add(cell.movie, fault)
    return Plan(grid, tuple(cell for cell in cells if not failures.has(cell.movie)), centres, measured)


def refuse_motion_of_one_frame(request: Request, cells: Sequence[NamedFamily]) -> None:
    """Raise InputError for motion to keep where every sequence has a single frame."""
    if request.keep_motion and all(len(cell.family.frames) == 1 for cell in cells):
        raise InputError(
            f"--keep-motion: {cells[0].name} and all other sequences have one frame, so nothing moves; leave it out"
            if len(cells) > 1
            else f"--keep-motion: {cells[0].name} has one frame, so nothing moves; leave it out"
        )


def _measure(frame: MovieFrame, masks: Masks) -> list[CellMeasures]:
    where = frame.movie.name, frame.frame, frame.families
    looked = [
        look_at(labels, family, frame.movie)
        for family, labels in zip(frame.families, masks.labels_of(*where), strict=True)
    ]
    masks.keep_cleaned(*where, [cell.mask for cell in looked])
    return [cell.measures for cell in looked]


@dataclass(frozen=True)
class Looked:
    """The cleaned mask of a cell in its box, and its measures."""

    mask: Bool[np.ndarray, "..."]
    measures: CellMeasures


def look_at(labels: Labels, family: FamilyFrame, movie: LabelMovie) -> Looked:
    """Clean and measure a cell; `labels` holds its labels in its box."""
    labels = in_space(labels, movie)
    clean = clean_mask(labels, family.labels)
    extent = extent_of(clean.mask, np.array(spacing_um(movie)), corner_um(family, movie))
    pieces = [(label, far_pieces(labels == label, spacing_um(movie))) for label in clean.in_pieces]
    measures = CellMeasures(
        extent,
        clean.n_holes,
        clean.n_specks,
        tuple((label, far) for label, far in pieces if far is not None),
        clean.n_filled / (clean.n_filled + family.n_voxels),
    )
    return Looked(clean.mask, measures)


def corner_um(at: FamilyFrame, movie: LabelMovie) -> Vector:
    """The lowest corner of a family's box in its movie, in µm."""
    return np.array([side.start for side in at.box_zyx[-movie.n_dims :]]) * np.array(spacing_um(movie))


def spacing_um(movie: LabelMovie) -> Floats:
    """Sides of a voxel along the axes of a movie's space."""
    return movie.spacing_zyx_um[-movie.n_dims :]


def in_space(values: Shaped[np.ndarray, "z y x"], movie: LabelMovie) -> Shaped[np.ndarray, "..."]:
    """The voxels of a frame along the axes of its space: without the only plane of an image."""
    return values.reshape(values.shape[-movie.n_dims :], order="A")

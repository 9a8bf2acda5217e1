"""The options of a scene that resembles a real movie, with a sentence about each."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from cytoform.errors import InputError
from cytoform.movies.movie import LabelMovie
from cytoform.movies.readers import open_movies
from cytoform.scenes.like.cells import CellTable, images_beside, read_cells
from cytoform.scenes.like.lives import life_findings
from cytoform.scenes.like.looks import look_findings
from cytoform.scenes.like.moving import own_steps
from cytoform.scenes.like.statistics import Statistic, nearest_neighbours_um, statistics
from cytoform.scenes.like.words import Finding
from cytoform.scenes.request import OPTIONS, SceneRequest, SettledRequest
from cytoform.scenes.scale import source_dimensions
from cytoform.shapes.grid import EXPONENTS

# By number of dimensions: the median length of a normally distributed step over its root mean square.
MEDIANS = {2: 0.8326, 3: 0.8881}
FEWEST_WHOLE = 10
# From the 10 % to the 90 % quantile of a normal distribution, in standard deviations.
TEN_TO_NINETY = 2.563
FEWEST_STEPS = 10
MOST_ARRIVING = 0.95


@dataclass(frozen=True)
class Likeness:
    """What a scene has from a real movie."""

    name: str
    findings: tuple[Finding, ...]
    statistics: tuple[Statistic, ...]
    time_step_s: float

    @property
    def sentences(self) -> list[str]:
        """A sentence for every option, taken or not."""
        return [finding.sentence(OPTIONS.get(finding.option, finding.option)) for finding in self.findings]


def settle(request: SceneRequest) -> tuple[SettledRequest, Likeness | None]:
    """A request with options from the movie that it resembles, if any, and defaults. Raises InputError."""
    if request.like is None:
        return request.settled(), None
    if request.projection:
        raise InputError("--like: projections do not show how densely cells lie in a volume; leave --projection out")
    movies = _open(request)
    step_s = _time_step_s(movies, request)
    looks = look_findings(request, movies)
    is_bright = any(each.option == "optics" and each.value is not None for each in looks)
    cells = read_cells(movies, images_beside(request.like, movies) if is_bright else ())
    if not len(cells.frame):
        raise InputError(f"--like {request.like}: no tracked cell in any frame; give another movie")
    findings = (*_findings(cells, movies, request, step_s), *looks)
    options = vars(request) | {each.option: each.value for each in findings if each.value is not None}
    given = {name: value for name, value in vars(request).items() if value is not None}
    settled = SceneRequest(**(options | given)).settled()
    told = tuple(each.overridden(given[each.option]) if each.option in given else each for each in findings)
    return settled, Likeness(request.like.name, told, tuple(statistics(cells)), step_s)


def _open(request: SceneRequest) -> list[LabelMovie]:
    """The sequences of the folder; the voxel size of the request counts where none is recorded."""
    folder = request.like
    if folder is None:
        raise ValueError("no folder")
    try:
        movies = open_movies(folder)
    except InputError:
        if request.voxel_size_zyx_um is None:
            raise
        movies = open_movies(folder, voxel_size_zyx_um=request.voxel_size_zyx_um)
    first = movies[0]
    for movie in movies:
        if movie.lineage is None:
            raise InputError(f"--like {movie.source}: no tracks; add man_track.txt, which says when cells divide")
        if (movie.spacing_zyx_um, movie.shape_zyx) != (first.spacing_zyx_um, first.shape_zyx):
            raise InputError(
                f"--like {folder}: {first.name} and {movie.name} differ in voxel size or shape; give one of them, "
                "as in FOLDER/01_GT"
            )
    if (n_dims := source_dimensions(request.sources[0], request.device)) != first.n_dims:
        raise InputError(
            f"--like {folder}: its cells are {first.n_dims}D, those of {request.sources[0]} {n_dims}D; choose other cells"
        )
    return movies


def _time_step_s(movies: Sequence[LabelMovie], request: SceneRequest) -> float:
    step_s = movies[0].time_step_s or request.time_step_s
    if step_s is None:
        raise InputError(f"--like {request.like}: no time step is recorded; pass --time-step, in seconds")
    return step_s


def _findings(
    cells: CellTable, movies: Sequence[LabelMovie], request: SceneRequest, step_s: float
) -> tuple[Finding, ...]:
    first = movies[0]
    scale = [
        Finding("voxel_size_zyx_um", first.spacing_zyx_um, f"{_times(first.spacing_zyx_um)} µm"),
        Finding("time_step_s", step_s, f"{step_s:g} s"),
        Finding("size_zyx", first.shape_zyx, f"{_times(first.shape_zyx)} voxels"),
        Finding("frames", first.n_frames, str(first.n_frames)),
    ]
    return (
        *scale,
        *_population(cells, first, request, step_s),
        *_motion(cells, step_s),
        *_neighbours(cells),
        *life_findings(cells, step_s),
        *_sizes(cells),
    )


def _population(cells: CellTable, movie: LabelMovie, request: SceneRequest, step_s: float) -> list[Finding]:
    """Cells at the start by the size of the field, and arrivals by its border and the time."""
    first = {start for start, _ in cells.movies}
    late = sum(t.parent == 0 and t.first not in first and t.begins_cut for t in cells.tracks)
    shape, voxel = request.size_zyx or movie.shape_zyx, request.voxel_size_zyx_um or movie.spacing_zyx_um
    larger = float(np.prod(np.multiply(shape, voxel)[-cells.n_dims :])) / cells.field
    longer = (request.frames or movie.n_frames) * (request.time_step_s or step_s) / (cells.n_frames * step_s)
    founders = larger * cells.n_first / len(cells.movies)
    arriving = late * longer * larger ** (1 - 1 / cells.n_dims)
    families = max(1, round(founders + arriving))
    cut = cells.cut_axes.mean(axis=0)
    leave = "none" if not cut.any() else "xyz" if cut[0] else "xy"
    share = min(arriving / (founders + arriving), MOST_ARRIVING)
    return [
        Finding(
            "cells",
            families,
            f"{families}, from {cells.n_first / len(cells.movies):.3g} cells in the first frame and {late} that come in later, "
            f"in a field of {cells.field:.4g} µm{EXPONENTS[cells.n_dims]}",
        ),
        Finding("arrivals", share, f"{share:.3g}"),
        Finding("leave", leave, f"{leave}, since the border cuts {100 * cells.is_cut.mean():.0f} % of the cells"),
    ]


def _motion(cells: CellTable, step_s: float) -> list[Finding]:
    """Speed and memory of the walk; a motion of the whole field is taken off."""
    steps = own_steps(cells)
    if len(steps.moved_um) < FEWEST_STEPS:
        why = f"only {len(steps.moved_um)} steps of whole cells from frame to frame"
        return [Finding(name, None, why) for name in ("speed_um_per_min", "persistence_min")]
    median_um = float(np.median(steps.lengths_um))
    speed = median_um / MEDIANS[cells.n_dims] / (step_s / 60)
    said = f"{speed:.3g} µm/min, from a median displacement of {median_um:.3g} µm a frame"
    if steps.kind != "rest":
        said += f"; the {steps.kind} of the whole field, {steps.field_um:.3g} µm a frame, is left out"
    squares = float((steps.before_um**2).sum() + (steps.after_um**2).sum()) / 2
    if not squares:
        return [Finding("speed_um_per_min", speed, said), Finding("persistence_min", None, "no two successive steps")]
    correlation = float((steps.before_um * steps.after_um).sum()) / squares
    from_this = f"from a correlation of {correlation:.2g} between successive steps"
    if correlation < 0:
        # Steps of independent places about a course correlate by -1/2, steps of a walk without memory by 0.
        walks = float(np.sqrt(max(0.0, 1 + 2 * correlation)))
        off_um = float(np.sqrt(-correlation)) * speed * step_s / 60
        return [
            Finding("speed_um_per_min", speed * walks, f"{speed * walks:.3g} of {said}"),
            Finding("persistence_min", 0.0, f"0 min, {from_this}"),
            Finding("wobble_um", off_um, f"{off_um:.3g} µm, {from_this}"),
        ]
    memory = -step_s / 60 / np.log(correlation) if 0 < correlation < 1 else 0.0
    return [
        Finding("speed_um_per_min", speed, said),
        Finding(
            "persistence_min",
            float(memory),
            f"{memory:.3g} min, {from_this}",
        ),
    ]


def _neighbours(cells: CellTable) -> list[Finding]:
    distances = nearest_neighbours_um(cells)[0]
    if not len(distances):
        return [Finding("neighbour_um", None, "no frame has two cells")]
    median_um = float(np.median(distances))
    return [Finding("neighbour_um", median_um, f"{median_um:.3g} µm, the median")]


def _sizes(cells: CellTable) -> list[Finding]:
    whole = cells.size[~cells.is_cut]
    names = ("cell_size", "cell_size_spread")
    if len(whole) < FEWEST_WHOLE:
        return [Finding(name, None, f"the border cuts all but {len(whole)} cells") for name in names]
    low, median, high = (float(value) for value in np.percentile(whole, (10, 50, 90)))
    # Fragments of cells, by a fault of the masks, would make a standard deviation too large.
    spread = float(np.log(high / low)) / TEN_TO_NINETY
    return [
        Finding(names[0], median, f"{median:.4g} µm{EXPONENTS[cells.n_dims]}, the median of {len(whole)} whole cells"),
        Finding(names[1], min(spread, 2.0), f"{spread:.2g}"),
    ]


def _times(numbers: Sequence[Any]) -> str:
    return " × ".join(f"{number:g}" for number in numbers)

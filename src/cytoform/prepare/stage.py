"""The whole stage: label movies in, a shape store out."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cytoform.base.cluster import local_workers
from cytoform.base.parallel import Progress, no_progress
from cytoform.base.triples import Triple
from cytoform.movies.families import FrameTreatment, LeftOut, Treatment
from cytoform.movies.movie import LabelMovie
from cytoform.prepare.cells import Followed, NamedFamily, follow, movie_frames
from cytoform.prepare.failures import Failure, Failures
from cytoform.prepare.masks import Masks
from cytoform.prepare.notices import Notices, Seen, shape_notices
from cytoform.prepare.partial import PartialStore
from cytoform.prepare.plan import Measurements, Plan, make_plan, measure, refuse_motion_of_one_frame, with_gaps
from cytoform.prepare.request import Request
from cytoform.prepare.sources import open_sources
from cytoform.prepare.summary import MovieSummary, summaries
from cytoform.prepare.target import Target, find_target, finish, refuse_nothing
from cytoform.prepare.write import write
from cytoform.shapes.grid import Grid


@dataclass(frozen=True)
class Prepared:
    """Result of `prepare`; counts are of the added sequences."""

    grid: Grid
    n_families: int
    n_frames: int
    left_out: tuple[LeftOut, ...] = ()
    n_holes: int = 0
    n_specks: int = 0
    failures: tuple[Failure, ...] = ()
    movies: tuple[MovieSummary, ...] = ()

    @property
    def notices(self) -> tuple[str, ...]:
        """What looks wrong in the movies: one line each, with file, frame and remedy."""
        return tuple(line for movie in self.movies for line in movie.notices)


def prepare(
    sources: Sequence[Path],
    out: Path,
    *,
    voxel_size_zyx_um: Triple | None = Request.voxel_size_zyx_um,
    time_step_s: float | None = Request.time_step_s,
    frames: int | None = Request.frames,
    min_frames: int = Request.min_frames,
    grid_size: int = Request.grid_size,
    half_extent_um: float | None = Request.half_extent_um,
    keep_motion: bool = Request.keep_motion,
    axes: str | None = Request.axes,
    link: bool = Request.link,
    split: bool = Request.split,
    border: FrameTreatment = Request.border,
    gaps: FrameTreatment = Request.gaps,
    jumps: Treatment = Request.jumps,
    strict: bool = Request.strict,
    workers: int = 1,
    seed: int = Request.seed,
    overwrite: bool = False,
    resume: bool = False,
    progress: Progress = no_progress,
) -> Prepared:
    """Turn label movies into the shape store `out`: one sequence per cell family, at most `frames` frames each.

    One cube of half-width `half_extent_um` holds every cell; by default it is as small as the cells allow. Each frame is
    centred on the cell's centroid, or with `keep_motion` the whole sequence on the middle of its bounding box over time.
    Nothing is random; `seed` is only recorded.

    `axes` names the stored axes of every image, such as "ZTYX". `link` gives tracks to labels without a lineage, by their
    overlap in neighbouring frames; with `split`, every connected piece of such a label is a cell of its own.

    Families that the border of the volume cuts are left out, or kept with `border="keep"`: then the cut faces are surface, and
    volumes are too small. Families with a member missing in a frame are left out, or kept with `gaps="keep"`: that frame is
    empty, and `fill` fills it. With "trim", the longest stretch of frames without such a fault is kept. Families of fewer than
    `min_frames` frames are left out. Labels without a lineage that jump to the place of another label are left out, or kept
    with `jumps="keep"`. `strict` turns notices into failures.

    Movies that fail are listed in the result and in the store; the others are prepared. `resume` continues an interrupted
    call with the same sources and options, or adds the movies that failed in it on the same cube. Raises InputError for
    faults that the user can correct, and then writes nothing.
    """
    request = Request(
        sources=tuple(sources),
        voxel_size_zyx_um=voxel_size_zyx_um,
        time_step_s=time_step_s,
        frames=frames,
        min_frames=min_frames,
        grid_size=grid_size,
        half_extent_um=half_extent_um,
        keep_motion=keep_motion,
        axes=axes,
        link=link,
        split=split,
        border=border,
        gaps=gaps,
        jumps=jumps,
        strict=strict,
        seed=seed,
    )
    request.check()
    partial = PartialStore.at(out, inputs=sources, overwrite=overwrite)
    partial.check(resume=resume)
    with partial.locked():
        target = find_target(request, partial, resume=resume)
        if target.base is not None and not target.base.attributes.get("failed"):
            return Prepared(target.base.grid, 0, 0)
        failures = Failures()
        movies = open_sources(target.request, target.base, failures)
        refuse_nothing(movies, target, failures)
        with local_workers(workers), partial.keeping_masks() as masks:
            return _run(target, movies, masks, failures, workers=workers, progress=progress)


def _run(
    target: Target,
    movies: Sequence[LabelMovie],
    masks: Masks,
    failures: Failures,
    *,
    workers: int,
    progress: Progress,
) -> Prepared:
    request, base = target.request, target.base
    taken = {} if base is None else {sequence.info.name: sequence.info.source for sequence in base}
    with progress("following families", len(movies)) as advance:
        followed = follow(
            movies,
            request=request,
            masks=masks,
            taken=taken,
            failures=failures,
            workers=workers,
            done=advance,
        )
    notices = Notices(failures, strict=request.strict)
    for movie, search in followed.found:
        notices.add_search(movie, search)
        notices.add(movie, [line for source, line in followed.parts.items() if source == movie.source])
    for copy in followed.copies:
        notices.add(copy.movie, [copy.notice])
    # Names already in the store were moved there by an interrupted call.
    cells = [cell for cell in followed.cells if cell.name not in taken]
    frames = movie_frames(cells)
    with progress("preparing frames", 2 * len(frames)) as advance:
        measured = measure(frames, masks, failures=failures, workers=workers, done=advance)
        cells = [cell for cell in cells if cell.name in measured]
        measured = with_gaps(cells, measured)
        for movie, _ in followed.found:
            notices.add(movie, shape_notices(movie, _seen(movie, cells, measured)))
        cells = [cell for cell in cells if not failures.has(cell.movie)]
        refuse_nothing(cells, target, failures)
        refuse_motion_of_one_frame(request, cells)
        plan = make_plan(request, cells, measured, None if base is None else base.grid, failures)
        if not target.resume:
            target.partial.clear()
        write(
            plan,
            target.partial,
            masks,
            attributes=request.attributes(),
            failures=failures,
            workers=workers,
            done=advance,
        )
    finish(target, plan, followed, notices, failures)
    return _summary(plan, followed, notices, failures)


def _seen(movie: LabelMovie, cells: Sequence[NamedFamily], measured: Measurements) -> list[Seen]:
    return [
        Seen(cell.family, cell.family.first + n, measures)
        for cell in cells
        if cell.movie.source == movie.source
        for n, measures in enumerate(measured[cell.name])
    ]


def _summary(plan: Plan, followed: Followed, notices: Notices, failures: Failures) -> Prepared:
    cells = [cell for cell in plan.cells if not failures.has(cell.movie)]
    every = [frame for cell in cells for frame in plan.measured[cell.name]]
    return Prepared(
        grid=plan.grid,
        n_families=len(cells),
        n_frames=len(every),
        left_out=tuple(followed.left_out),
        n_holes=sum(frame.n_holes for frame in every),
        n_specks=sum(frame.n_specks for frame in every),
        failures=tuple(failures),
        movies=tuple(summaries(followed, notices, failures)),
    )

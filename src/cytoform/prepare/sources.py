"""The movies of the given sources: opened, split and linked on request."""

from pathlib import Path

from cytoform.errors import InputError
from cytoform.movies.movie import LabelMovie
from cytoform.movies.readers import find_movies, name_apart
from cytoform.movies.tracking.linking import linked
from cytoform.movies.tracking.splitting import split as split_labels
from cytoform.prepare.failures import FAULTS, Failures
from cytoform.prepare.request import Request
from cytoform.shapes.store import ShapeStore


def open_sources(request: Request, base: ShapeStore | None, failures: Failures) -> list[LabelMovie]:
    """The movies to prepare: all, or those missing in `base`."""
    failed = None if base is None else base.attributes.get("failed", [])
    movies: list[LabelMovie] = []
    for source in request.sources:
        if failed is not None and request.recorded(str(source)) not in {failure["source"] for failure in failed}:
            continue
        movies += _open_source(source, request, failures)
    if base is not None:
        present = {sequence.info.source for sequence in base} - {failure["movie"] for failure in failed or ()}
        present |= {copy["movie"] for copy in base.attributes.get("copies", ())}
        movies = [movie for movie in movies if request.recorded(movie.source) not in present]
    _refuse_mixture(movies, base)
    return name_apart(movies)


def _refuse_mixture(movies: list[LabelMovie], base: ShapeStore | None) -> None:
    """A store holds cells of images or of volumes. Raises InputError for both together."""
    known = {movie.n_dims: movie.source for movie in reversed(movies)}
    if base is not None:
        known.setdefault(base.grid.n_dims, str(base.path))
    if len(known) > 1:
        raise InputError(
            f"{known[2]} is 2D and {known[3]} is 3D, and a shape store holds one of both; prepare them into two stores"
        )


def _open_source(source: Path, request: Request, failures: Failures) -> list[LabelMovie]:
    movies = []
    try:
        openers = find_movies(
            source,
            voxel_size_zyx_um=request.voxel_size_zyx_um,
            time_step_s=request.time_step_s,
            axes=request.axes,
        )
    except FAULTS as fault:
        failures.unopened(str(source), fault)
        return []
    for opener in openers:
        try:
            movie = opener()
            if movie.lineage is None:
                movie = split_labels(movie) if request.split else movie
                movie = linked(movie) if request.link else movie
            movies.append(movie)
        except FAULTS as fault:
            failures.unopened(str(source), fault)
    failures.opened(str(source), movies)
    return movies

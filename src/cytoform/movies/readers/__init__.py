"""Opens label movies: TIFF, folders of TIFFs, Cell Tracking Challenge folders, OME-Zarr."""

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from itertools import chain, count
from pathlib import Path

from cytoform.base.kinds import Kind, kind_of
from cytoform.base.triples import Triple
from cytoform.errors import InputError
from cytoform.movies.metadata import GivenScale
from cytoform.movies.movie import LabelMovie
from cytoform.movies.readers.challenge import find_sequences, open_sequence, refuse_images
from cytoform.movies.readers.faults import content_of
from cytoform.movies.readers.files import OPENERS, open_file
from cytoform.movies.readers.folder import movies_of_folder
from cytoform.movies.readers.ome_set import first_file
from cytoform.movies.readers.ome_zarr import open_ome_zarr
from cytoform.movies.readers.stack import label_movie
from cytoform.movies.tracking.beside import with_lineage_beside

Opener = Callable[[], LabelMovie]

MOVIES = (Kind.CHALLENGE, Kind.OME_ZARR, Kind.TIFF_FOLDER, Kind.ARRAY_FOLDER)


def open_movies(
    source: Path,
    *,
    voxel_size_zyx_um: Triple | None = None,
    time_step_s: float | None = None,
    flat: bool = False,
    axes: str | None = None,
) -> list[LabelMovie]:
    """Open the label movies of one source.

    A source is a TIFF or OME-TIFF (axes T Z Y X in any order, or T Y X), a folder of one TIFF a frame, a Cell Tracking
    Challenge folder (a dataset, its 01_GT, 01_GT/TRA, 01_ST/SEG or 01_RES) or an OME-Zarr label image. A lineage beside a movie
    is used. The given voxel size, time step and axes (one letter for each stored axis, such as "TZYX") override recorded ones.
    2D frames are read as volumes of one plane. With `flat`, a folder of them is a movie, which is asked about otherwise, and
    no lineage is read. Frames are read only where labels may be too large for 16 bits. Raises InputError unless the source
    holds whole labels with a known voxel size.
    """
    openers = find_movies(source, voxel_size_zyx_um=voxel_size_zyx_um, time_step_s=time_step_s, flat=flat, axes=axes)
    return [opener() for opener in openers]


def find_movies(
    source: Path,
    *,
    voxel_size_zyx_um: Triple | None = None,
    time_step_s: float | None = None,
    flat: bool = False,
    axes: str | None = None,
) -> list[Opener]:
    """One function per movie that opens it, so that a broken movie does not prevent the others from opening."""
    # Not resolved: a symbolic link keeps the name that the user gave it.
    path = Path(os.path.abspath(source))
    openers = _find(path, GivenScale(voxel_size_zyx_um, time_step_s, flat=flat, axes=axes))
    relative = not Path(source).is_absolute()
    return [partial(_open, opener, tracked=not flat, relative=relative) for opener in openers]


def _open(opener: Opener, *, tracked: bool, relative: bool) -> LabelMovie:
    movie = opener()
    movie = with_lineage_beside(movie) if tracked else movie
    # Workers need absolute paths, but outputs must not depend on the current folder.
    return replace(movie, source=os.path.relpath(movie.source)) if relative else movie


def name_apart(movies: Sequence[LabelMovie]) -> list[LabelMovie]:
    """Make names unique: the second and later movies of equal name get a number. Raises InputError for a repeated source.

    Files of one OME-TIFF set are one movie, however many of them were given.
    """
    taken: set[str] = set()
    sources_seen: set[str] = set()
    named = []
    for movie in movies:
        if movie.source in sources_seen and os.path.abspath(movie.source) in movie.files:
            continue
        if movie.source in sources_seen:
            raise InputError(f"{movie.source}: given twice; give every source once")
        candidates = chain([movie.name], (f"{movie.name}_{n}" for n in count(2)))
        name = next(name for name in candidates if name not in taken)
        taken.add(name)
        sources_seen.add(movie.source)
        named.append(replace(movie, name=name))
    return named


def _find(path: Path, given: GivenScale) -> list[Opener]:
    kind = kind_of(path)
    if kind in OPENERS:
        return [partial(_open_file, path, given)]
    if kind is Kind.COMPANION:
        return [partial(_open_file, first_file(path), given)]
    if kind in (Kind.TIFF_FOLDER, Kind.ARRAY_FOLDER):
        refuse_images(path)
        return movies_of_folder(path, given=given)
    if kind is Kind.CHALLENGE:
        return [partial(open_sequence, sequence, given=given) for sequence in find_sequences(path)]
    if kind in (Kind.OME_ZARR, Kind.OME_ZARR_ZIP):
        return [partial(open_ome_zarr, path, given=given)]
    if kind is Kind.MISSING:
        raise InputError(f"{path}: no such file or folder; check the path")
    if not (path.is_file() or path.is_dir()):
        raise InputError(f"{path}: not a regular file; save the movie to a file first")
    if kind is Kind.OTHER and (reason := _other(path)):
        raise InputError(f"{path}: {reason}")
    wrong = f"{path}: no label movie" if kind is Kind.OTHER else f"{path} is {kind.value}, not a label movie"
    raise InputError(f"{wrong}; give a TIFF, a folder of TIFF frames, 01_GT/TRA or an OME-Zarr image")


def _other(path: Path) -> str:
    """Why a file or folder of no known kind is no label movie; empty if there is nothing to say."""
    if path.is_file():
        content = content_of(path)
        return f"{content}, not a label movie; save the labels as TIFF, NIfTI or with np.save" if content else ""
    inner = [entry for entry in sorted(path.iterdir()) if entry.name[0] != "."]
    if movies := [entry for entry in inner if entry.is_dir() and kind_of(entry) in MOVIES]:
        more = f" and {len(movies) - 1} more folders" if len(movies) > 1 else ""
        return f"no label movie, but {movies[0].name}{more} in it; give {movies[0]}"
    for entry in inner:
        if entry.is_file() and (content := content_of(entry)):
            return f"no label movie; {entry.name} is {content}, save the labels as TIFF, NIfTI or with np.save"
    return ""


def _open_file(path: Path, given: GivenScale) -> LabelMovie:
    return label_movie(open_file(path, given=given), given)

"""A folder of image files, one volume per file and frame, or one movie per file."""

import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from types import MappingProxyType

import numpy as np
from jaxtyping import Shaped

from cytoform.base.kinds import Kind, is_array, is_tiff, kind_of
from cytoform.base.triples import IntTriple
from cytoform.errors import InputError
from cytoform.movies.lineage import read_lineage
from cytoform.movies.metadata import GivenScale, agreed_scale
from cytoform.movies.movie import LabelMovie, check_dtype
from cytoform.movies.readers.files import open_file, read_volume
from cytoform.movies.readers.numbering import MASK_WORDS, Sorted, in_order, natural_order, stem, without_images
from cytoform.movies.readers.stack import Stack, label_movie
from cytoform.movies.tracking.geff import is_geff

OTHER_CONTAINERS = (Kind.OME_ZARR, Kind.OME_ZARR_ZIP, Kind.ARRAY, Kind.HDF5)
LINEAGE_FILES = ("man_track.txt", "res_track.txt")


@dataclass(frozen=True)
class FrameFiles:
    """Reads images stored as one file per frame. `axes` names the axes of each file, if they were given."""

    files: tuple[Path, ...]
    shape_zyx: IntTriple
    axes: str | None = None

    def __call__(self, frame: int) -> Shaped[np.ndarray, "z y x"]:
        if not 0 <= frame < len(self.files):
            raise InputError(
                f"{self.files[0].parent}, frame {frame}: the movie has the frames 0 to {len(self.files) - 1}"
            )
        path = self.files[frame]
        return read_volume(path, shape_zyx=self.shape_zyx, where=f"{path}, frame {frame}", axes=self.axes)


def _image_files(folder: Path) -> list[Path]:
    """The TIFF files of a folder, else its NumPy and NIfTI files, in natural order (2 before 10), without hidden files."""
    every = [path for path in folder.iterdir() if not path.name.startswith(".")]
    found = [path for path in every if is_tiff(path)] or [path for path in every if is_array(path)]
    return sorted(found, key=natural_order)


def _beside(folder: Path, files: Sequence[Path]) -> tuple[str, ...]:
    """A notice about movies in other containers; one with the name of a file that is read is taken for its copy."""
    names = {MASK_WORDS.sub("", stem(path)) for path in files}
    others = [
        path
        for path in sorted(folder.iterdir())
        if path not in files and path.name[0] != "." and MASK_WORDS.sub("", stem(path)) not in names
    ]
    others = [path for path in others if not is_tiff(path) and kind_of(path) in OTHER_CONTAINERS and not is_geff(path)]
    if not others:
        return ()
    more = f" and {len(others) - 1} more" if len(others) > 1 else ""
    return (
        f"{folder}: {others[0].name}{more} beside {files[0].name} not read; give it by its name if it is a movie too",
    )


def movies_of_folder(folder: Path, *, given: GivenScale) -> list[Callable[[], LabelMovie]]:
    """Functions that open the movies of a folder: one movie of single frames, or one movie per file (axes T Z Y X).

    An OME-TIFF set counts as one file. Images with label images beside them are left aside, and a notice says so. Raises
    InputError for a mixture of files of one frame and files of several.
    """
    found = without_images(_image_files(folder))
    headers = {path: _header(path, given) for path in found.files}
    taken: set[Path] = set()
    files = []
    for path, header in headers.items():
        if path not in taken:
            files.append(path)
        taken.update(header.members if header else ())
    found = replace(found, files=tuple(files), notices=(*found.notices, *_beside(folder, found.files)))
    lengths = {path: header.n_frames for path in files if (header := headers[path]) is not None}
    movies = [path for path, length in lengths.items() if length > 1]
    if not movies:
        return [partial(_open_volumes, folder, found, headers, given)]
    if singles := [path for path, length in lengths.items() if length == 1]:
        raise InputError(
            f"{folder}: {movies[0].name} holds {lengths[movies[0]]} frames and {singles[0].name} only one; keep movies and "
            "single frames in different folders, or give each movie by its file name"
        )
    return [partial(_open_movie, path, found.notices, given) for path in found.files]


def _header(path: Path, given: GivenScale) -> Stack | None:
    """A file as an image; None if it cannot be opened, which opening it says later."""
    with contextlib.suppress(InputError, OSError):
        return open_file(path, given=given, volume=True)
    return None


def _open_movie(path: Path, notices: tuple[str, ...], given: GivenScale) -> LabelMovie:
    movie = label_movie(open_file(path, given=given), given)
    return replace(movie, notices=(*notices, *movie.notices))


def _open_volumes(folder: Path, found: Sorted, headers: Mapping[Path, Stack | None], given: GivenScale) -> LabelMovie:
    for path in found.files:
        if headers.get(path) is None:
            # The true reason comes before a question about the names.
            open_file(path, given=given, volume=True)
    ordered = in_order(found.files)
    _refuse_planes(ordered.files, headers, given)
    tracks = next((folder / name for name in LINEAGE_FILES if (folder / name).is_file()), None)
    movie = open_frames(
        ordered.files, name=folder.name, source=str(folder), tracks=tracks, given=given, headers=headers
    )
    return replace(movie, notices=(*found.notices, *ordered.notices, *movie.notices))


def _refuse_planes(files: Sequence[Path], headers: Mapping[Path, Stack | None], given: GivenScale) -> None:
    """Ask about a folder of 2D images, which are frames of a movie or planes of a volume."""
    first = headers.get(files[0])
    if len(files) > 1 and first is not None and first.layout.shape_zyx[0] == 1 and not (given.axes or given.flat):
        raise InputError(
            f"{files[0].parent}: {len(files)} 2D images, frames of a movie or planes of a volume; pass --axes YX for a file a "
            "frame, or save the planes as one file with axes Z Y X"
        )


def open_frames(
    files: Sequence[Path],
    *,
    name: str,
    source: str,
    given: GivenScale,
    tracks: Path | None = None,
    markers: Sequence[Path] = (),
    headers: Mapping[Path, Stack | None] = MappingProxyType({}),
) -> LabelMovie:
    """A movie of one file per frame; the shape comes from the first file, the scale from all that record one.

    `tracks` is the track file, `markers` are further files of the same frames, `headers` are images opened before. Raises
    InputError if two files record different scales.
    """
    read = {path: headers.get(path) or open_file(path, given=given, volume=True) for path in (*files, *markers)}
    for path, header in read.items():
        check_dtype(header.dtype, str(path))
        if header.n_frames > 1:
            raise InputError(f"{path}: {header.n_frames} frames where every file is one frame; give axes Z Y X")
    shape = read[files[0]].layout
    movie = label_movie(
        Stack(
            name=name,
            source=source,
            layout=replace(shape, origin=f"one file a frame, each {'y x' if shape.shape_zyx[0] == 1 else 'z y x'}"),
            dtype=np.result_type(*(read[path].dtype for path in files)),
            recorded=agreed_scale({str(path): header.recorded for path, header in read.items()}, given),
            frames=FrameFiles(tuple(files), shape.shape_zyx, given.axes),
            n_frames=len(files),
            files=tuple(str(path) for path in files),
        ),
        given,
    )
    if tracks is None:
        return movie
    lineage = read_lineage(tracks, values=movie.values)
    return replace(movie, lineage=lineage, origin=replace(movie.origin, lineage=str(tracks)))

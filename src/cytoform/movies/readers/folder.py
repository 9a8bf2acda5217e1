"""A folder of TIFF files, one volume per file and frame."""

import contextlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from types import MappingProxyType

from cytoform.base.triples import IntTriple
from cytoform.errors import InputError
from cytoform.movies.lineage import Lineage, read_lineage
from cytoform.movies.metadata import GivenScale, agreed_scale, resolve_scale
from cytoform.movies.movie import LabelMovie, Labels, Origin, safe_name
from cytoform.movies.readers.numbering import Sorted, in_order, without_images
from cytoform.movies.readers.tiff import TiffHeader, open_tiff_movie, read_header, read_volume

LINEAGE_FILES = ("man_track.txt", "res_track.txt")


@dataclass(frozen=True)
class FrameFiles:
    """Reads label images stored as one file per frame."""

    files: tuple[Path, ...]
    shape_zyx: IntTriple

    def __call__(self, frame: int) -> Labels:
        if not 0 <= frame < len(self.files):
            raise InputError(
                f"{self.files[0].parent}, frame {frame}: the movie has the frames 0 to {len(self.files) - 1}"
            )
        path = self.files[frame]
        return read_volume(path, shape_zyx=self.shape_zyx, where=f"{path}, frame {frame}")


def _tiff_files(folder: Path) -> list[Path]:
    """The TIFF files of a folder in natural order (2 before 10), without hidden files."""
    found = [p for p in folder.iterdir() if p.suffix.lower() in (".tif", ".tiff") and not p.name.startswith(".")]
    return sorted(found, key=lambda p: [int(s) if s.isdecimal() else s for s in re.split(r"([0-9]+)", p.name)])


def movies_of_folder(folder: Path, *, given: GivenScale) -> list[Callable[[], LabelMovie]]:
    """Functions that open the movies of a folder: one movie of single frames, or one movie per file (axes T Z Y X).

    Images with label images beside them are left aside, and a notice says so. Raises InputError for a mixture of files
    of one frame and files of several.
    """
    found = without_images(_tiff_files(folder))
    headers = {path: _header(path, flat=given.flat) for path in found.files}
    lengths = {path: header.n_frames or 1 for path, header in headers.items() if header is not None}
    movies = [path for path, length in lengths.items() if length > 1]
    if not movies:
        return [partial(_open_volumes, folder, found, headers, given)]
    if singles := [path for path, length in lengths.items() if length == 1]:
        raise InputError(
            f"{folder}: {movies[0].name} holds {lengths[movies[0]]} frames and {singles[0].name} only one; keep movies and "
            "single frames in different folders, or give each movie by its file name"
        )
    return [partial(_open_movie, path, found.notices, given) for path in found.files]


def _header(path: Path, *, flat: bool) -> TiffHeader | None:
    """The header of a file; None if it cannot be read, which opening it says later."""
    with contextlib.suppress(InputError, OSError):
        return read_header(path, volume=True, flat=flat)
    return None


def _open_movie(path: Path, notices: tuple[str, ...], given: GivenScale) -> LabelMovie:
    movie = open_tiff_movie(path, given=given)
    return replace(movie, notices=(*notices, *movie.notices))


def _open_volumes(
    folder: Path, found: Sorted, headers: Mapping[Path, TiffHeader | None], given: GivenScale
) -> LabelMovie:
    ordered = in_order(found.files)
    beside = next((folder / name for name in LINEAGE_FILES if (folder / name).is_file()), None)
    lineage = read_lineage(beside) if beside else None
    movie = open_frames(
        ordered.files, name=folder.name, source=str(folder), lineage=lineage, given=given, headers=headers
    )
    return replace(movie, notices=(*found.notices, *ordered.notices, *movie.notices))


def open_frames(
    files: Sequence[Path],
    *,
    name: str,
    source: str,
    lineage: Lineage | None,
    given: GivenScale,
    markers: Sequence[Path] = (),
    headers: Mapping[Path, TiffHeader | None] = MappingProxyType({}),
) -> LabelMovie:
    """A movie of one file per frame; the shape comes from the first file, the scale from all that record one.

    `markers` are further files of the same frames, `headers` are headers read before. Raises InputError if two files
    record different scales.
    """
    read = {path: headers.get(path) or read_header(path, volume=True, flat=given.flat) for path in (*files, *markers)}
    for path, header in read.items():
        if (header.n_frames or 1) > 1:
            raise InputError(f"{path}: {header.n_frames} frames where every file is one frame; give axes Z Y X")
    recorded = agreed_scale({str(path): header.recorded for path, header in read.items()}, given)
    scale = resolve_scale(recorded, given, source)
    shape_zyx = read[files[0]].shape_zyx
    return LabelMovie(
        name=safe_name(name),
        source=source,
        n_frames=len(files),
        shape_zyx=shape_zyx,
        spacing_zyx_um=scale.spacing_zyx_um,
        time_step_s=scale.time_step_s,
        lineage=lineage,
        read=FrameFiles(tuple(files), shape_zyx),
        files=tuple(str(path) for path in files),
        origin=Origin(
            axes="one file a frame, each z y x", voxel_size=scale.voxel_size_from, time_step=scale.time_step_from
        ),
        notices=scale.notices,
    )

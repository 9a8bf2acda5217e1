"""A folder of TIFF files, one volume per file and frame."""

import contextlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from cytoform.base.triples import IntTriple
from cytoform.errors import InputError
from cytoform.movies.lineage import Lineage, read_lineage
from cytoform.movies.metadata import GivenScale, resolve_scale
from cytoform.movies.movie import LabelMovie, Labels, safe_name
from cytoform.movies.readers.tiff import open_tiff_movie, read_header, read_volume

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
    """Functions that open the movies of a folder: one movie of single frames, or one movie per file (axes T Z Y X)."""
    files = _tiff_files(folder)
    if _holds_movies(files, flat=given.flat):
        return [partial(open_tiff_movie, path, given=given) for path in files]
    return [partial(_open_volumes, folder, files, given)]


def _holds_movies(files: Sequence[Path], *, flat: bool) -> bool:
    """Whether each file is a whole movie, judged by the first readable file."""
    for path in files:
        with contextlib.suppress(InputError, OSError):
            return read_header(path, volume=True, flat=flat).n_frames is not None
    return False


def _open_volumes(folder: Path, files: Sequence[Path], given: GivenScale) -> LabelMovie:
    beside = next((folder / name for name in LINEAGE_FILES if (folder / name).is_file()), None)
    lineage = read_lineage(beside) if beside else None
    return open_frames(files, name=folder.name, source=str(folder), lineage=lineage, given=given)


def open_frames(
    files: Sequence[Path], *, name: str, source: str, lineage: Lineage | None, given: GivenScale
) -> LabelMovie:
    """A movie of one file per frame; shape and scale come from the first file."""
    header = read_header(files[0], volume=True, flat=given.flat)
    if header.n_frames is not None:
        raise InputError(f"{files[0]}: four axes where every file is one frame; give axes Z Y X")
    scale = resolve_scale(header.recorded, given, source)
    return LabelMovie(
        name=safe_name(name),
        source=source,
        n_frames=len(files),
        shape_zyx=header.shape_zyx,
        spacing_zyx_um=scale.spacing_zyx_um,
        time_step_s=scale.time_step_s,
        lineage=lineage,
        read=FrameFiles(tuple(files), header.shape_zyx),
        files=tuple(str(path) for path in files),
    )

"""TIFF files: one file per movie (axes T Z Y X) or one file per frame (axes Z Y X)."""

import contextlib
import logging
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from jaxtyping import Shaped

from cytoform.base.triples import IntTriple
from cytoform.errors import InputError
from cytoform.movies.metadata import GivenScale, RecordedScale, agreed_scale, from_imagej, from_ome_xml
from cytoform.movies.movie import check_dtype, check_size
from cytoform.movies.readers.axes import Layout, layout
from cytoform.movies.readers.faults import check_claim, damage_at
from cytoform.movies.readers.ome_set import OmeSet
from cytoform.movies.readers.stack import Stack
from cytoform.movies.readers.tiff_files import kept_open

# A broken file gives one InputError and no log on stderr; an application that configures logging still gets the log.
logging.getLogger("tifffile").addHandler(logging.NullHandler())

# A tifffile.TiffPageSeries, untyped: run-time type checks would read a random page, which a truncated file lacks.
Series = Any

RESOLUTION_TAGS = ("XResolution", "YResolution")


@dataclass(frozen=True)
class TiffHeader:
    """Shape, type and scale from the header of a TIFF file; `n_frames` is None for a single volume."""

    layout: Layout
    dtype: np.dtype[Any]
    recorded: RecordedScale

    @property
    def n_frames(self) -> int | None:
        """Number of frames; None for a single volume."""
        return self.layout.n_frames

    @property
    def shape_zyx(self) -> IntTriple:
        """Shape of a frame."""
        return self.layout.shape_zyx


@dataclass(frozen=True)
class TiffFrames:
    """Reads frames of one TIFF movie as stored."""

    path: Path
    layout: Layout

    def __call__(self, frame: int) -> Shaped[np.ndarray, "z y x"]:
        where, n_frames = f"{self.path}, frame {frame}", self.layout.n_frames or 1
        if not 0 <= frame < n_frames:
            raise InputError(f"{where}: the movie has the frames 0 to {n_frames - 1}")
        return _values(self.path, frame, self.layout, where)


def open_tiff(path: Path, *, given: GivenScale, volume: bool = False) -> Stack:
    """Open a TIFF or OME-TIFF, or the OME-TIFF set that a file belongs to. Raises InputError."""
    header = read_header(path, volume=volume, axes=given.axes)
    files = set_of(path)
    return Stack(
        name=files.name if files else plain_stem(path),
        source=str(files.files[0] if files else path),
        layout=header.layout,
        dtype=header.dtype,
        recorded=_scale_of_set(files, header.recorded, given) if files else header.recorded,
        frames=TiffFrames(path, header.layout),
        n_frames=header.n_frames or 1,
        members=files.files if files else (),
        files=tuple(str(file) for file in files.files) if files and len(files.files) == (header.n_frames or 1) else (),
    )


def _scale_of_set(files: OmeSet, recorded: RecordedScale, given: GivenScale) -> RecordedScale:
    """The scale that the metadata of all files of a set agree on. Raises InputError if two contradict each other."""
    scales = {str(files.metadata): recorded}
    for path in files.files:
        with damage_at(str(path), path), tifffile.TiffFile(path) as tiff:
            scales.setdefault(str(path), from_ome_xml(tiff.ome_metadata or ""))
    return agreed_scale(scales, given)


def plain_stem(path: Path) -> str:
    """`seq00.ome.tif` -> `seq00`."""
    return path.name.removesuffix(path.suffix).removesuffix(".ome")


def set_of(path: Path) -> OmeSet | None:
    """The OME-TIFF set that a file belongs to, if any. Raises InputError for missing files and unreadable ones."""
    with damage_at(str(path), path):
        return kept_open(path).files


def read_header(path: Path, *, volume: bool = False, grey: bool = False, axes: str | None = None) -> TiffHeader:
    """Read shape, type and scale. Raises InputError.

    With `volume`, three unnamed axes are Z Y X. With `grey`, values need not be labels. `axes` names the axes instead of
    the file.
    """
    where = str(path)
    with damage_at(where, path):
        series = _series(path)
        if not grey:
            check_dtype(series.dtype, where)
        shape = tuple(int(n) for n in series.shape)
        found = layout(series.axes, shape, where, given=axes, volume=volume)
        check_size(found.shape_zyx, where)
        check_claim(math.prod(found.shape_zyx) * series.dtype.itemsize, _stored(series), where)
        if found.shape_zyx[0] == 1 and found.n_frames is None:
            _refuse_lost_pages(kept_open(path).tiff)
        if axes is None:
            _refuse_depth_as_time(kept_open(path).tiff, found, where)
        return TiffHeader(found, series.dtype.newbyteorder("="), _recorded(kept_open(path).tiff))


def _refuse_lost_pages(tiff: tifffile.TiffFile) -> None:
    """Raise ValueError for a stack that was cut off after its first pages: each would pass for a single image."""
    tiff.filehandle.seek(tiff.pages.next_page_offset or 0)
    after = tiff.filehandle.read(tiff.tiff.offsetsize)
    if any(after) or len(after) < tiff.tiff.offsetsize:
        raise ValueError("pages beyond the end of the file")


def _refuse_depth_as_time(tiff: tifffile.TiffFile, found: Layout, where: str) -> None:
    """Ask about planes that are called frames: a distance between them is recorded, and no time."""
    metadata = tiff.imagej_metadata or {}
    if found.shape_zyx[0] == 1 and found.n_frames and metadata.get("spacing") and not metadata.get("finterval"):
        raise InputError(
            f"{where}: T Y X or Z Y X: {found.n_frames} images with a recorded depth of {metadata['spacing']:g} and no time "
            "step; pass --axes TYX for images over time, or --axes ZYX for one volume"
        )


def read_image(path: Path, header: TiffHeader) -> np.ndarray:
    """Read grey values or labels of a single-image file, (z, y, x)."""
    return _values(path, 0, header.layout, str(path)).astype(header.dtype, copy=False)


def _recorded(tiff: tifffile.TiffFile) -> RecordedScale:
    if tiff.ome_metadata:
        return from_ome_xml(tiff.ome_metadata)
    if tiff.imagej_metadata:
        tags = [tiff.pages.first.tags.get(name) for name in RESOLUTION_TAGS]
        ratios = [tag.value if tag is not None else (0, 1) for tag in tags]
        return from_imagej(tiff.imagej_metadata, [top / (bottom or 1) for top, bottom in ratios])
    return RecordedScale()


def _values(path: Path, frame: int, found: Layout, where: str) -> np.ndarray:
    with damage_at(where, path):
        series, index = _series(path), found.index(frame)
        *lead, height, width = found.shape
        kept = np.ix_(*[range(n) if isinstance(at, slice) else [at] for at, n in zip(index, lead, strict=False)])
        numbers = np.ravel_multi_index(kept, lead) if lead else np.zeros((), np.intp)
        planes = _planes(series, numbers.ravel(), height * width)
        shape = [n for at, n in zip(index, numbers.shape, strict=False) if isinstance(at, slice)]
        values = planes.reshape(*shape, height, width)[(..., *index[-2:])]
        return np.asarray(found.ordered(values))


def _planes(series: Series, numbers: np.ndarray, size: int) -> np.ndarray:
    """The planes of these numbers, of `size` voxels each, one after the other."""
    if series.dataoffset is not None and not series.is_multifile:
        first, step = int(numbers[0]), size * series.dtype.itemsize
        if (np.diff(numbers) == 1).all():
            return _read_contiguous(series, first * step, len(numbers) * step)
        return np.concatenate([_read_contiguous(series, int(number) * step, step) for number in numbers])
    per_page, rest = divmod(int(np.prod(series.keyframe.shape)), size)
    if rest or not per_page:
        raise ValueError("pages do not consist of whole planes")
    # The page of a plane, and its place in the page.
    places = [divmod(int(number), per_page) for number in numbers]
    wanted = {page: series.pages[page] for page, _ in places}
    if not all(_is_whole(page) and page.shape == series.keyframe.shape for page in wanted.values()):
        raise ValueError("pages beyond the end of the file")
    with contextlib.ExitStack() as opened:
        for handle in {id(page.parent): page.parent.filehandle for page in wanted.values()}.values():
            # The other files of a set.
            if handle.closed:
                handle.open()
                opened.callback(handle.close)
        read = {n: page.asarray(maxworkers=1).reshape(per_page, size) for n, page in wanted.items()}
    return np.stack([read[page][place] for page, place in places])


def _is_whole(page: Any) -> bool:
    """Whether all bytes of a page lie inside its file, so that no memory is allocated for a missing page."""
    if page is None or not page.dataoffsets:
        return False
    if page.keyframe.compression == tifffile.COMPRESSION.NONE and sum(page.databytecounts) < _n_bytes(page.keyframe):
        return False
    if page.keyframe.compression != tifffile.COMPRESSION.NONE and len(page.dataoffsets) < math.prod(page.chunked):
        return False
    size = page.parent.filehandle.size
    return all(o + n <= size for o, n in zip(page.dataoffsets, page.databytecounts, strict=True))


def _n_bytes(page: Any) -> int:
    """Size of a page without compression; masks may have one bit a pixel."""
    n_bytes, bits = int(page.nbytes), page.bitspersample
    return n_bytes * bits // (8 * page.dtype.itemsize) if isinstance(bits, int) else n_bytes


def _read_contiguous(series: Series, start: int, n_bytes: int) -> np.ndarray:
    handle = series.parent.filehandle
    if series.dataoffset + start + n_bytes > handle.size:
        raise ValueError("beyond the end of the file")
    # Byte order of the file; ImageJ writes big-endian.
    dtype = series.dtype.newbyteorder(series.parent.byteorder)
    values: np.ndarray = handle.read_array(dtype, n_bytes // dtype.itemsize, series.dataoffset + start)
    return values


def _series(path: Path) -> Series:
    series: Any = kept_open(path).tiff.series
    if len(series) != 1:
        raise InputError(f"{path}: {len(series)} images in one file; save the labels alone")
    if absent := sum(page is None for page in series[0]._pages):
        raise InputError(
            f"{path}: its OME-XML announces {len(series[0])} planes, {absent} of which are not in the file; export it again"
        )
    if not _is_complete(series):
        raise ValueError("the file ends before its last page")
    # Fails here, before any frame is read, if the codec is missing.
    tifffile.TIFF.DECOMPRESSORS[series[0].keyframe.compression]
    return series[0]


def _stored(series: Series) -> int:
    """Size of the file, or of all files of a set, in bytes."""
    n_files = len({page.parent.filehandle.name for page in series._pages if page is not None})
    return int(series.keyframe.parent.filehandle.size) * n_files


def _is_complete(series: Any) -> bool:
    """Whether the file is as long as its header says; pages are checked when they are read."""
    tiff = series[0].parent
    if tiff.is_imagej and series[0].kind != "imagej":
        # For a truncated ImageJ file, tifffile shows only the pages it finds.
        return len(tiff.pages) >= int((tiff.imagej_metadata or {}).get("images", 1))
    if series[0].dataoffset is not None:
        return series[0].dataoffset + series[0].nbytes <= tiff.filehandle.size
    return all(len(one) * int(np.prod(one.keyframe.shape)) >= one.size for one in series)

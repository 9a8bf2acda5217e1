"""TIFF files: one file per movie (axes T Z Y X) or one file per frame (axes Z Y X)."""

import contextlib
import logging
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tifffile

from cytoform.base.triples import IntTriple
from cytoform.errors import InputError
from cytoform.movies.metadata import GivenScale, RecordedScale, from_imagej, from_ome_xml, resolve_scale
from cytoform.movies.movie import LabelMovie, Labels, as_labels, check_dtype, check_shape, check_size, safe_name

# A broken file gives one InputError and no log on stderr; an application that configures logging still gets the log.
logging.getLogger("tifffile").addHandler(logging.NullHandler())

# A tifffile.TiffPageSeries, untyped: run-time type checks would read a random page, which a truncated file lacks.
Series = Any

UNNAMED = "QI"
RESOLUTION_TAGS = ("XResolution", "YResolution")


@dataclass(frozen=True)
class TiffHeader:
    """Shape, type and scale from the header of a TIFF file; `n_frames` is None for a single volume."""

    n_frames: int | None
    shape_zyx: IntTriple
    dtype: np.dtype[Any]
    recorded: RecordedScale


@dataclass(frozen=True)
class TiffFrames:
    """Reads frames of one TIFF movie."""

    path: Path
    n_frames: int
    shape_zyx: IntTriple

    def __call__(self, frame: int) -> Labels:
        where = f"{self.path}, frame {frame}"
        if not 0 <= frame < self.n_frames:
            raise InputError(f"{where}: the movie has the frames 0 to {self.n_frames - 1}")
        return _read(self.path, frame, self.shape_zyx, where)


def open_tiff_movie(path: Path, *, given: GivenScale, name: str = "") -> LabelMovie:
    """Open a TIFF or OME-TIFF; axes T Z Y X, or Z Y X for a movie of one frame."""
    header = read_header(path, flat=given.flat)
    scale = resolve_scale(header.recorded, given, str(path))
    n_frames = header.n_frames or 1
    return LabelMovie(
        name=safe_name(name or plain_stem(path)),
        source=str(path),
        n_frames=n_frames,
        shape_zyx=header.shape_zyx,
        spacing_zyx_um=scale.spacing_zyx_um,
        time_step_s=scale.time_step_s,
        lineage=None,
        read=TiffFrames(path, n_frames, header.shape_zyx),
    )


def plain_stem(path: Path) -> str:
    """`seq00.ome.tif` -> `seq00`."""
    return path.name.removesuffix(path.suffix).removesuffix(".ome")


def read_volume(path: Path, *, shape_zyx: IntTriple, where: str) -> Labels:
    """Read the single volume of a file as labels; `where` names file and frame in messages."""
    header = read_header(path, volume=True, flat=shape_zyx[0] == 1)
    if header.shape_zyx != shape_zyx:
        raise InputError(
            f"{where}: shape {header.shape_zyx} where the other frames have {shape_zyx}; all frames must agree"
        )
    return _read(path, 0, shape_zyx, where)


def read_header(path: Path, *, volume: bool = False, flat: bool = False, grey: bool = False) -> TiffHeader:
    """Read shape, type and scale. Raises InputError.

    With `volume`, three unnamed axes are Z Y X. With `flat`, 2D is a volume of one plane. With `grey`, values need not
    be labels.
    """
    with _damage_at(str(path)):
        series = _series(path)
        if not grey:
            check_dtype(series.dtype, str(path))
        n_frames, shape = _frames_and_shape(series, path, volume=volume, flat=flat)
        check = check_size if flat else check_shape
        check(shape, str(path))
        return TiffHeader(n_frames, shape, series.dtype.newbyteorder("="), _recorded(_tiff(path)))


def read_image(path: Path, header: TiffHeader) -> np.ndarray:
    """Read grey values or labels of a single-image file, (z, y, x)."""
    return _values(path, 0, header.shape_zyx, str(path)).astype(header.dtype, copy=False)


@contextlib.contextmanager
def _damage_at(where: str) -> Iterator[None]:
    """Turn any exception of tifffile and its decoders on a damaged file into one InputError."""
    try:
        yield
    except (InputError, MemoryError):
        raise
    except Exception as fault:
        reason = fault.strerror if isinstance(fault, OSError) else None
        fault_text = reason or "not a TIFF file, or truncated or damaged"
        raise InputError(f"{where}: {fault_text}; copy or write it again") from None


def _frames_and_shape(series: Series, path: Path, *, volume: bool, flat: bool) -> tuple[int | None, IntTriple]:
    axes, shape = series.axes, tuple(int(n) for n in series.shape)
    if flat and _fits(axes, "YX"):
        return None, (1, shape[0], shape[1])
    if flat and axes == "TYX":
        return shape[0], (1, shape[1], shape[2])
    if len(shape) < 3 or axes == "TYX":
        raise InputError(f"{path}: 2D where 3D is needed (axes {axes}, shape {shape}); give volumes with a z axis")
    if _fits(axes, "TZYX"):
        return shape[0], (shape[1], shape[2], shape[3])
    if axes == "ZYX" or (volume and _fits(axes, "ZYX")):
        return None, (shape[0], shape[1], shape[2])
    if _fits(axes, "ZYX"):
        raise InputError(f"{path}: three axes without names; save it as OME-TIFF with axes T Z Y X, or a file a frame")
    if {"S", "C"} & set(axes):
        raise InputError(f"{path}: RGB or several channels (shape {shape}) where one is needed; save one channel alone")
    raise InputError(f"{path}: axes {axes} of shape {shape}; save one channel with axes T Z Y X")


def _fits(axes: str, wanted: str) -> bool:
    return len(axes) == len(wanted) and all(a == w or a in UNNAMED for a, w in zip(axes, wanted, strict=True))


def _recorded(tiff: tifffile.TiffFile) -> RecordedScale:
    if tiff.ome_metadata:
        return from_ome_xml(tiff.ome_metadata)
    if tiff.imagej_metadata:
        tags = [tiff.pages.first.tags.get(name) for name in RESOLUTION_TAGS]
        ratios = [tag.value if tag is not None else (0, 1) for tag in tags]
        return from_imagej(tiff.imagej_metadata, [top / (bottom or 1) for top, bottom in ratios])
    return RecordedScale()


def _read(path: Path, frame: int, shape_zyx: IntTriple, where: str) -> Labels:
    return as_labels(_values(path, frame, shape_zyx, where), where)


def _values(path: Path, frame: int, shape_zyx: IntTriple, where: str) -> np.ndarray:
    with _damage_at(where):
        series = _series(path)
        n_bytes = int(np.prod(shape_zyx)) * series.dtype.itemsize
        if series.dataoffset is not None:
            array = _read_contiguous(series, frame, n_bytes)
        else:
            array = np.stack([page.asarray(maxworkers=1) for page in _pages(series, frame, n_bytes)])
        return np.asarray(array.reshape(shape_zyx))


def _pages(series: Series, frame: int, n_bytes: int) -> list[Any]:
    each = int(np.prod(series.keyframe.shape)) * series.dtype.itemsize
    count, rest = divmod(n_bytes, each)
    if rest or not count:
        raise ValueError("frames do not consist of whole pages")
    pages = [series.pages[i] for i in range(frame * count, (frame + 1) * count)]
    if not all(_is_whole(page) for page in pages):
        raise ValueError("pages beyond the end of the file")
    return pages


def _is_whole(page: Any) -> bool:
    """Whether all bytes of a page lie inside its file, so that no memory is allocated for a missing page."""
    if page is None or not page.dataoffsets:
        return False
    if page.keyframe.compression == tifffile.COMPRESSION.NONE and sum(page.databytecounts) < page.keyframe.nbytes:
        return False
    size = page.parent.filehandle.size
    return all(o + n <= size for o, n in zip(page.dataoffsets, page.databytecounts, strict=True))


def _read_contiguous(series: Series, frame: int, n_bytes: int) -> Any:
    handle = series.parent.filehandle
    start = series.dataoffset + frame * n_bytes
    if start + n_bytes > handle.size:
        raise ValueError("beyond the end of the file")
    # Byte order of the file; ImageJ writes big-endian.
    dtype = series.dtype.newbyteorder(series.parent.byteorder)
    return handle.read_array(dtype, n_bytes // dtype.itemsize, start)


def _series(path: Path) -> Series:
    series: Any = _tiff(path).series
    if not _is_complete(series):
        raise ValueError("the file ends before its last page")
    if len(series) != 1:
        raise InputError(f"{path}: {len(series)} images in one file; save the labels alone")
    return series[0]


def _is_complete(series: Any) -> bool:
    """Whether the file is as long as its header says; pages are checked when they are read."""
    tiff = series[0].parent
    if tiff.is_imagej and series[0].kind != "imagej":
        # For a truncated ImageJ file, tifffile shows only the pages it finds.
        return len(tiff.pages) >= int((tiff.imagej_metadata or {}).get("images", 1))
    if series[0].dataoffset is not None:
        return series[0].dataoffset + series[0].nbytes <= tiff.filehandle.size
    return all(len(one) * int(np.prod(one.keyframe.shape)) >= one.size for one in series)


_kept = threading.local()


def _tiff(path: Path) -> tifffile.TiffFile:
    """The opened file. The last one stays open, because finding the pages of a movie takes longer than reading a frame."""
    stat = path.stat()
    # The process id is part of the key: a forked child must not share its parent's file position.
    key = (str(path), stat.st_mtime_ns, stat.st_size, stat.st_ino, os.getpid())
    if getattr(_kept, "key", None) != key:
        _close_kept()
        _kept.tiff = tifffile.TiffFile(path)
        _kept.key = key
    tiff: tifffile.TiffFile = _kept.tiff
    return tiff


def _close_kept() -> None:
    if getattr(_kept, "key", None) is not None:
        _kept.key = None
        _kept.tiff.close()

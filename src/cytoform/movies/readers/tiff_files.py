"""Opens TIFF files and keeps the last one open, because finding the pages of a movie takes longer than reading a frame."""

import errno
import os
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import tifffile

from cytoform.movies.readers.ome_set import OmeSet, companion_of, ome_set

ORDER: dict[str, Literal["little", "big"]] = {"<": "little", ">": "big"}


@dataclass(frozen=True)
class OpenTiff:
    """An open file, and the OME-TIFF set that it belongs to, if any."""

    tiff: tifffile.TiffFile
    files: OmeSet | None


_kept = threading.local()


def kept_open(path: Path) -> OpenTiff:
    """The opened file, from before if nothing has changed. Raises OSError, ValueError or errors of tifffile."""
    stat = path.stat()
    # The process id is part of the key: a forked child must not share its parent's file position.
    key = (str(path), stat.st_mtime_ns, stat.st_size, stat.st_ino, os.getpid())
    if getattr(_kept, "key", None) != key:
        _close_kept()
        _kept.file = _opened(path)
        _kept.key = key
    file: OpenTiff = _kept.file
    return file


def _close_kept() -> None:
    if getattr(_kept, "key", None) is not None:
        _kept.key = None
        _kept.file.tiff.close()


def _opened(path: Path) -> OpenTiff:
    if not path.is_file():
        raise OSError(errno.EINVAL, "not a regular file")
    tiff = tifffile.TiffFile(path)
    try:
        _check_pages(tiff)
        xml = tiff.ome_metadata
        if xml and (companion := companion_of(path, xml)):
            tiff.close()
            tiff, xml = tifffile.TiffFile(path, omexml=companion), companion
        return OpenTiff(tiff, ome_set(path, xml) if xml else None)
    except Exception:
        tiff.close()
        raise


def _check_pages(tiff: tifffile.TiffFile) -> None:
    """Raise ValueError if the list of pages goes round in a circle, which tifffile would follow for ever."""
    handle, form = tiff.filehandle, tiff.tiff
    order = ORDER[form.byteorder]
    offset, seen = int(tiff.pages.first.offset), set[int]()
    while offset and offset not in seen:
        seen.add(offset)
        handle.seek(offset)
        n_tags = int.from_bytes(handle.read(form.tagnosize), order)
        handle.seek(offset + form.tagnosize + n_tags * form.tagsize)
        offset = int.from_bytes(handle.read(form.offsetsize), order)
    if offset:
        raise ValueError("the pages form a circle")

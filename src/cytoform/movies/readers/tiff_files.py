"""Opens TIFF files and keeps the last one open, because finding the pages of a movie takes longer than reading a frame."""

import errno
import os
import re
import threading
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Literal

import tifffile

from cytoform.errors import InputError
from cytoform.movies.readers.ome_set import OmeSet, companion_of, ome_set

# Tifffile makes a list of all planes that OME-XML announces, whether they are there or not.
MOST_PLANES = 10_000_000
TAGS = re.compile(r"<(?:\w+:)?(?:Pixels|TiffData)\b[^<>]*>")
CLAIMS = re.compile(r"""\b(Size[ZCTYX]|First[ZCT]|IFD|PlaneCount|NumPlanes)\s*=\s*["'](\d+)["']""")
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
        n_pixels = max(1, tiff.pages.first.size)
        if xml and (companion := companion_of(path, xml)):
            tiff.close()
            tiff, xml = tifffile.TiffFile(path, omexml=companion), companion
        _check_planes(path, xml or "", n_pixels)
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


def _check_planes(path: Path, xml: str, n_pixels: int) -> None:
    """Raise InputError if OME-XML announces more planes, of `n_pixels` each, than any movie has."""
    for tag in TAGS.findall(xml):
        numbers = {name: int(digits) for name, digits in CLAIMS.findall(tag)}
        sizes = [number for name, number in numbers.items() if name.startswith("Size")]
        planes = [number for name, number in numbers.items() if name in ("SizeZ", "SizeC", "SizeT")]
        others = [number for name, number in numbers.items() if not name.startswith("Size")]
        if (most := max([prod(sizes) // n_pixels, prod(planes), *others])) > MOST_PLANES:
            raise InputError(f"{path}: its OME-XML announces {most:.3g} planes; the file is damaged, export it again")

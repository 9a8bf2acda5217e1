"""The reason why a file cannot be read, told apart from damage."""

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path

from cytoform.errors import InputError

TIFF_MARKS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
MARKS = {
    b"\x89HDF": "an HDF5 file",
    b"PK\x03\x04": "a zip file",
    b"\x1f\x8b": "a gzip file",
    b"\x93NUMPY": "a NumPy array",
    b"\x89PNG": "a PNG picture",
    b"\xff\xd8\xff": "a JPEG picture",
    b"GIF8": "a GIF picture",
    b"BM": "a BMP picture",
    b"%PDF": "a PDF",
    b"NRRD": "an NRRD volume",
    b"ObjectType": "a MetaImage volume",
    b"MATLAB": "a MATLAB file",
    b"%!": "a PostScript picture",
    b"version https://git-lfs": "a pointer of Git LFS instead of the file (get it with: git lfs pull)",
    b"<": "a page or XML text",
}
MISSING_CODEC = re.compile(r"COMPRESSION\.([A-Z0-9_]+).*requires the 'imagecodecs' package")
UNKNOWN_CODEC = re.compile(r"COMPRESSION\.([A-Z0-9_]+).*not (?:supported|implemented)|(\d+) is not a known COMPRESSION")


def content_of(path: Path) -> str:
    """The kind of a file by its first bytes: "" if unknown. Raises OSError."""
    with path.open("rb") as file:
        head = file.read(32)
    if not head:
        return "an empty file"
    return next((name for mark, name in MARKS.items() if head.startswith(mark)), "")


@contextlib.contextmanager
def damage_at(where: str, path: Path) -> Iterator[None]:
    """Turn any exception of tifffile and its decoders into one InputError that tells the reason."""
    try:
        yield
    except (InputError, MemoryError):
        raise
    except Exception as fault:
        raise InputError(f"{where}: {_reason(fault, path)}") from None


def _reason(fault: Exception, path: Path) -> str:
    if isinstance(fault, OSError) and fault.strerror:
        return f"{fault.strerror}; copy or write it again"
    text = str(fault)
    if match := MISSING_CODEC.search(text):
        return f"compressed with {match[1]}, which needs the package imagecodecs; pip install imagecodecs"
    if match := UNKNOWN_CODEC.search(text):
        name = match[1] or f"method {match[2]}"
        return f"compressed with {name}, which cannot be read; save it with LZW or deflate, or without compression"
    with contextlib.suppress(OSError):
        if content := content_of(path):
            return f"not a TIFF file but {content}; give the TIFF, or rename it to its true ending"
    return "not a TIFF file, or truncated or damaged; copy or write it again"

"""NumPy files (.npy, and .npz with one array of labels), read frame by frame and without pickle."""

import contextlib
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from io import BufferedIOBase
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Shaped

from cytoform.errors import InputError
from cytoform.movies.metadata import GivenScale, RecordedScale
from cytoform.movies.readers.axes import Layout, layout
from cytoform.movies.readers.faults import check_claim
from cytoform.movies.readers.stack import Stack

# Names that programs give to labels in an .npz file with other arrays.
LABEL_NAMES = ("labels", "label", "masks", "mask", "segmentation", "tracks", "arr_0")
NO_PICKLE = "holds Python objects, which could run code when loaded, so it is not read"


@dataclass(frozen=True)
class _Header:
    """Shape and type of an array, and where its values begin."""

    shape: tuple[int, ...]
    fortran: bool
    dtype: np.dtype[Any]
    offset: int


@dataclass(frozen=True)
class NumpyFrames:
    """Reads frames of an array as stored; `member` names the array of an .npz file."""

    path: Path
    member: str
    layout: Layout

    def __call__(self, frame: int) -> Shaped[np.ndarray, "z y x"]:
        where, n_frames = f"{self.path}, frame {frame}", self.layout.n_frames or 1
        if not 0 <= frame < n_frames:
            raise InputError(f"{where}: the movie has the frames 0 to {n_frames - 1}")
        with _faults(where), _stream(self.path, self.member) as file:
            return self.layout.ordered(_values(file, _header(file, where), self.layout.index(frame)))


def open_numpy(path: Path, *, given: GivenScale, volume: bool = False) -> Stack:
    """Open an array; the axes of its four dimensions are T Z Y X, other numbers need --axes. Raises InputError."""
    where = str(path)
    with _faults(where):
        member = _member(path) if path.suffix.lower() == ".npz" else ""
        with _stream(path, member) as file:
            header = _header(file, where)
        stored = _stored(path, member)
        if not member and stored < header.offset + prod(header.shape) * header.dtype.itemsize:
            raise ValueError("the file ends before its last value")
    found = layout("Q" * len(header.shape), header.shape, where, given=given.axes, volume=volume)
    check_claim(prod(found.shape_zyx) * header.dtype.itemsize, stored, where)
    name = path.name[: -len(path.suffix)]
    frames = NumpyFrames(path, member, found)
    return Stack(name, where, found, header.dtype, RecordedScale(), frames, found.n_frames or 1)


@contextlib.contextmanager
def _faults(where: str) -> Iterator[None]:
    try:
        yield
    except (InputError, MemoryError):
        raise
    except OSError as fault:
        raise InputError(f"{where}: {fault.strerror or 'cannot be read'}; copy or write it again") from None
    except zipfile.BadZipFile:
        raise InputError(f"{where}: not a whole .npz file; copy or write it again") from None
    except Exception:
        raise InputError(f"{where}: not a NumPy array, or truncated or damaged; copy or write it again") from None


@contextlib.contextmanager
def _stream(path: Path, member: str) -> Iterator[Any]:
    if not path.is_file():
        raise InputError(f"{path}: not a regular file; give a NumPy file")
    if not member:
        with path.open("rb") as file:
            yield file
        return
    with zipfile.ZipFile(path) as archive, archive.open(member) as file:
        yield file


def _header(file: BufferedIOBase, where: str) -> _Header:
    version = np.lib.format.read_magic(file)
    readers = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
    if version not in readers:
        raise InputError(f"{where}: NumPy format {version[0]}.{version[1]}; save the array again with np.save")
    shape, fortran, dtype = readers[version](file)
    if dtype.hasobject:
        raise InputError(
            f"{where}: {NO_PICKLE}; save the labels alone with np.save(NAME, masks), of cellpose's _seg.npy the entry "
            "'masks'"
        )
    return _Header(tuple(int(n) for n in shape), bool(fortran), dtype, file.tell())


def _member(path: Path) -> str:
    """The one array of labels in an .npz file."""
    with zipfile.ZipFile(path) as archive:
        names = [name.removesuffix(".npy") for name in archive.namelist() if name.endswith(".npy")]
        if len(names) > 1:
            telling = [name for name in names if name.lower() in LABEL_NAMES]
            if len(telling) != 1:
                found = ", ".join(names[:6]) + ", …" * (len(names) > 6)
                raise InputError(f"{path}: several arrays ({found}); save the labels alone with np.savez_compressed")
            names = telling
    if not names:
        raise InputError(f"{path}: no array in it; save the labels with np.savez_compressed")
    return f"{names[0]}.npy"


def _stored(path: Path, member: str) -> int:
    if not member:
        return path.stat().st_size
    with zipfile.ZipFile(path) as archive:
        return archive.getinfo(member).compress_size


def _values(file: BufferedIOBase, header: _Header, index: tuple[int | slice, ...]) -> np.ndarray:
    """The values at an index: one run of bytes if the frames lie one after the other, else all are read."""
    if isinstance(index[0], int) and not header.fortran:
        size = prod(header.shape[1:]) * header.dtype.itemsize
        file.seek(header.offset + index[0] * size)
        return _array(file.read(size), header, header.shape[1:])[index[1:]]
    size = prod(header.shape) * header.dtype.itemsize
    return _array(file.read(size), header, header.shape)[index]


def _array(content: bytes, header: _Header, shape: tuple[int, ...]) -> np.ndarray:
    return np.frombuffer(content, header.dtype).reshape(shape, order="F" if header.fortran else "C")

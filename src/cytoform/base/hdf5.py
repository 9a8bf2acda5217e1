"""HDF5 files: whether a file is one, and opening it with h5py."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cytoform.base.gate import require_file
from cytoform.errors import InputError

HDF5_SIGNATURE = b"\x89HDF\r\n\x1a\n"
USER_BLOCKS = (0, 512, 1024, 2048)  # where HDF5 may begin; Matlab puts a header of 512 bytes before it


def is_hdf5(path: Path) -> bool:
    """Whether a file is HDF5, version 7.3 of .mat included. Raises InputError for a missing one."""
    require_file(path)
    try:
        with Path(path).open("rb") as file:
            return any(file.seek(start) == start and file.read(8) == HDF5_SIGNATURE for start in USER_BLOCKS)
    except OSError as fault:
        raise InputError(f"{path}: cannot be read ({fault.strerror}); check the path") from None


def refuse_elsewhere(file: Any, name: str) -> None:
    """Raise InputError for an array of an open HDF5 file whose values are in other files, which it could name at will."""
    import h5py

    place = ""
    for part in name.strip("/").split("/"):
        place = f"{place}/{part}"
        if isinstance(file.get(place, getlink=True), h5py.ExternalLink):
            raise InputError(f"{file.filename}: {name} is in another file; export it as one file")
    found = file.get(name)
    if isinstance(found, h5py.Dataset) and (found.external or found.is_virtual):
        raise InputError(f"{file.filename}: the values of {name} are in other files; export it as one file")


@contextlib.contextmanager
def open_hdf5(path: Path) -> Iterator[Any]:
    """An open h5py.File. Raises InputError where h5py is missing, and for any file that it cannot read."""
    try:
        import h5py
    except ImportError:
        raise InputError(f"{path}: HDF5 needs h5py; install it with: pip install 'cytoform[h5]'") from None
    try:
        with h5py.File(path, "r") as file:
            yield file
    except (OSError, RuntimeError, KeyError) as fault:
        raise InputError(f"{path}: damaged HDF5 file ({fault}); copy or download it again") from None

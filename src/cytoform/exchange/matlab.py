"""Arrays in Matlab's .mat files of any version, and in HDF5, the format of version 7.3.

HDF5 lists axes in reverse: an array that Matlab has as (t, y, x, z) is (z, x, y, t) to h5py. Versions 4 to 7, read
through SciPy, keep Matlab's order.
"""

import contextlib
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from cytoform.base.hdf5 import is_hdf5, open_hdf5, refuse_elsewhere
from cytoform.errors import InputError

MAT5_BYTES = 2**31 - 1  # largest variable in version 5, the version that SciPy reads and writes


def dataset(file: Any, name: str) -> Any:
    """A complete dataset of floats of an open HDF5 file; none of its values is read. Raises InputError."""
    import h5py

    refuse_elsewhere(file, name)
    found = file.get(name)
    if not isinstance(found, h5py.Dataset):
        raise _missing(file.filename, name, list(file))
    _check_floats(file.filename, name, found.dtype)
    # HDF5 reads unwritten values as 0, which would count as inside.
    if found.chunks is None:
        complete = found.id.get_storage_size() >= found.size * found.dtype.itemsize
    else:
        n_chunks = math.prod(-(-n // chunk) for n, chunk in zip(found.shape, found.chunks, strict=True))
        complete = found.id.get_num_chunks() == n_chunks
    if not complete:
        raise InputError(f"{file.filename}: {name} of {found.shape} was never written to the end; make it anew")
    return found


def mat5_shapes(path: Path) -> dict[str, tuple[int, ...]]:
    """Names and shapes of the variables in a .mat file of versions 4 to 7. Raises InputError."""
    from scipy.io import whosmat

    with _readable(path):
        return {name: tuple(shape) for name, shape, _ in whosmat(path)}


def mat5_array(path: Path, name: str) -> np.ndarray:
    """A variable of floats in a .mat file of versions 4 to 7, in Matlab's order of axes. Raises InputError."""
    from scipy.io import loadmat

    found_shape(path, mat5_shapes(path), name)
    with _readable(path):
        values = loadmat(path, variable_names=[name])[name]
    _check_floats(path, name, getattr(values, "dtype", np.dtype(object)))
    return np.asarray(values)


def found_shape(path: Path, shapes: dict[str, tuple[int, ...]], name: str) -> tuple[int, ...]:
    """The shape of a variable from the result of `mat5_shapes`. Raises InputError if it is missing or impossible."""
    if name not in shapes:
        raise _missing(path, name, list(shapes))
    if math.prod(shapes[name]) > MAT5_BYTES // 4:
        raise InputError(
            f"{path}: {name} says it has shape {shapes[name]}, more than such a file can hold; it is damaged"
        )
    return shapes[name]


def read_matrix(path: Path, name: str, check: Callable[[tuple[int, ...]], None]) -> np.ndarray:
    """An array of floats from a .mat file of any version, in Matlab's order of axes.

    `check` gets its shape before any value is read. Raises InputError.
    """
    if not is_hdf5(path):
        check(found_shape(path, mat5_shapes(path), name))
        return mat5_array(path, name)
    with open_hdf5(path) as file:
        found = dataset(file, name)
        check(found.shape[::-1])
        return np.asarray(found).T


def scalar(file: Any, name: str) -> np.ndarray:
    """A dataset of one number of an open HDF5 file. Raises InputError."""
    found = dataset(file, name)
    if found.size != 1:
        raise InputError(
            f"{file.filename}: {name} has shape {found.shape}, not one number; remove it, or export the file again"
        )
    return np.asarray(found)


@contextlib.contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except Exception as fault:
        # SciPy's parser raises a dozen undocumented types on a damaged file.
        if isinstance(fault, MemoryError):
            raise
        raise InputError(f"{path}: not a Matlab or HDF5 file, or damaged ({fault}); copy it again") from None


def _check_floats(where: object, name: str, dtype: np.dtype[Any]) -> None:
    if not np.issubdtype(dtype, np.floating):
        raise InputError(f"{where}: {name} holds {dtype}, not floating point numbers; masks go to 'cytoform prepare'")


def _missing(where: object, name: str, names: list[str]) -> InputError:
    found = ", ".join(names[:5]) or "nothing"
    return InputError(f"{where}: no array {name!r}; it holds {found}; give a file of the published layout")

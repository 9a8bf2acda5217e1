"""One file as an image, whatever its format."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from cytoform.base.kinds import Kind, kind_of
from cytoform.base.triples import IntTriple
from cytoform.errors import InputError
from cytoform.movies.metadata import GivenScale
from cytoform.movies.readers.hdf5_file import open_array
from cytoform.movies.readers.nifti import open_nifti
from cytoform.movies.readers.numpy_file import open_numpy
from cytoform.movies.readers.stack import Stack
from cytoform.movies.readers.tiff import open_tiff
from cytoform.movies.readers.vendor import open_vendor

# Opens a file; with `volume`, three axes without names are Z Y X.
Opener = Callable[..., Stack]


def _of_arrays(path: Path, *, given: GivenScale, volume: bool = False) -> Stack:
    opener = open_numpy if path.suffix.lower() in (".npy", ".npz") else open_nifti
    return opener(path, given=given, volume=volume)


OPENERS: dict[Kind, Opener] = {
    Kind.TIFF: open_tiff,
    Kind.ARRAY: _of_arrays,
    Kind.HDF5: open_array,
    Kind.VENDOR: open_vendor,
}


def open_file(path: Path, *, given: GivenScale, volume: bool = False) -> Stack:
    """Open a TIFF, NumPy, NIfTI, HDF5 or microscope maker's file. Raises InputError."""
    # What is no known file gets its true reason from the reader of TIFF.
    return OPENERS.get(kind_of(path), open_tiff)(path, given=given, volume=volume)


def read_volume(path: Path, *, shape_zyx: IntTriple, where: str, axes: str | None = None) -> np.ndarray:
    """Read the single volume of a file as stored; `where` names file and frame in messages."""
    stack = open_file(path, given=GivenScale(axes=axes), volume=True)
    if stack.layout.shape_zyx != shape_zyx:
        raise InputError(
            f"{where}: shape {stack.layout.shape_zyx} where the other frames have {shape_zyx}; all frames must agree"
        )
    try:
        return stack.frames(0)
    except InputError as fault:
        # Of the file it is frame 0, of the movie another.
        raise InputError(str(fault).replace(f"{path}, frame 0", where)) from None

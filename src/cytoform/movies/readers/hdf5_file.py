"""HDF5 files with one array of labels, such as the object identities that ilastik exports."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Shaped

from cytoform.base.hdf5 import open_hdf5
from cytoform.base.triples import triple
from cytoform.errors import InputError
from cytoform.movies.metadata import GivenScale, RecordedScale
from cytoform.movies.readers.axes import Layout, layout
from cytoform.movies.readers.faults import check_claim
from cytoform.movies.readers.stack import Stack

# Names of the arrays of labels where a file has others too.
TELLING = ("exported_data", "labels", "label", "masks", "segmentation", "tracks")


@dataclass(frozen=True)
class Hdf5Frames:
    """Reads frames of an array as stored."""

    path: Path
    name: str
    layout: Layout

    def __call__(self, frame: int) -> Shaped[np.ndarray, "z y x"]:
        where, n_frames = f"{self.path}, frame {frame}", self.layout.n_frames or 1
        if not 0 <= frame < n_frames:
            raise InputError(f"{where}: the movie has the frames 0 to {n_frames - 1}")
        with _dataset(self.path, self.name, where) as array:
            return self.layout.ordered(np.asarray(array[self.layout.index(frame)]))


def open_array(path: Path, *, given: GivenScale, volume: bool = False) -> Stack:
    """Open the one array of a file; ilastik names its axes. Raises InputError."""
    where = str(path)
    with _dataset(path, "", where) as array:
        shape, name, dtype = tuple(int(n) for n in array.shape), str(array.name), np.dtype(array.dtype)
        found = layout(_axes(array), shape, where, given=given.axes, volume=volume)
        n_bytes = max(prod(found.shape_zyx), prod(array.chunks or (0,))) * dtype.itemsize
        check_claim(n_bytes, path.stat().st_size, where)
        frames = Hdf5Frames(path, name, found)
        return Stack(path.stem, where, found, dtype, _recorded(array), frames, found.n_frames or 1)


@contextmanager
def _dataset(path: Path, name: str, where: str) -> Iterator[Any]:
    """The array `name` of a file, or its one array of three or more dimensions."""
    if not path.is_file():
        raise InputError(f"{where}: not a regular file; give an HDF5 file")
    with open_hdf5(path) as file:
        try:
            yield file[name] if name else _only(file, where)
        except (InputError, MemoryError):
            raise
        except Exception as fault:
            if "filter" in str(fault):
                raise InputError(
                    f"{where}: compressed by a filter that is not there; pip install hdf5plugin, or export it with gzip"
                ) from None
            raise InputError(f"{where}: the array cannot be read; export it again") from None


def _only(file: Any, where: str) -> Any:
    import h5py

    arrays: list[Any] = []

    def collect(_: str, node: Any) -> None:
        if isinstance(node, h5py.Dataset) and node.ndim >= 2 and node.dtype.kind in "uifb":
            arrays.append(node)

    file.visititems(collect)  # follows no links to other files
    if len(arrays) > 1:
        telling = [array for array in arrays if array.name.rpartition("/")[2].lower() in TELLING]
        if len(telling) != 1:
            found = ", ".join(array.name for array in arrays[:6]) + ", …" * (len(arrays) > 6)
            raise InputError(f"{where}: several arrays ({found}); export the labels alone")
        arrays = telling
    if not arrays:
        raise InputError(f"{where}: no array of labels in it; export the labels as TIFF or HDF5")
    if arrays[0].external or arrays[0].is_virtual:
        raise InputError(f"{where}: its values are in other files; export it as one file")
    return arrays[0]


def _recorded(array: Any) -> RecordedScale:
    """The voxel size Z Y X in µm that PlantSeg and BigDataViewer write."""
    sizes = np.asarray(array.attrs.get("element_size_um", ()))
    if sizes.shape != (3,) or sizes.dtype.kind not in "uif":
        return RecordedScale()
    return RecordedScale(triple(sizes), None, "element_size_um")


def _axes(array: Any) -> str:
    """Letters of the axes: of ilastik's axistags, else of the labels of the dimensions, else unnamed."""
    tags = array.attrs.get("axistags")
    names: list[str] = []
    if isinstance(tags, str | bytes):
        try:
            names = [str(axis["key"]) for axis in json.loads(tags)["axes"]]
        except (ValueError, KeyError, TypeError, RecursionError):
            names = []
    if len(names) != array.ndim:
        names = [dimension.label for dimension in array.dims]
    letters = "".join(name.upper() if len(name) == 1 and name.upper() in "TZCYX" else "Q" for name in names)
    return letters if len(letters) == array.ndim else "Q" * array.ndim

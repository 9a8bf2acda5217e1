"""Microscope makers' files (.lif, .nd2, .czi, .ims, …) through bioio and its plugins, which are extras."""

import contextlib
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Shaped

from cytoform.errors import InputError
from cytoform.movies.metadata import GivenScale, RecordedScale
from cytoform.movies.readers.axes import Layout, layout
from cytoform.movies.readers.stack import Stack

PLUGINS = {".lif": "bioio-lif", ".xlif": "bioio-lif", ".nd2": "bioio-nd2", ".czi": "bioio-czi", ".dv": "bioio-dv"}
OTHERWISE = "bioio-bioformats"  # reads every format of Bio-Formats, and needs Java


@dataclass(frozen=True)
class VendorFrames:
    """Reads frames of a microscope maker's file as stored."""

    path: Path
    order: str
    layout: Layout

    def __call__(self, frame: int) -> Shaped[np.ndarray, "z y x"]:
        where, n_frames = f"{self.path}, frame {frame}", self.layout.n_frames or 1
        if not 0 <= frame < n_frames:
            raise InputError(f"{where}: the movie has the frames 0 to {n_frames - 1}")
        with _image(self.path, where) as image:
            return self.layout.ordered(np.asarray(image.dask_data[self.layout.index(frame)].compute()))


def open_vendor(path: Path, *, given: GivenScale, volume: bool = False) -> Stack:
    """Open the one image of a file. Raises InputError where bioio or its plugin is missing, naming the extra."""
    where = str(path)
    with _image(path, where) as image:
        if len(image.scenes) > 1:
            raise InputError(f"{where}: {len(image.scenes)} images in one file; export the labels alone as OME-TIFF")
        order, shape = str(image.dims.order), tuple(int(n) for n in image.dims.shape)
        found = layout(order, shape, where, given=given.axes, volume=volume)
        frames = VendorFrames(path, order, found)
        dtype = np.dtype(image.dtype)
        return Stack(path.stem, where, found, dtype, _recorded(image), frames, found.n_frames or 1)


@contextlib.contextmanager
def _image(path: Path, where: str) -> Iterator[Any]:
    plugin = PLUGINS.get(path.suffix.lower(), OTHERWISE)
    try:
        from bioio import BioImage
    except ImportError:
        more = f" {plugin}" if plugin == OTHERWISE else ""
        raise InputError(
            f"{where}: a microscope maker's file, which needs bioio; pip install 'cytoform[bioio]'{more}, or export OME-TIFF"
        ) from None
    try:
        yield BioImage(path)
    except (InputError, MemoryError):
        raise
    except Exception as fault:
        if type(fault).__name__ == "UnsupportedFileFormatError":
            raise InputError(
                f"{where}: bioio has no plugin that reads it; pip install {plugin}, or export OME-TIFF"
            ) from None
        raise InputError(
            f"{where}: bioio cannot read it ({type(fault).__name__}); export it as OME-TIFF in the microscope's program"
        ) from None


def _recorded(image: Any) -> RecordedScale:
    sizes = tuple(getattr(image.physical_pixel_sizes, axis) for axis in "ZYX")
    z, y, x = (None if size is None or not math.isfinite(size) else float(size) for size in sizes)
    spacing = None if z is None or y is None or x is None else (z, y, x)
    step = getattr(image, "time_interval", None)
    seconds = getattr(step, "total_seconds", lambda: step)() if step is not None else None
    return RecordedScale(spacing, None if seconds is None else float(seconds), "bioio", (z, y, x))

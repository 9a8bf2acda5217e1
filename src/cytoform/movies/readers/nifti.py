"""NIfTI files (.nii, .nii.gz), as nnU-Net and 3D Slicer write them, through nibabel."""

import contextlib
import logging
import math
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Shaped

from cytoform.base.triples import Triple
from cytoform.errors import InputError
from cytoform.movies.metadata import MICROMETRES, SECONDS, GivenScale, RecordedScale, sizes_text
from cytoform.movies.readers.axes import Layout, layout
from cytoform.movies.readers.faults import check_claim, content_of
from cytoform.movies.readers.stack import Stack

SPACE = {"mm": MICROMETRES["mm"], "micron": 1.0, "meter": MICROMETRES["m"]}
# Nobody measures the shape of cells with larger voxels.
LARGEST_UM = 20.0
TIME = {"sec": 1.0, "msec": SECONDS["ms"], "usec": SECONDS["us"]}


@dataclass(frozen=True)
class NiftiFrames:
    """Reads frames of a NIfTI file as stored."""

    path: Path
    layout: Layout

    def __call__(self, frame: int) -> Shaped[np.ndarray, "z y x"]:
        where, n_frames = f"{self.path}, frame {frame}", self.layout.n_frames or 1
        if not 0 <= frame < n_frames:
            raise InputError(f"{where}: the movie has the frames 0 to {n_frames - 1}")
        with _image(self.path, where) as image:
            return self.layout.ordered(np.asarray(image.dataobj[self.layout.index(frame)]))


def open_nifti(path: Path, *, given: GivenScale, volume: bool = False) -> Stack:
    """Open a NIfTI file; its axes are X Y Z T. Raises InputError."""
    where = str(path)
    with _image(path, where) as image:
        shape = tuple(int(n) for n in image.shape)
        found = layout(("XYZT" + "R" * 7)[: len(shape)], shape, where, given=given.axes, volume=volume)
        # Scaled values are floats, whatever the type on disk.
        scaled = tuple(image.dataobj.slope_inter if hasattr(image.dataobj, "slope_inter") else (1, 0)) != (1, 0)
        dtype = np.dtype(np.float64) if scaled else np.dtype(image.get_data_dtype())
        check_claim(math.prod(found.shape_zyx) * dtype.itemsize, path.stat().st_size, where)
        recorded = _recorded(image)
        sizes_um = recorded.spacing_zyx_um
        if given.spacing_zyx_um is None and sizes_um is not None and min(sizes_um) > LARGEST_UM:
            numbers = sizes_text([size / MICROMETRES["mm"] for size in sizes_um])
            raise InputError(
                f"{where}: voxels of {numbers} mm, too large for cells (many programs write mm for any unit); pass the true "
                f"--voxel-size Z Y X in micrometres, perhaps {numbers}"
            )
        name = path.name[: -len(".nii.gz" if path.suffix.lower() == ".gz" else ".nii")]
        return Stack(name, where, found, dtype, recorded, NiftiFrames(path, found), found.n_frames or 1)


@contextlib.contextmanager
def _image(path: Path, where: str) -> Iterator[Any]:
    import nibabel

    logging.getLogger("nibabel.global").setLevel(logging.CRITICAL)
    if not path.is_file():
        raise InputError(f"{where}: not a regular file; give a NIfTI file")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            image: Any = nibabel.load(path)
            yield image
    except (InputError, MemoryError):
        raise
    except Exception as fault:
        if isinstance(fault, OSError) and fault.strerror:
            raise InputError(f"{where}: {fault.strerror}; copy or write it again") from None
        content = content_of(path) if path.suffix.lower() == ".nii" else ""
        kind = f"but {content}" if content else "or truncated or damaged"
        raise InputError(
            f"{where}: not a NIfTI file, {kind}; copy or write it again".replace(", but", " but")
        ) from None


def _recorded(image: Any) -> RecordedScale:
    space, time = image.header.get_xyzt_units()
    zooms = [float(size) for size in image.header.get_zooms()]
    sizes: list[float | None] = [None, None, None]
    if space in SPACE and len(zooms) >= 3:
        # 32-bit floats: 0.2 mm is 200 µm, not 200.00000298.
        sizes = [float(f"{size * SPACE[space]:.7g}") for size in zooms[2::-1]]
    z, y, x = sizes
    spacing: Triple | None = None if z is None or y is None or x is None else (z, y, x)
    step = float(f"{zooms[3] * TIME[time]:.7g}") if time in TIME and len(zooms) > 3 else None
    return RecordedScale(spacing, step, "NIfTI header", tuple(sizes))

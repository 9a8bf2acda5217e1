"""A label movie: label images read frame by frame, with voxel size, time step and lineage."""

import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Integer, Shaped

from cytoform.base.gate import MOST_FRAMES
from cytoform.base.triples import IntTriple, Triple
from cytoform.errors import InputError
from cytoform.movies.lineage import MAX_LABEL, Lineage

Labels = Integer[np.ndarray, "z y x"]


# Floats above this have no fractions, so that whole numbers prove nothing.
LARGEST = 1 << 53
# A header can claim any size. No real frame of cells is this large, and it still fits into the memory of a workstation.
MAX_FRAME_VOXELS = 1 << 32


@dataclass(frozen=True)
class Origin:
    """Where the facts about a movie come from, in words for people; empty where unknown."""

    axes: str = ""
    voxel_size: str = ""
    time_step: str = ""
    lineage: str = ""
    # Of Challenge folders: the folder with the masks.
    shapes: str = ""
    # Whether the labels may be tracking markers, which are smaller than the cells, and nothing says so yet.
    markers: bool = False


@dataclass(frozen=True)
class Terms:
    """Words for cells in volumes, or in images."""

    size: str
    boundary: str
    side: str
    element: str


TERMS = {3: Terms("volume", "surface", "face", "voxel"), 2: Terms("area", "outline", "side", "pixel")}


@dataclass(frozen=True)
class LabelMovie:
    """Label images, read on demand; 0 is background. Those of a 2D movie have one plane."""

    name: str
    source: str
    n_frames: int
    shape_zyx: IntTriple
    spacing_zyx_um: Triple
    time_step_s: float | None
    # None if no lineage is recorded: then every label is a family of one.
    lineage: Lineage | None
    # Reads frame t as a new uint16 array; picklable, so that worker processes can read.
    read: Callable[[int], Labels]
    # One file per frame, or empty if all frames are in one file.
    files: tuple[str, ...] = ()
    origin: Origin = Origin()
    # Why a label may be missing in a frame of its track.
    absent: str = "no voxels"
    # One line for each oddity found on opening, with the file and the remedy.
    notices: tuple[str, ...] = ()
    # The values in the files, if labels were renumbered: label n is values[n - 1]. Else empty.
    values: tuple[int, ...] = ()

    @property
    def n_dims(self) -> int:
        """Dimensions of space: 2 where frames have one plane."""
        return 2 if self.shape_zyx[0] == 1 else 3

    @property
    def terms(self) -> Terms:
        """Words for its cells, for messages."""
        return TERMS[self.n_dims]

    def where(self, frame: int) -> str:
        """File and frame, for messages."""
        return f"{self.files[frame] if self.files else self.source}, frame {frame}"

    def value(self, label: int) -> int:
        """The value of a label in the files."""
        return self.values[label - 1] if 0 < label <= len(self.values) else label


def safe_name(text: str) -> str:
    """Replace characters unsafe in file names; keeps letters, digits, dot, dash, underscore, and no leading dot or dash."""
    return re.sub(r"[^A-Za-z0-9._-]+", "_", text).lstrip(".-") or "movie"


def check_dtype(dtype: np.dtype[np.generic], where: str) -> None:
    """Raise InputError for number types that cannot hold labels, before any pixel is read. Floats can: see `whole`."""
    if dtype.kind not in "buif":
        raise InputError(f"{where}: an image of type {dtype}; labels are whole numbers, save it as uint16")


def check_size(shape_zyx: tuple[int, ...], where: str) -> None:
    """Raise InputError for empty and absurdly large volumes, before memory is allocated."""
    n_voxels = int(np.prod(shape_zyx, dtype=object))
    if n_voxels < 1:
        raise InputError(f"{where}: an empty image (shape {_shape_text(shape_zyx)}); write the file again")
    if n_voxels > MAX_FRAME_VOXELS:
        raise InputError(f"{where}: a frame of {_shape_text(shape_zyx)} voxels is too large; crop or bin the movie")


def check_frames(n_frames: int, where: str) -> None:
    """Raise InputError for more frames than any movie has, before there is anything for each."""
    if n_frames > MOST_FRAMES:
        raise InputError(
            f"{where}: it claims {n_frames} frames, but a movie has at most {MOST_FRAMES}; cut it, or write it again"
        )


def as_labels(array: np.ndarray, where: str) -> Labels:
    """Convert labels to uint16. Raises InputError for fractions, negative labels and labels above 65535."""
    check_dtype(array.dtype, where)
    if array.dtype.itemsize > 2 or array.dtype.kind in "if":
        array = whole(array, where)
        if (high := int(array.max())) > MAX_LABEL:
            raise InputError(f"{where}: label {high}, but no more than {MAX_LABEL} labels are allowed; renumber them")
    return np.require(array, np.uint16, ("C", "W"))  # Cython code takes no arrays that are read-only


def whole(array: Shaped[np.ndarray, "z y x"], where: str) -> Integer[np.ndarray, "z y x"]:
    """Labels as integers, also where they are stored as floats. Raises InputError for fractions and negative labels."""
    if array.dtype.kind == "f":
        odd = ~(np.isfinite(array) & (array == np.floor(array)) & (np.abs(array, dtype=np.float64) < LARGEST))
        if odd.any():
            raise InputError(
                f"{where}: an image of type {array.dtype} with values such as {array[odd][0]:g}; labels are whole numbers, "
                "give labels instead of an image"
            )
        array = array.astype(np.int64)
    if (low := int(array.min())) < 0:
        raise InputError(f"{where}: a negative label {low}; labels are 0 (background) to {MAX_LABEL}")
    # NumPy has two names for 64 bits, and its type checks know one of them.
    return array.view(array.dtype.str)


def _shape_text(shape: tuple[int, ...]) -> str:
    return "×".join(str(n) for n in shape)

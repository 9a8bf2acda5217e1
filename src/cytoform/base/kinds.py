"""The kinds of files and folders that cytoform reads or writes, and one table that recognises them.

Recognition uses names and marks only. A damaged run is still a run folder; opening it says what is wrong.
"""

import contextlib
import os
import re
from collections.abc import Callable
from enum import Enum
from pathlib import Path

from cytoform.base.gate import Record, read_bytes, read_json
from cytoform.base.hdf5 import is_hdf5, open_hdf5
from cytoform.errors import InputError

CHALLENGE_PART = re.compile(r"([0-9]{2,})_(GT|ST|RES)")
CHECKPOINT_ENDINGS = (".pth", ".pt")
ZARR_MARKS = ("zarr.json", ".zgroup", ".zattrs", ".zarray")
CONFIG = "config.toml"
TIFF_ENDINGS = (".tif", ".tiff", ".btf", ".tf2", ".tf8")
TIFF_MARKS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
ARRAY_ENDINGS = (".npy", ".npz", ".nii", ".nii.gz")
ZIP_ENDINGS = (".ozx", ".zip")
HDF5_ENDINGS = (".h5", ".hdf5", ".hdf")
DISTANCES = "sdf_vid"  # the array of a file of the published code
# Formats of microscope makers, which bioio reads.
VENDOR_ENDINGS = (".lif", ".nd2", ".czi", ".ims", ".oib", ".oir", ".dv", ".vsi", ".xlif", ".sld")


class Kind(Enum):
    """A kind of file or folder. The value is its name in messages."""

    SHAPE_STORE = "a shape store"
    OME_ZARR = "an OME-Zarr image"
    CHALLENGE = "a Cell Tracking Challenge folder"
    TIFF = "a TIFF file"
    TIFF_FOLDER = "a folder of TIFF files"
    OME_ZARR_ZIP = "a zipped OME-Zarr image"
    ARRAY = "a file of NumPy or NIfTI arrays"
    HDF5 = "an HDF5 file of arrays"
    COMPANION = "a companion file of an OME-TIFF set"
    VENDOR = "a microscope maker's file"
    ARRAY_FOLDER = "a folder of NumPy or NIfTI files"
    TEXTURE = "a texture model"
    RUN = "a run folder"
    IMAGE_REPORT = "a report on images"
    REPORT = "a report on shapes"
    LATENT_REPORT = "a report on a latent space"
    PUBLISHED_SHAPES = "a file of distances in HDF5 or Matlab format"
    PUBLISHED_CHECKPOINT = "a PyTorch checkpoint"
    SETTINGS = "a TOML file of settings"
    PAGE = "a page for the browser"
    FILM = "a film"
    OUTPUT = "another output of cytoform"
    OTHER = "nothing that cytoform knows"
    MISSING = "no file or folder"

    @property
    def noun(self) -> str:
        """The name without its article."""
        return self.value.partition(" ")[2]


MAKERS = {
    Kind.SHAPE_STORE: "cytoform prepare",
    Kind.RUN: "cytoform train",
    Kind.TEXTURE: "cytoform texture train",
}


def kind_of(path: Path) -> Kind:
    """The kind of a path; the first entry of `RECOGNISED` that fits."""
    path = Path(os.path.abspath(path))  # not resolved: a link may have the telling name
    if not path.exists():
        return Kind.MISSING
    if not path.is_file() and not path.is_dir():
        return Kind.OTHER  # a pipe or a device: reading one may never end
    return next((kind for kind, fits in RECOGNISED.items() if fits(path)), Kind.OTHER)


def paths_of(source: str | Path) -> list[Path]:
    """The files or folders of a source of pairs: one, or those of IMAGE.zarr:LABELS.zarr."""
    image, colon, labels = str(source).partition(".zarr:")
    return [Path(f"{image}.zarr"), Path(labels)] if colon else [Path(source)]


def wrong_kind(path: Path, *wanted: Kind) -> InputError:
    """The fault that `path` is not of a wanted kind. The message names its kind and the remedy."""
    names, found = " or ".join(kind.value for kind in wanted), kind_of(path)
    give = " or ".join(f"{kind.value} of '{MAKERS[kind]}'" if kind in MAKERS else kind.value for kind in wanted)
    if found is Kind.MISSING:
        return InputError(f"{path}: no such {' or '.join(kind.noun for kind in wanted)}; give {give}")
    if found is Kind.OTHER or found in wanted:
        return InputError(f"{path}: not {names}; give {give}")
    return InputError(f"{path} is {found.value}, not {names}; give {give}")


def recorded_command(path: Path) -> str | None:
    """The command that a folder records as its maker; None where it records no origin at all."""
    if not (path / "provenance.json").is_file():
        return None
    try:
        return read_json(path / "provenance.json", _Provenance).command
    except InputError:
        return ""


class _Provenance(Record):
    command: str = ""


def _is_store(path: Path) -> bool:
    text = _text(path / "zarr.json")
    return '"cytoform"' in text and re.search(r'"kind":\s*"shapes"', text) is not None


def _is_challenge(path: Path) -> bool:
    """The folder of a data set, or within it 01_GT, 01_GT/TRA, 01_ST/SEG, 01_RES and their like."""
    part = path.parent if path.name in ("TRA", "SEG") else path
    if not path.is_dir() or CHALLENGE_PART.fullmatch(part.name):
        return path.is_dir()
    return any(CHALLENGE_PART.fullmatch(inner.name) and inner.is_dir() for inner in path.iterdir())


def is_tiff(path: Path) -> bool:
    """Whether a file is a TIFF by its ending or its first bytes; microscope makers and programs use many endings."""
    if path.is_dir() or path.suffix.lower() in TIFF_ENDINGS:
        return not path.is_dir()
    if path.is_file():  # a pipe would wait for ever
        with contextlib.suppress(OSError), path.open("rb") as file:
            return file.read(4) in TIFF_MARKS
    return False


def _is_hdf5_of_arrays(path: Path) -> bool:
    """HDF5 without the array of distances of the published code; ilastik and others write labels so."""
    if not _ends(*HDF5_ENDINGS)(path) or not path.is_file() or not is_hdf5(path):
        return False
    try:
        with open_hdf5(path) as file:
            return DISTANCES not in file
    except InputError:
        return False


def is_array(path: Path) -> bool:
    """Whether a file is a NumPy or NIfTI file, by its ending."""
    return path.name.lower().endswith(ARRAY_ENDINGS) and not path.is_dir()


def _holds(fits: Callable[[Path], bool]) -> Callable[[Path], bool]:
    return lambda path: path.is_dir() and any(inner.name[0] != "." and fits(inner) for inner in path.iterdir())


def _ends(*endings: str) -> Callable[[Path], bool]:
    return lambda path: path.name.lower().endswith(endings) and not path.is_dir()


def _text(path: Path) -> str:
    try:
        return read_bytes(path).decode("utf-8", errors="replace") if path.is_file() else ""
    except InputError:
        return ""


# Label movies come first: a folder of movies may also hold a file named like the mark of a later kind.
RECOGNISED: dict[Kind, Callable[[Path], bool]] = {
    Kind.SHAPE_STORE: _is_store,
    Kind.OME_ZARR: lambda path: any((path / mark).is_file() for mark in ZARR_MARKS),
    Kind.CHALLENGE: _is_challenge,
    Kind.OME_ZARR_ZIP: _ends(*ZIP_ENDINGS),
    Kind.COMPANION: _ends(".companion.ome"),
    Kind.ARRAY: is_array,
    Kind.HDF5: _is_hdf5_of_arrays,
    Kind.VENDOR: _ends(*VENDOR_ENDINGS),
    Kind.TIFF: is_tiff,
    Kind.TIFF_FOLDER: _holds(is_tiff),
    Kind.TEXTURE: lambda path: "[generator]" in _text(path / CONFIG),
    Kind.RUN: lambda path: (path / CONFIG).is_file(),
    Kind.IMAGE_REPORT: lambda path: (
        (path / "results.json").is_file() and recorded_command(path) == "cytoform texture evaluate"
    ),
    Kind.REPORT: lambda path: (path / "results.json").is_file(),
    Kind.LATENT_REPORT: lambda path: (path / "codes.csv").is_file(),
    Kind.PUBLISHED_SHAPES: _ends(".h5", ".hdf5", ".mat"),
    Kind.PUBLISHED_CHECKPOINT: _ends(*CHECKPOINT_ENDINGS),
    Kind.SETTINGS: _ends(".toml"),
    Kind.PAGE: _ends(".html", ".htm"),
    Kind.FILM: _ends(".mp4", ".gif"),
    Kind.OUTPUT: lambda path: recorded_command(path) is not None,
    Kind.ARRAY_FOLDER: _holds(is_array),
}

"""The kinds of files and folders that cytoform reads or writes, and one table that recognises them.

Recognition uses names and marks only. A damaged run is still a run folder; opening it says what is wrong.
"""

import os
import re
from collections.abc import Callable
from enum import Enum
from pathlib import Path

from cytoform.base.gate import Record, read_bytes, read_json
from cytoform.errors import InputError

CHALLENGE_PART = re.compile(r"([0-9]{2,})_(GT|ST|RES)")
CHECKPOINT_ENDINGS = (".pth", ".pt")
ZARR_MARKS = ("zarr.json", ".zgroup", ".zattrs", ".zarray")
CONFIG = "config.toml"


class Kind(Enum):
    """A kind of file or folder. The value is its name in messages."""

    SHAPE_STORE = "a shape store"
    OME_ZARR = "an OME-Zarr image"
    CHALLENGE = "a Cell Tracking Challenge folder"
    TIFF = "a TIFF file"
    TIFF_FOLDER = "a folder of TIFF files"
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


def _has_tiff(path: Path) -> bool:
    return path.is_dir() and any(_ends(".tif", ".tiff")(inner) and inner.name[0] != "." for inner in path.iterdir())


def _ends(*endings: str) -> Callable[[Path], bool]:
    return lambda path: path.suffix.lower() in endings and not path.is_dir()


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
    Kind.TIFF: _ends(".tif", ".tiff"),
    Kind.TIFF_FOLDER: _has_tiff,
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
}

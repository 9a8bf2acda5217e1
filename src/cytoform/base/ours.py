"""What cytoform wrote: decided by content, because --overwrite deletes it.

store     zarr.json with the attributes of a shape store; nothing but Zarr's files below it
run       provenance.json with our version beside a config.toml of a training; nothing but the files of a run
others    provenance.json that lists all files of the folder (`list_files`)
a file    the mark of a page, a movie, a picture, a table of settings or of results
"""

import contextlib
import json
import mmap
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

import cytoform
from cytoform.base.files import write_json
from cytoform.base.gate import Record, read_json, read_toml
from cytoform.errors import InputError

PROVENANCE, CONFIG = "provenance.json", "config.toml"
ZARR_FOLDER = re.compile(r".*?\.(zarr|geff)/")
ZARR_STRAY = re.compile(r"[^/]+\.[0-9a-f]{32}\.partial")  # begun by a process that was killed
ZARR_FILE = re.compile(rf"(.*/)?(zarr\.json|c(/\d+)*|{ZARR_STRAY.pattern})")
RUN_FILE = re.compile(
    r"(config\.toml|provenance\.json|(model|priors|parts)\.safetensors|choice\.json|metrics\.csv|MODEL_CARD\.md|samples/samples\.(npy|json)"
    r"|tensorboard/events\.out\.tfevents\.[^/]+|checkpoints/epoch_\d+_batch_\d+\.safetensors"
    rf"|bodies\.zarr/{ZARR_FILE.pattern}|\.choice\.partial-[^/]+/[^/]+\.zarr/{ZARR_FILE.pattern}|((checkpoints|samples)/)?\.[^/]+\.partial-\d+)"
)
OF_THE_SYSTEM = {".DS_Store", "Thumbs.db", "desktop.ini"}
COMMENT = rb"cytoform \d+\.\d+[^:\n]*: "
# How a file begins, and the words in it that only cytoform writes.
MARKS = {
    rb"<!doctype html>": rb"<footer>Written by cytoform \d",
    rb"# Written by cytoform \d": rb"",
    rb"\x89PNG": COMMENT,
    rb"GIF8": COMMENT,
    rb"....ftyp": COMMENT,
    rb"\x08.\x12\x08cytoform\x1a": rb"",  # ONNX: a version, and its producer
    rb"PK": COMMENT + rb"published model\Z",
    rb"\{\s": rb'"versions": \{[^}]*"cytoform": "\d',
}


def why_not_ours(path: Path) -> str | None:
    """Why a file or folder may not be replaced, as the end of a sentence about it; None where cytoform wrote all of it."""
    if path.is_symlink():
        return "is a link"
    if path.is_file():
        return None if _is_marked(path) else "was not written by cytoform"
    if not path.is_dir():
        return "is neither a file nor a folder"
    names = list(_names(path))
    if not names:
        return None
    for rule in RULES:
        with contextlib.suppress(InputError):
            known = rule(path)
            return next((f"holds {name}, which cytoform did not write" for name in names if not known(name)), None)
    return "was not written by cytoform"


def list_files(folder: Path) -> None:
    """Add to the provenance.json of a complete output who wrote it, and the names of all its files.

    A run is not listed, because it grows; stores have no provenance.json.
    """
    place = folder / PROVENANCE
    if not place.is_file() or (folder / CONFIG).exists():
        return
    files = sorted({_listed(name) for name in _names(folder)} - {PROVENANCE})
    mark = {"written_by": f"cytoform {cytoform.__version__}", "files": files}
    write_json(place, json.loads(place.read_text("utf-8")) | mark)


def _is_marked(path: Path) -> bool:
    if path.stat().st_size == 0:
        return True  # nothing is lost
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        return any(re.match(start, data, re.DOTALL) and re.search(mark, data) for start, mark in MARKS.items())


class _Listed(Record):
    written_by: Annotated[str, Field(pattern="^cytoform ")]
    files: list[str]


class _Versions(Record):
    cytoform: str


class _OfRun(Record):
    versions: _Versions


class _Shapes(Record):
    kind: Literal["shapes"]


class _Attributes(Record):
    cytoform: _Shapes


class _OfStore(Record):
    attributes: _Attributes


def _listed_files(folder: Path) -> Callable[[str], object]:
    known = {PROVENANCE, *read_json(folder / PROVENANCE, _Listed).files}
    return lambda name: _listed(name) in known


def _run_files(folder: Path) -> Callable[[str], object]:
    read_json(folder / PROVENANCE, _OfRun)
    if "training" not in read_toml(folder / CONFIG):
        raise InputError(f"{folder / CONFIG}: not of a training")
    return RUN_FILE.fullmatch


def _store_files(folder: Path) -> Callable[[str], object]:
    read_json(folder / "zarr.json", _OfStore)
    return ZARR_FILE.fullmatch


# Each gives a test of names for the files of one kind of output, and raises InputError for any other folder.
RULES = (_listed_files, _run_files, _store_files)


def _names(folder: Path) -> Iterator[str]:
    """Names of all files below a folder, sorted, without those that file managers leave; a link is a file."""
    for place, folders, files in os.walk(folder):
        folders.sort()
        links = [name for name in folders if os.path.islink(os.path.join(place, name))]
        for name in sorted([*files, *links]):
            if name not in OF_THE_SYSTEM:
                yield os.path.relpath(os.path.join(place, name), folder).replace(os.sep, "/")


def _listed(name: str) -> str:
    """The name as a provenance.json lists it: of one of Zarr's files, the folder of the array or group."""
    inside = ZARR_FOLDER.match(name)
    return inside[0] if inside and ZARR_FILE.fullmatch(name, inside.end()) else name

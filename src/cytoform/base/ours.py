"""What cytoform wrote: decided by content, because --overwrite deletes it.

store     zarr.json with the attributes of a shape store; nothing but Zarr's files below it
run       provenance.json with our version beside a config.toml of a training; nothing but the files of a run
others    provenance.json that lists all files of the folder (`list_files`)
a file    the mark of a page, a movie, a picture, a table of settings or of results
"""

import json
import mmap
import os
import re
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cytoform

PROVENANCE, WRITTEN_BY, FILES = "provenance.json", "written_by", "files"
ZARR_FOLDER = re.compile(r".*?\.(zarr|geff)/")
ZARR_FILE = re.compile(r"(.*/)?(zarr\.json|c(/\d+)*|[^/]+\.[0-9a-f]{32}\.partial)")
RUN_FILE = re.compile(
    r"(config\.toml|provenance\.json|(model|priors|parts)\.safetensors|choice\.json|metrics\.csv|samples/samples\.(npy|json)"
    r"|tensorboard/events\.out\.tfevents\.[^/]+|checkpoints/epoch_\d+_batch_\d+\.safetensors"
    rf"|bodies\.zarr/{ZARR_FILE.pattern}|((checkpoints|samples)/)?\.[^/]+\.partial-\d+)"
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
    known = next(filter(None, (rule(path) for rule in RULES)), None)
    if known is None:
        return "was not written by cytoform"
    return next((f"holds {name}, which cytoform did not write" for name in names if not known(name)), None)


def list_files(folder: Path) -> None:
    """Add to the provenance.json of a complete output who wrote it, and the names of all its files.

    A run is not listed, because it grows; stores have no provenance.json.
    """
    place = folder / PROVENANCE
    if not place.is_file() or (folder / "config.toml").exists():
        return
    record = _json(place) | {WRITTEN_BY: f"cytoform {cytoform.__version__}"}
    record[FILES] = sorted({_listed(name) for name in _names(folder)} - {PROVENANCE})
    place.write_text(json.dumps(record, indent=2, sort_keys=True, allow_nan=False) + "\n", "utf-8")


def _is_marked(path: Path) -> bool:
    if path.stat().st_size == 0:
        return True  # nothing is lost
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        return any(re.match(start, data, re.DOTALL) and re.search(mark, data) for start, mark in MARKS.items())


def _listed_files(folder: Path) -> Callable[[str], object] | None:
    record = _json(folder / PROVENANCE)
    names = record.get(FILES)
    if not str(record.get(WRITTEN_BY, "")).startswith("cytoform ") or not isinstance(names, list):
        return None
    known = {PROVENANCE, *map(str, names)}
    return lambda name: _listed(name) in known


def _run_files(folder: Path) -> Callable[[str], object] | None:
    versions = _json(folder / PROVENANCE).get("versions")
    try:
        config = tomllib.loads((folder / "config.toml").read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    if not isinstance(versions, dict) or "cytoform" not in versions or "training" not in config:
        return None
    return RUN_FILE.fullmatch


def _store_files(folder: Path) -> Callable[[str], object] | None:
    attributes = _json(folder / "zarr.json").get("attributes")
    ours = attributes.get("cytoform") if isinstance(attributes, dict) else None
    return ZARR_FILE.fullmatch if isinstance(ours, dict) and ours.get("kind") == "shapes" else None


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


def _json(path: Path) -> dict[str, Any]:
    """An object of JSON; empty where the file holds none."""
    try:
        value = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}

"""Fingerprints of data sets, for the provenance of results."""

import hashlib
from pathlib import Path

from cytoform.base.gate import require_file


def folder_sha256(folder: Path) -> str:
    """SHA-256 over the names and bytes of all files in a folder, in sorted order, without the folder's own name."""
    whole = hashlib.sha256()
    for path in sorted(file for file in folder.rglob("*") if file.is_file()):
        whole.update(path.relative_to(folder).as_posix().encode(errors="surrogateescape") + b"\0")
        whole.update(bytes.fromhex(file_sha256(path)))
    return whole.hexdigest()


def file_sha256(path: Path) -> str:
    """SHA-256 of a regular file. Raises InputError for anything else, such as a pipe or a device, which may never end."""
    require_file(path)
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

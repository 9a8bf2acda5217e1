"""Fingerprints of data sets, for the provenance of results."""

import hashlib
from pathlib import Path


def folder_sha256(folder: Path) -> str:
    """SHA-256 over the names and bytes of all files in a folder, in sorted order, without the folder's own name."""
    whole = hashlib.sha256()
    for path in sorted(file for file in folder.rglob("*") if file.is_file()):
        whole.update(path.relative_to(folder).as_posix().encode() + b"\0")
        with path.open("rb") as file:
            whole.update(hashlib.file_digest(file, "sha256").digest())
    return whole.hexdigest()

"""Outputs that exist only when complete: written under a hidden name, then renamed."""

import contextlib
import fcntl
import glob
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cytoform.errors import InputError

# --overwrite replaces a folder only if it holds one of these files. A mistyped --out cannot delete a home directory.
MARKS = ("provenance.json", "zarr.json", "config.toml")
REPLACED = "replaced"


def refuse_existing(path: Path, *, overwrite: bool) -> None:
    """Raise InputError if `path` may not be written: it exists without `overwrite`, or cytoform did not write it."""
    if not path.parent.is_dir():
        raise InputError(f"{path.parent}: no such folder; create it first")
    if not os.access(path.parent, os.W_OK):
        raise InputError(f"{path.parent}: not writable; choose another --out")
    if not os.path.lexists(path):
        return
    if not overwrite:
        raise InputError(f"{path} exists; pass --overwrite to replace it, or choose another --out")
    if path.is_dir() and any(path.iterdir()) and not any((path / mark).exists() for mark in MARKS):
        raise InputError(
            f"{path} was not written by cytoform, so --overwrite does not replace it; choose another --out"
        )


@contextlib.contextmanager
def staged(path: Path, *, overwrite: bool = False, folder: bool = True) -> Iterator[Path]:
    """Yield a hidden path beside `path` to write to. It is renamed to `path` when the block ends without an exception.

    On any exception (a full disk, Ctrl-C) the hidden path is removed and an older output stays unchanged.
    """
    path = Path(path)
    clear_strays(path)
    refuse_existing(path, overwrite=overwrite)
    room = Path(tempfile.mkdtemp(prefix=f".{path.name}.partial-", dir=path.parent))
    lock = os.open(room, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):  # a file system without locks
            fcntl.flock(lock, fcntl.LOCK_EX)
        partial = room / path.name
        if folder:
            partial.mkdir()
        yield partial
        put_in_place(partial, path, aside=room / REPLACED)
    finally:
        shutil.rmtree(room, ignore_errors=True)
        os.close(lock)


def clear_strays(path: Path) -> None:
    """Remove staging folders of killed processes. If one was killed while it replaced `path`, the older output returns.

    A process locks its staging folder. The lock ends with the process.
    """
    for room in path.parent.glob(f".{glob.escape(path.name)}.partial-*"):
        if not room.is_dir():
            continue
        with contextlib.suppress(OSError):
            lock = os.open(room, os.O_RDONLY)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if os.path.lexists(room / REPLACED) and not os.path.lexists(path):
                    os.rename(room / REPLACED, path)
                shutil.rmtree(room, ignore_errors=True)
            finally:
                os.close(lock)


def put_in_place(new: Path, final: Path, *, aside: Path) -> None:
    """Rename a complete output to its final name. An older output moves to `aside` first, and back on failure."""
    if os.path.lexists(final):
        os.rename(final, aside)
    try:
        os.rename(new, final)
    except OSError:
        if os.path.lexists(aside):
            os.rename(aside, final)
        raise


def write_atomically(path: Path, data: bytes) -> None:
    """Write a file so that readers see the old or the new bytes, never a part, even after a power cut."""
    partial = path.with_name(f".{path.name}.partial-{os.getpid()}")
    try:
        with partial.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, path)
        _sync_folder(path.parent)
    finally:
        partial.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    """Flush the names in a folder to the disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):  # some network file systems cannot, and need not
            os.fsync(handle)
    finally:
        os.close(handle)


def write_json(path: Path, value: dict[str, Any]) -> None:
    """Write readable JSON; equal values give equal bytes."""
    write_atomically(path, (json.dumps(value, indent=2, sort_keys=True, allow_nan=False) + "\n").encode())

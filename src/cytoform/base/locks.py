"""A lock that a process holds on a file, and that ends with the process."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from cytoform.base.system import NO_LINK, lock_file, release_file
from cytoform.errors import InputError


@contextlib.contextmanager
def lock(path: Path, *, busy: str) -> Iterator[None]:
    """Hold the lock file `path`, which is made with its folder and removed at the end.

    Raises InputError with the message `busy` if another process, or another part of this one, holds it.
    """
    handle = _acquire(path, busy)
    try:
        yield
    finally:
        release_file(path, handle)


def _acquire(path: Path, busy: str) -> int:
    while True:
        path.parent.mkdir(exist_ok=True)
        with contextlib.suppress(FileNotFoundError):  # the holder before has removed the file, or its folder
            handle = os.open(path, os.O_RDWR | os.O_CREAT | NO_LINK, 0o666)
            try:
                lock_file(handle)
                if os.path.samestat(os.fstat(handle), os.stat(path)):
                    return handle
            except BlockingIOError:
                os.close(handle)
                raise InputError(busy) from None
            except BaseException:
                os.close(handle)
                raise
            os.close(handle)

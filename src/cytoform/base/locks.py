"""A lock that a process holds on a file, and that ends with the process."""

import contextlib
import errno
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from cytoform.errors import InputError

WITHOUT_LOCKS = {errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP}  # of some network file systems


@contextlib.contextmanager
def lock(path: Path, *, busy: str) -> Iterator[None]:
    """Hold the lock file `path`, which is made with its folder and removed at the end.

    Raises InputError with the message `busy` if another process, or another part of this one, holds it.
    """
    handle = _acquire(path, busy)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)  # while it is held: no one else can hold this file
        os.close(handle)


def _acquire(path: Path, busy: str) -> int:
    while True:
        path.parent.mkdir(exist_ok=True)
        with contextlib.suppress(FileNotFoundError):  # the holder before has removed the file, or its folder
            handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o666)
            try:
                _flock(handle)
                if os.path.samestat(os.fstat(handle), os.stat(path)):
                    return handle
            except BlockingIOError:
                os.close(handle)
                raise InputError(busy) from None
            except BaseException:
                os.close(handle)
                raise
            os.close(handle)


def _flock(handle: int) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as fault:
        if fault.errno not in WITHOUT_LOCKS:
            raise

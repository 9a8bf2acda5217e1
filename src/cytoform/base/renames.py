"""Renames that replace nothing unseen: onto a free name only, or in exchange for what stands there."""

import ctypes
import errno
import os
import sys
from pathlib import Path

from cytoform.base.system import POSIX, rename

HERE = -100  # AT_FDCWD of Linux
ONLY_NEW, EXCHANGE = 1, 2  # RENAME_NOREPLACE and RENAME_EXCHANGE of renameat2(2)
UNKNOWN = {errno.ENOSYS, errno.EINVAL, errno.ENOTSUP}  # the kernel or the file system has no such rename


def rename_new(source: Path, target: Path) -> None:
    """Rename a file or folder. Raises FileExistsError if there is anything at `target`, also if it has just appeared."""
    if _renameat2(source, target, ONLY_NEW):
        return
    if POSIX and not source.is_dir():
        os.link(source, target)
        os.unlink(source)
    elif os.path.lexists(target):
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target))
    else:
        rename(source, target)  # replaces nothing but an empty folder, on Windows nothing at all


def exchange(first: Path, second: Path) -> bool:
    """Exchange the names of two files or folders at once; False, and nothing done, where the system cannot."""
    return _renameat2(first, second, EXCHANGE)


def _renameat2(source: Path, target: Path, flag: int) -> bool:
    if sys.platform != "linux":
        return False
    call = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if call is None:
        return False
    if call(HERE, os.fsencode(source), HERE, os.fsencode(target), flag) == 0:
        return True
    number = ctypes.get_errno()
    if number in UNKNOWN:
        return False
    raise OSError(number, os.strerror(number), str(source), None, str(target))

"""A Linux process made to lack what macOS and Windows lack, in which commands run: `python other_system.py COMMANDS.json`.

No fcntl, no calls and signals that only POSIX or Linux has; folders cannot be opened; a file that is open or mapped can be
neither renamed nor removed, nor can the folders around it; a file opened as text without an encoding is a fault. The lock of
Windows is imitated on flock. What this cannot show: the paths, the code pages and the file systems of those systems.
"""

import contextlib
import errno
import functools
import json
import os
import shutil
import signal
import stat
import subprocess  # noqa: F401  (chooses by the modules of the system)
import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

MISSING = {
    os: ("sched_getaffinity", "posix_fallocate", "sync", "O_NONBLOCK", "O_NOFOLLOW", "O_DIRECTORY"),
    signal: ("SIGHUP", "SIGKILL", "pthread_sigmask"),
}


def take_away() -> None:
    """Make this process one of such a system, before cytoform is imported."""
    flock = _flock()
    for module, names in MISSING.items():
        for name in names:
            delattr(module, name)
    shutil._use_fd_functions = False
    os.cpu_count = lambda: 1
    os.open = _without_folders(os.open)
    for name in ("rename", "replace", "unlink", "remove", "rmdir"):
        setattr(os, name, _minding_open_files(getattr(os, name)))
    sys.modules["msvcrt"] = types.SimpleNamespace(LK_NBLCK=2, locking=flock)  # type: ignore[assignment]
    real = sys.modules.pop("fcntl")
    sys.modules["fcntl"] = None  # type: ignore[assignment]
    from cytoform.base import renames, system

    # Libraries choose by the name of the system, and need theirs.
    sys.modules["fcntl"] = real
    del sys.modules["msvcrt"]
    system.POSIX = renames.POSIX = False
    system.PATIENCE_S = 0.0
    renames.sys = types.SimpleNamespace(platform="win32")  # type: ignore[attr-defined]


def _flock() -> Callable[[int, int, int], None]:
    import fcntl

    def locking(handle: int, _mode: int, _n_bytes: int) -> None:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as fault:
            raise PermissionError(errno.EACCES, "locked") from fault

    return locking


def _without_folders(opened: Callable[..., int]) -> Callable[..., int]:
    @functools.wraps(opened)
    def call(path: Any, *arguments: Any, **options: Any) -> int:
        if os.path.isdir(path):
            raise PermissionError(errno.EACCES, "a folder cannot be opened", str(path))
        return opened(path, *arguments, **options)

    return call


def _minding_open_files(call: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(call)
    def checked(path: Any, *arguments: Any, **options: Any) -> None:
        for place in (path, *arguments[:1]):
            if held := _held_below(os.path.realpath(place)):
                raise PermissionError(errno.EACCES, f"in use: {held}", str(place))
        call(path, *arguments, **options)

    return checked


def _held_below(place: str) -> str | None:
    """A file at or below a place that this process has open or mapped."""
    held = []
    for handle in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):
            if stat.S_ISREG(os.fstat(int(handle)).st_mode):
                held.append(os.readlink(f"/proc/self/fd/{handle}"))
    held += [
        line.split(maxsplit=5)[5] for line in Path("/proc/self/maps").read_text("utf-8").splitlines() if "/" in line
    ]
    return next((name for name in held if name == place or name.startswith(place + os.sep)), None)


def main() -> None:
    """Run commands one after another, in this process; stop at the first that fails."""
    take_away()
    from cytoform.cli import run

    for command in json.loads(Path(sys.argv[1]).read_text("utf-8")):
        if status := run([*command, "--debug"]):
            sys.exit(f"{status}: {' '.join(command)}")


if __name__ == "__main__":  # worker processes import this file
    main()

"""Everything in which Linux, macOS and Windows differ: processors, locks, flushing to the disk, signals, open files.

Other modules use no call that only some systems have; a test keeps it so.
"""

import contextlib
import errno
import os
import signal
import time
from collections.abc import Callable, Iterable
from multiprocessing import resource_tracker
from pathlib import Path
from types import ModuleType

try:
    import fcntl
except ImportError:
    fcntl = None  # type: ignore[assignment]
try:
    import msvcrt
except ImportError:
    msvcrt: ModuleType | None = None  # type: ignore[no-redef]

POSIX = os.name == "posix"
# Flags that not all systems have: a pipe does not block, a link is not followed.
NO_WAITING, NO_LINK = getattr(os, "O_NONBLOCK", 0), getattr(os, "O_NOFOLLOW", 0)
WITHOUT_LOCKS = {errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP}  # of some network file systems
# A virus scanner or an indexer holds a new file open for a moment, and Windows moves no open file.
PATIENCE_S, PAUSE_S = 2.0, 0.05
COPY_BYTES = 1 << 24


def n_processors() -> int:
    """Processors that this process may use; where the system does not say, those of the machine."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def lock_file(handle: int) -> None:
    """Lock an open file until it is closed, or its process ends. Raises BlockingIOError where another has it locked.

    Does nothing on a file system without locks.
    """
    try:
        if fcntl is not None:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        elif msvcrt is not None:
            _lock_first_byte(msvcrt, handle)
    except OSError as fault:
        if fault.errno not in WITHOUT_LOCKS:
            raise


def release_file(path: Path, handle: int) -> None:
    """Remove a locked file and close it."""
    if POSIX:
        path.unlink(missing_ok=True)  # while it is locked: no one else can hold this file
        os.close(handle)
        return
    os.close(handle)
    with contextlib.suppress(PermissionError):  # Windows keeps a file that the next process has opened
        path.unlink(missing_ok=True)


def _lock_first_byte(windows: ModuleType, handle: int) -> None:
    """The lock of Windows, which is on a part of a file."""
    try:
        windows.locking(handle, windows.LK_NBLCK, 1)
    except PermissionError as fault:
        raise BlockingIOError(errno.EWOULDBLOCK, str(fault)) from None


def sync_folder(folder: Path) -> None:
    """Flush the names in a folder to the disk, where the system can."""
    with contextlib.suppress(OSError):  # Windows opens no folder; some network file systems cannot, and need not
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def sync_disks() -> None:
    """Flush all files to the disk, where the system can; Windows can do so only one file at a time."""
    if hasattr(os, "sync"):
        os.sync()


def reserve(path: Path) -> None:
    """Give a file of zeros its room on the disk: a full one is a fault now. Raises OSError with the name of the file."""
    size = path.stat().st_size
    with path.open("r+b") as file:
        try:
            if hasattr(os, "posix_fallocate"):
                os.posix_fallocate(file.fileno(), 0, size)
            else:
                _rewrite(path, file.fileno(), size)
        except OSError as fault:
            raise OSError(fault.errno, fault.strerror, str(path)) from None


def _rewrite(path: Path, handle: int, size: int) -> None:
    """Write a file over itself: the only way to take the room where a file may have holes."""
    with path.open("rb") as source:
        while source.tell() < size:
            data = memoryview(source.read(COPY_BYTES))
            while data:
                data = data[os.write(handle, data) :]


def rename(source: Path, target: Path) -> None:
    """`os.rename`, tried again for two seconds where a program holds a file open and the system minds."""
    _patiently(lambda: os.rename(source, target))


def replace(source: Path, target: Path) -> None:
    """`os.replace`, tried again as `rename` is."""
    _patiently(lambda: os.replace(source, target))


def _patiently(move: Callable[[], None]) -> None:
    ends = time.monotonic() + PATIENCE_S
    while True:
        try:
            return move()
        except PermissionError:
            if POSIX or time.monotonic() > ends:
                raise
        time.sleep(PAUSE_S)


def hold_back(signals: Iterable[int]) -> set[int]:
    """Block signals in this thread and in the processes that it starts, where the system can; returns those before."""
    if not hasattr(signal, "pthread_sigmask"):
        return set()
    return set(signal.pthread_sigmask(signal.SIG_BLOCK, set(signals)))


def let_through(signals: Iterable[int]) -> None:
    """Undo `hold_back` for these signals."""
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, set(signals))


def end_process(pid: int) -> None:
    """End a process at once; one that has ended is fine."""
    with contextlib.suppress(ProcessLookupError):
        # Windows has one way to end a process, and Python calls it SIGTERM.
        os.kill(pid, getattr(signal, "SIGKILL", signal.SIGTERM))


def start_resource_tracker() -> None:
    """Start Python's tracker of shared resources, which only POSIX systems have.

    Starting it later would unblock interrupts, and would warn of locks held by killed workers.
    """
    if POSIX:
        resource_tracker.ensure_running()

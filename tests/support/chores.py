"""Work for worker processes, which cannot import test modules."""

import errno
import os
import signal
import time
from pathlib import Path

from cytoform.errors import EmptyFrame


def write_square(n: int, folder: Path) -> int:
    (folder / str(n)).write_text(str(os.getpid()))
    return n * n


def fail(n: int) -> None:
    raise [EmptyFrame("movie.tif, frame 3: nothing"), OSError(errno.ENOSPC, "full", "a.zarr")][n]


def die() -> None:
    os._exit(9)


def die_once(n: int, folder: Path) -> int:
    """Number 2 kills its process the first time."""
    marker = folder / "died"
    if n == 2 and not marker.exists():
        marker.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return n


def die_at(n: int, which: int) -> int:
    if n == which:
        os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(0.05)
    return n

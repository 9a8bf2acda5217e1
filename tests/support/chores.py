"""Functions for worker processes, which cannot import test modules."""

import errno
import os
import signal
import sys
import time
from multiprocessing.synchronize import Event
from pathlib import Path

from cytoform.errors import EmptyFrame


def write_square(n: int, folder: Path) -> int:
    (folder / str(n)).write_text(str(os.getpid()))
    return n * n


def fail(n: int) -> None:
    raise [EmptyFrame("movie.tif, frame 3: nothing"), OSError(errno.ENOSPC, "full", "a.zarr")][n]


def die() -> None:
    os._exit(9)


def run_cytoform(arguments: list[str], begun: Event, kill_at: int = 0) -> None:
    """Run the command line; kill the process before its `kill_at`-th change to a file (0: never)."""
    from cytoform.cli import run

    begun.set()
    changes = iter(range(1, sys.maxsize))

    def watch(event: str, values: tuple[object, ...]) -> None:
        writes = event == "open" and isinstance(values[1], str) and set(values[1]) & set("wax+")
        if (writes or event in ("os.rename", "os.remove", "os.mkdir", "os.rmdir")) and next(changes) == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    if kill_at:
        sys.addaudithook(watch)
    sys.exit(run(arguments))


def die_once(n: int, folder: Path) -> int:
    """Kill the process at number 2, once."""
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

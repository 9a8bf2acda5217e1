"""Work for worker processes, which cannot import test modules."""

import errno
import os
from pathlib import Path

from cytoform.errors import EmptyFrame


def write_square(n: int, folder: Path) -> int:
    (folder / str(n)).write_text(str(os.getpid()))
    return n * n


def fail(n: int) -> None:
    raise [EmptyFrame("movie.tif, frame 3: nothing"), OSError(errno.ENOSPC, "full", "a.zarr")][n]


def die() -> None:
    os._exit(9)

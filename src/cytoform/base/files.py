"""Files that are written whole, or not at all."""

import json
import os
from pathlib import Path
from typing import Any

from cytoform.base.system import replace, sync_folder


def write_atomically(path: Path, data: bytes) -> None:
    """Write a file so that readers see the old or the new bytes, never a part, even after a power cut."""
    partial = path.with_name(f".{path.name}.partial-{os.getpid()}")
    try:
        with partial.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        replace(partial, path)
        sync_folder(path.parent)
    finally:
        partial.unlink(missing_ok=True)


def write_json(path: Path, value: dict[str, Any]) -> None:
    """Write readable JSON; equal values give equal bytes."""
    write_atomically(path, (json.dumps(value, indent=2, sort_keys=True, allow_nan=False) + "\n").encode())

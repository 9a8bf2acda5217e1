"""Files that are written whole, or not at all."""

import json
import os
import re
from pathlib import Path
from typing import Any

from cytoform.base.system import replace, sync_folder

NO_TEXT = re.compile("[\ud800-\udfff]")  # how Python shows the bytes of a file name that are no text


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
    """Write readable JSON; equal values give equal bytes. Bytes of file names that are no text are escaped (`as_json`)."""
    write_atomically(path, (json.dumps(as_json(value), indent=2, sort_keys=True, allow_nan=False) + "\n").encode())


def as_json(value: dict[str, Any]) -> dict[str, Any]:
    """The value with bytes of file names that are no text escaped: strict readers of JSON refuse them, and so does our gate."""
    text = json.dumps(value, ensure_ascii=False)
    found: dict[str, Any] = (
        json.loads(NO_TEXT.sub(lambda sign: rf"\\u{ord(sign[0]):x}", text)) if NO_TEXT.search(text) else value
    )
    return found

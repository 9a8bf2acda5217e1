"""Archives of published models: which files they hold, and reading them back safely.

Only the files of a run are taken, all at the top, without links, of a bounded size; none is executed or unpickled. What the
files hold is checked as for any run when it is loaded.
"""

import contextlib
import hashlib
import shutil
import tempfile
import zipfile
from pathlib import Path

from cytoform.base.gate import require_file
from cytoform.base.system import rename
from cytoform.datasets.archive import DamagedArchive, check_archive, unpack_archive
from cytoform.errors import InputError

CARD = "MODEL_CARD.md"
NEEDED = ("config.toml", "model.safetensors", "provenance.json")
FILES = (*NEEDED, "priors.safetensors", "parts.safetensors", "choice.json", "metrics.csv", CARD)
MOST_BYTES = 4 << 30


def is_model(path: Path) -> bool:
    """Whether a file is a zip archive with the weights of a model; other archives hold movies."""
    if path.suffix.lower() != ".zip" or not path.is_file() or not zipfile.is_zipfile(path):
        return False
    with contextlib.suppress(zipfile.BadZipFile, OSError, ValueError), zipfile.ZipFile(path) as zipped:
        return "model.safetensors" in zipped.namelist()
    return False


def check_model(path: Path) -> None:
    """Raise DamagedArchive for a file that is no archive of a model."""
    check_archive(path)
    try:
        with zipfile.ZipFile(path) as zipped:
            names, total = zipped.namelist(), sum(member.file_size for member in zipped.infolist())
    except (zipfile.BadZipFile, OSError, ValueError) as fault:
        raise DamagedArchive(f"a damaged zip archive ({fault})") from None
    if foreign := sorted(set(names) - set(FILES)):
        raise DamagedArchive(f"no published model: it holds {foreign[0][:80]!r}")
    if missing := sorted(set(NEEDED) - set(names)):
        raise DamagedArchive(f"no published model: it lacks {missing[0]}")
    if total > MOST_BYTES:
        raise DamagedArchive(
            f"no published model: it unpacks to {total / 1e9:.1f} GB, more than {MOST_BYTES / 1e9:.1f}"
        )


def unpacked(archive: Path, cache: Path) -> Path:
    """The run folder of an archive of a model: in the cache, by its checksum. Raises InputError."""
    require_file(archive)
    try:
        check_model(archive)
    except DamagedArchive as fault:
        raise InputError(f"{archive}: {fault}; give an archive of 'cytoform publish'") from None
    with archive.open("rb") as file:
        place = cache / hashlib.file_digest(file, "sha256").hexdigest()[:16] / archive.stem
    if not place.is_dir():
        place.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=place.parent, prefix=".new-") as folder:
            new = Path(folder) / "model"
            new.mkdir()
            _unpack(archive, new)
            _put(new, place)
    return place


def _unpack(archive: Path, new: Path) -> None:
    try:
        unpack_archive(archive, new)
    except DamagedArchive as fault:
        raise InputError(f"{archive}: {fault}; copy it again") from None


def _put(new: Path, place: Path) -> None:
    """Move a folder to a place where another process may have just put the same."""
    try:
        rename(new, place)
    except OSError:
        if not place.is_dir():
            raise
        shutil.rmtree(new)

"""Fetches a public data set: downloads it once and unpacks it into a folder."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from cytoform.base.files import write_json
from cytoform.base.lines import printable, without_secrets
from cytoform.base.output import Output
from cytoform.base.parallel import Progress, no_progress
from cytoform.base.provenance import software_versions
from cytoform.datasets.archive import DamagedArchive, check_archive, unpack_archive
from cytoform.datasets.catalogue import PublicDataset, check_address, find_dataset
from cytoform.datasets.download import Downloaded, Patience, download
from cytoform.errors import InputError

ARCHIVE = ".zip"


@dataclass(frozen=True)
class Fetched:
    """A fetched data set: its folder and the SHA-256 of the downloaded file."""

    dataset: PublicDataset
    path: Path
    sha256: str


def fetch(
    name: str,
    out: Path,
    *,
    sha256: str | None = None,
    mirror: str | None = None,
    cache: Path | None = None,
    patience: Patience = Patience(),  # noqa: B008 (frozen)
    overwrite: bool = False,
    progress: Progress = no_progress,
) -> Fetched:
    """Download the data set `name` (or the file at an https address) and unpack it into the folder `out`.

    A cached file is not downloaded again. `mirror` is the base address of a server with the same files. Raises
    InputError for anything the user can correct; then only the cache is written.
    """
    import pooch

    cache = cache or Path(pooch.os_cache("cytoform"))
    output = Output.at(out, inputs=[cache], overwrite=overwrite)
    output.check()
    dataset = find_dataset(name)
    if dataset.file_name in ("", ".", ".."):
        raise InputError(f"{printable(name)}: names no file; give the address of a file, such as .../cells.zip")
    is_archive = dataset.file_name.lower().endswith(ARCHIVE)
    found = download(
        dataset.url,
        cache=cache,
        address=dataset.at(check_address(mirror)) if mirror else None,
        sha256=sha256,
        check=check_archive if is_archive else lambda _: None,
        patience=patience,
        progress=progress,
    )
    with output.staged() as folder:
        if is_archive:
            _unpack(found, folder, progress)
        else:
            shutil.copyfile(found.path, folder / dataset.file_name)
        provenance = {
            "command": "cytoform fetch",
            "dataset": dataset.name,
            "url": without_secrets(dataset.url),
            "page": dataset.page,
            "sha256": found.sha256,
            "versions": software_versions(),
        }
        write_json(folder / "provenance.json", provenance)
    return Fetched(dataset, out, found.sha256)


def _unpack(found: Downloaded, folder: Path, progress: Progress) -> None:
    try:
        unpack_archive(found.path, folder, progress=progress)
    except DamagedArchive as fault:
        found.discard()
        raise InputError(
            f"{found.path}: {fault}; it was removed from the cache, call again to download it anew"
        ) from None

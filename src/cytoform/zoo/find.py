"""Trained models by name, from a published archive, or from an address with a checksum: each becomes a run folder.

zoo:NAME                       a model that comes with cytoform
NAME.zip                       an archive of `cytoform publish`, unpacked into the user's cache
https://…/NAME.zip#sha256=HEX  the same from a server; without the checksum it is refused
"""

import difflib
import re
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from cytoform.base.gate import Record, read_json
from cytoform.base.lines import printable
from cytoform.datasets.catalogue import check_address
from cytoform.datasets.download import download
from cytoform.errors import InputError
from cytoform.zoo.archive import check_model, is_model, unpacked

PREFIX = "zoo:"
WITH_CHECKSUM = re.compile(r"(.+)#sha256=([0-9a-fA-F]{64})")


@dataclass(frozen=True)
class PackagedModel:
    """A trained model that comes with cytoform; `name` begins with zoo: and stands for its run folder."""

    name: str
    title: str
    licence: str
    path: Path
    n_bytes: int


class _About(Record):
    title: str
    licence: str


class _Published(Record):
    published: _About


def models() -> list[PackagedModel]:
    """The trained models that come with cytoform."""
    return [_described(path) for path in sorted(_folder().iterdir()) if (path / "provenance.json").is_file()]


def find_run(source: str | Path) -> Path:
    """The run folder of a name, an archive or an address; any other path as it is. Raises InputError."""
    # A command line has made a path of it, with one slash.
    text = re.sub(r"^(https?:)/+", r"\1//", Path(source).as_posix() if isinstance(source, Path) else source)
    if text.startswith(PREFIX):
        return _packaged(text)
    if text.startswith(("https://", "http://")):
        return _downloaded(text)
    path = Path(source)
    return unpacked(path, _cache()) if is_model(path) else path


def _packaged(name: str) -> Path:
    known = {model.name: model.path for model in models()}
    if name in known:
        return known[name]
    near = difflib.get_close_matches(name[:80], known, n=1, cutoff=0.5)
    nearest = f"; did you mean {near[0]}?" if near else ""
    raise InputError(
        f"{printable(name)}: no model of this name comes with cytoform{nearest}; known: {', '.join(known)}"
    )


def _downloaded(text: str) -> Path:
    found = WITH_CHECKSUM.fullmatch(text)
    if found is None:
        raise InputError(f"{printable(text)}: a model from a server needs its checksum: give ADDRESS#sha256=HEX")
    address, sha256 = found.groups()
    file = download(check_address(address), cache=_cache(), sha256=sha256, check=check_model)
    return unpacked(file.path, _cache())


def _folder() -> Path:
    return Path(str(resources.files("cytoform") / "zoo" / "models"))


def _cache() -> Path:
    import pooch

    return Path(pooch.os_cache("cytoform")) / "models"


def _described(path: Path) -> PackagedModel:
    about = read_json(path / "provenance.json", _Published, remedy="install cytoform again").published
    n_bytes = sum(file.stat().st_size for file in path.iterdir())
    return PackagedModel(f"{PREFIX}{path.name}", about.title, about.licence, path, n_bytes)

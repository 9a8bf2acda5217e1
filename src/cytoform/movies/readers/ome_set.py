"""OME-TIFF images in several files: which files belong together, and which are missing.

Each file names all of them in its OME-XML (TiffData/UUID), or a companion file that does (BinaryOnly).
https://ome-model.readthedocs.io/en/stable/ome-tiff/specification.html
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from xml.etree import ElementTree

from cytoform.base.gate import read_text
from cytoform.errors import InputError

COMPANION = ".companion.ome"


@dataclass(frozen=True)
class OmeSet:
    """The files of one image, in the order of its planes, and the file whose metadata describe it."""

    files: tuple[Path, ...]
    metadata: Path

    @property
    def name(self) -> str:
        """The common part of the names of the files."""
        letters = zip(*(path.name.partition(".")[0] for path in self.files), strict=False)
        common = "".join(one for one, *others in takewhile(lambda column: len(set(column)) == 1, letters))
        return re.sub(r"[\W_]*[tTzZcC]?[\W_]*$", "", common) or self.files[0].parent.name


def companion_of(path: Path, xml: str) -> str | None:
    """The OME-XML of the companion file, if the OME-XML of a TIFF refers to one. Raises InputError if it is missing."""
    if "BinaryOnly" not in xml:
        return None
    for node in _root(xml).iter():
        if node.tag.endswith("BinaryOnly"):
            companion = path.parent / Path(node.get("MetadataFile", "")).name
            try:
                return read_text(companion)
            except InputError:
                raise InputError(
                    f"{path}: its metadata are in {companion.name}, which is not beside it; copy both into one folder"
                ) from None
    return None


def ome_set(path: Path, xml: str) -> OmeSet | None:
    """The set that an OME-TIFF belongs to; None for one that stands alone. Raises InputError if files are missing.

    `xml` is the OME-XML of the file or of its companion.
    """
    if "<UUID" not in xml and ":UUID" not in xml:
        return None
    root = _root(xml)
    own, pixels = root.get("UUID"), [node for node in root.iter() if node.tag.endswith("}Pixels")]
    named: dict[str, str] = {}
    for data in sorted(_tiff_data(pixels[:1]), key=_place):
        for uuid in data:
            if uuid.tag.endswith("}UUID") and uuid.text:
                named.setdefault(uuid.text, path.name if uuid.text == own else Path(uuid.get("FileName", "")).name)
    if len(named) < 2:
        return None
    files = tuple(path.parent / name for name in dict.fromkeys(named.values()))
    if missing := [file for file in files if not file.is_file()]:
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        raise InputError(
            f"{path}: one of {len(files)} files of an OME-TIFF set, of which {missing[0].name}{more} "
            f"{'are' if more else 'is'} missing; copy all files of the set into one folder, with their names"
        )
    return OmeSet(files, path)


def first_file(companion: Path) -> Path:
    """The first TIFF that a companion file names. Raises InputError if it names none that is there."""
    try:
        root = _root(read_text(companion))
    except (InputError, ElementTree.ParseError):
        raise InputError(f"{companion}: not a readable companion file; give the TIFF files themselves") from None
    names = [Path(node.get("FileName", "")).name for node in root.iter() if node.tag.endswith("}UUID")]
    for name in names:
        if name and (companion.parent / name).is_file():
            return companion.parent / name
    raise InputError(f"{companion}: the TIFF files that it names are not beside it; copy all into one folder")


def _root(xml: str) -> ElementTree.Element:
    return ElementTree.fromstring(xml.encode())


def _tiff_data(pixels: Iterable[ElementTree.Element]) -> list[ElementTree.Element]:
    return [node for image in pixels for node in image if node.tag.endswith("}TiffData")]


def _place(data: ElementTree.Element) -> tuple[int, ...]:
    return tuple(int(data.get(f"First{axis}", 0)) for axis in "TZC")

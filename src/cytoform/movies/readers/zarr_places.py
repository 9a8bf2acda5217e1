"""Groups and arrays in Zarr folders and zip files, and the true reason why one cannot be read."""

import contextlib
import json
import warnings
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import zarr
from zarr.errors import ZarrUserWarning
from zarr.storage import ZipStore

from cytoform.base.codecs import checked_codecs
from cytoform.base.gate import read_bytes
from cytoform.base.kinds import ZARR_MARKS
from cytoform.errors import InputError

Node = zarr.Group | zarr.Array[Any]


@dataclass(frozen=True)
class Place:
    """A group or array in a Zarr folder, or in a zip file at `inner`."""

    path: Path
    inner: str = ""

    def __truediv__(self, name: str) -> "Place":
        if self.path.is_dir():
            return Place(self.path / name)
        return Place(self.path, f"{self.inner}/{name}".strip("/"))

    def __str__(self) -> str:
        return str(self.path / self.inner)

    @property
    def parent(self) -> "Place":
        """The group around."""
        if self.path.is_dir():
            return Place(self.path.parent)
        return Place(self.path, self.inner.rpartition("/")[0])

    @property
    def name(self) -> str:
        """Last part of the path."""
        return self.inner.rpartition("/")[2] or self.path.name

    @contextlib.contextmanager
    def opened(self) -> Iterator[Node]:
        """The open group or array. Raises InputError with the reason if there is none, or if it cannot be read."""
        try:
            with checked_codecs():
                if self.path.is_dir():
                    yield zarr.open(self.path, mode="r")
                else:
                    with zipfile.ZipFile(self.path):  # tells what is wrong with the file; a ZipStore does not
                        store = ZipStore(self.path, mode="r")
                    with contextlib.closing(store):
                        yield zarr.open(store, path=self.inner, mode="r")
        except (MemoryError, InputError):
            raise
        except Exception as fault:
            raise InputError(f"{self}: {self._reason(fault)}") from None

    def _reason(self, fault: Exception) -> str:
        text = str(fault)
        if isinstance(fault, zipfile.BadZipFile):
            return "not a whole zip file; copy or zip it again"
        if isinstance(fault, OSError) and fault.strerror and not isinstance(fault, FileNotFoundError):
            return f"{fault.strerror}; copy or write it again"
        if "codec" in text.lower():
            return f"compressed by a codec that is not there ({text.splitlines()[0][:80]}); write it again with zstd or zlib"
        metadata = [mark for mark in ZARR_MARKS if (self.path / mark).is_file()] if self.path.is_dir() else []
        for mark in metadata:
            try:
                version = json.loads(read_bytes(self.path / mark)).get("zarr_format")
            except (InputError, ValueError, AttributeError, RecursionError):
                return f"its metadata ({mark}) are damaged; copy or write it again"
            if isinstance(version, int) and version > 3:
                return f"Zarr format {version}, which is newer than the formats 2 and 3 that are known; update cytoform"
        if not metadata:
            return "no Zarr metadata (zarr.json, .zgroup or .zarray); copy the whole folder, hidden files too"
        return "its metadata, or those of a group in it, are damaged; copy or write it again"


def zip_place(path: Path) -> Place:
    """The outermost group or array of a zip file; zip programs may put a folder around it. Raises InputError."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except MemoryError:
        raise
    except Exception:
        # Among others names that are no UTF-8.
        raise InputError(f"{path}: not a whole zip file; copy or zip it again") from None
    groups = [folder for folder, _, name in (name.rpartition("/") for name in names) if name in ZARR_MARKS]
    if not groups:
        raise InputError(f"{path}: a zip file without Zarr inside; unpack it and give the label images")
    return Place(path, min(groups, key=lambda folder: (folder.count("/") + bool(folder), folder)))


def ome_of(group: zarr.Group) -> Mapping[str, Any]:
    """OME metadata: under "ome" in version 0.5, plain in 0.4."""
    attributes: dict[str, Any] = group.attrs.asdict()
    ome = attributes.get("ome", attributes)
    return ome if isinstance(ome, Mapping) else {}


def image_in(place: Place) -> Place:
    """The image, label image or plain array in a place. Raises InputError if there are several, or none.

    Of an image with labels/, that is its one label image.
    """
    with place.opened() as node, warnings.catch_warnings():
        # Files of other programs in a Zarr folder are no news.
        warnings.simplefilter("ignore", ZarrUserWarning)
        if isinstance(node, zarr.Array):
            return place
        ome, keys = ome_of(node), sorted(node.keys())
        attributes: dict[str, Any] = node.attrs.asdict()
    if "plate" in ome or "well" in ome:
        raise InputError(f"{place}: {_plate(place, ome)}")
    if "geff" in attributes:
        raise InputError(f"{place}: tracks (GEFF), not a label movie; give the movie that lies beside it")
    if "labels" in keys and "labels" not in ome:
        return image_in(place / "labels")
    if isinstance(ome.get("labels"), list):
        return _only(place, [str(name) for name in ome["labels"]], "label image")
    if "multiscales" in ome:
        return place
    # bioformats2raw puts images into 0, 1, … and says so; other programs give arrays and groups any name.
    series = [key for key in keys if key.isdecimal()] if "bioformats2raw.layout" in ome or "OME" in keys else keys
    return _only(place, series, "label image" if place.name == "labels" else "image")


def _only(place: Place, names: list[str], noun: str) -> Place:
    if len(names) == 1:
        return image_in(place / names[0])
    found = ", ".join(names[:6]) + ", …" * (len(names) > 6) or "none"
    raise InputError(f"{place}: one {noun} is needed but it has {found}; give {place}/NAME")


def _plate(place: Place, ome: Mapping[str, Any]) -> str:
    kind, entry = ("plate of wells", "wells") if "plate" in ome else ("well of images", "images")
    try:
        first = str(ome["plate" if "plate" in ome else "well"][entry][0]["path"])
    except (KeyError, IndexError, TypeError):
        first = "NAME"
    inner = f"{first}/0" if "plate" in ome else first
    return f"a {kind}, not one movie; give each image alone, such as {place / inner}"

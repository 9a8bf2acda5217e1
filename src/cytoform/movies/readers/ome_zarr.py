"""OME-Zarr up to 0.5 and plain Zarr arrays, in folders and zip files: a label image, or an image with one label image."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from jaxtyping import Shaped

from cytoform.base.triples import IntTriple
from cytoform.errors import InputError
from cytoform.movies.metadata import GivenScale, RecordedScale, contradict, from_ome_zarr, sizes_text
from cytoform.movies.movie import MAX_FRAME_VOXELS, LabelMovie, check_size
from cytoform.movies.readers.axes import Layout, layout
from cytoform.movies.readers.faults import ALWAYS_FINE, check_claim
from cytoform.movies.readers.stack import Stack, label_movie
from cytoform.movies.readers.zarr_places import Place, image_in, ome_of, zip_place

NEWEST = (0, 5)
# Until 0.2 the axes were not recorded, because they were always these.
FORMER_AXES = ("t", "c", "z", "y", "x")


@dataclass(frozen=True)
class ZarrFrames:
    """Reads frames of a Zarr array as stored."""

    place: Place
    array: str
    layout: Layout

    @property
    def n_frames(self) -> int:
        """Number of frames."""
        return self.layout.n_frames or 1

    def __call__(self, frame: int) -> Shaped[np.ndarray, "z y x"]:
        where = f"{self.place}, frame {frame}"
        if not 0 <= frame < self.n_frames:
            raise InputError(f"{where}: the movie has the frames 0 to {self.n_frames - 1}")
        try:
            with self.place.opened() as node:
                values = np.asarray(_array(node, self.array)[self.layout.index(frame)])
        except MemoryError:
            raise
        except Exception:
            # Codecs raise arbitrary exceptions on damaged chunks.
            raise InputError(f"{where}: the array cannot be read; copy or write it again") from None
        return self.layout.ordered(values)


@dataclass(frozen=True)
class ZarrImage:
    """A Zarr image of grey values or labels, 2D (one plane) or 3D, over time."""

    path: Path
    layout: Layout
    dtype: np.dtype[Any]
    recorded: RecordedScale
    read: ZarrFrames
    notices: tuple[str, ...] = ()

    @property
    def n_frames(self) -> int:
        """Number of frames."""
        return self.read.n_frames

    @property
    def shape_zyx(self) -> IntTriple:
        """Shape of a frame."""
        return self.layout.shape_zyx


def open_ome_zarr(path: Path, *, given: GivenScale) -> LabelMovie:
    """Open a label image; `path` is its group, an image with exactly one label image, a plain array, or a zip of these."""
    place = image_in(Place(path) if path.is_dir() else zip_place(path))
    image = _with_scale_of_image(place, _open(place, axes=given.axes), given)
    return label_movie(
        Stack(
            name=_image_name(place),
            source=str(place),
            layout=image.layout,
            dtype=image.dtype,
            recorded=image.recorded,
            frames=image.read,
            n_frames=image.n_frames,
            notices=image.notices,
        ),
        given,
    )


def label_group(path: Path) -> Path:
    """The group of the one label image in `path`, or `path` itself if it has no labels/. Raises InputError."""
    return image_in(Place(path)).path


def open_image(path: Path) -> ZarrImage:
    """Open the first resolution level of an image or label image, 2D or 3D."""
    return _open(Place(path))


def _open(place: Place, *, axes: str | None = None) -> ZarrImage:
    where = str(place)
    with place.opened() as node:
        multiscale = _multiscale(node, where)
        notices = _several_multiscales(node, where)
        try:
            if multiscale:
                multiscale["datasets"] = _finest_first(node, multiscale["datasets"])
            name = str(multiscale["datasets"][0]["path"]) if multiscale else ""
            array = _array(node, name)
            stored = "".join(_letter(axis) for axis in _axis_names(multiscale, array))
            recorded = from_ome_zarr(multiscale) if multiscale else RecordedScale()
            if len(stored) != array.ndim:
                raise ValueError("as many axes as dimensions are needed")
        except Exception:
            raise InputError(f"{where}: its OME-Zarr metadata are damaged; write it again") from None
        found = layout(stored, array.shape, where, given=axes)
        check_size(found.shape_zyx, where)
        # Zarr decodes a chunk as a whole, even for a single frame.
        chunk = prod(array.chunks)
        if chunk > MAX_FRAME_VOXELS:
            raise InputError(f"{where}: chunks of {array.chunks} are too large; write it again with a chunk a frame")
        if (n_bytes := max(chunk, prod(found.shape_zyx)) * array.dtype.itemsize) > ALWAYS_FINE:
            check_claim(n_bytes, _stored(place.path), where)
        return ZarrImage(place.path, found, array.dtype, recorded, ZarrFrames(place, name, found), notices)


def _finest_first(node: zarr.Group | zarr.Array[Any], datasets: list[Any]) -> list[Any]:
    """The levels of an image, the one with most voxels first; the order of equal ones stays."""
    return (
        sorted(datasets, key=lambda level: -prod(_array(node, str(level["path"])).shape))
        if len(datasets) > 1
        else datasets
    )


def _several_multiscales(node: zarr.Group | zarr.Array[Any], where: str) -> tuple[str, ...]:
    """A notice if a group holds several images."""
    images = ome_of(node).get("multiscales", ()) if isinstance(node, zarr.Group) else ()
    if not isinstance(images, list) or len(images) < 2:
        return ()
    name = images[0].get("name") if isinstance(images[0], dict) else None
    return (
        f"{where}: {len(images)} images in one group; the first{f' ({name})' if name else ''} is read, save it alone",
    )


def _multiscale(node: zarr.Group | zarr.Array[Any], where: str) -> dict[str, Any]:
    """The metadata of an image, {} for a plain array. Raises InputError for those of a newer version."""
    if isinstance(node, zarr.Array):
        return {}
    ome = ome_of(node)
    try:
        multiscale: dict[str, Any] = dict(ome["multiscales"][0])
    except (KeyError, IndexError, TypeError, ValueError):
        raise InputError(f"{where}: its OME-Zarr metadata are damaged or missing; write it again") from None
    version = str(ome.get("version") or multiscale.get("version") or "0.4")
    numbers = [int(part) for part in version.split("-")[0].split(".")[:2] if part.isdecimal()]
    if tuple(numbers) > NEWEST:
        raise InputError(
            f"{where}: OME-Zarr {version}, which is newer than 0.5, the newest that is known; export it as 0.5 or 0.4"
        )
    if "axes" not in multiscale:
        multiscale["axes"] = list(FORMER_AXES)
    if isinstance(multiscale["axes"], list):
        multiscale["axes"] = [{"name": axis} if isinstance(axis, str) else axis for axis in multiscale["axes"]]
    return multiscale


def _axis_names(multiscale: Mapping[str, Any], array: zarr.Array[Any]) -> list[str]:
    """Names of the axes: of OME-Zarr, else of the array (Zarr 3, or xarray in Zarr 2), else empty."""
    if multiscale:
        return [str(axis["name"]) for axis in multiscale["axes"]]
    names = getattr(array.metadata, "dimension_names", None) or array.attrs.get("_ARRAY_DIMENSIONS") or ()
    listed = [str(name or "") for name in names] if isinstance(names, list | tuple) else []
    return listed if len(listed) == array.ndim else [""] * array.ndim


def _letter(name: str) -> str:
    """`t` or `time` -> T; names that say nothing -> Q."""
    letter = name[:1].upper()
    known = letter in "TCZYX" and (len(name) == 1 or name.lower() in ("time", "channel"))
    return letter if known else "Q" if name.startswith("dim") or not name else "R"


def _with_scale_of_image(place: Place, labels: ZarrImage, given: GivenScale) -> ZarrImage:
    """Labels without a scale of their own have that of their image. Raises InputError if the two contradict each other.

    ome-zarr writes 1 for labels whose scale nobody gave (ome-zarr-py issue 65).
    """
    around = place.parent.parent
    if place.parent.name != "labels":
        return labels
    try:
        image = _open(around)
    except InputError:
        return labels
    own, of_image = labels.recorded.spacing_zyx_um, image.recorded.spacing_zyx_um
    if of_image is None or (own is not None and not contradict(own, of_image)):
        return labels
    ratios = [theirs / ours for theirs, ours in zip(image.shape_zyx, labels.shape_zyx, strict=True)]
    z, y, x = (size * ratio for size, ratio in zip(of_image, ratios, strict=True))
    other = (z, y, x)
    if own is not None and not any(abs(a - b) * n > a for a, b, n in zip(own, other, labels.shape_zyx, strict=True)):
        # A coarser or finer grid with the extent of the image.
        return labels
    is_pyramid = all(abs(max(r, 1 / r) - round(max(r, 1 / r))) < 0.02 for r in ratios)
    if own not in (None, (1.0, 1.0, 1.0)) or not is_pyramid:
        if own is None or given.spacing_zyx_um is not None:
            return labels
        raise InputError(
            f"{place}: voxels of {sizes_text(own)} µm, but {sizes_text(of_image)} µm in its image {around}; pass the right "
            "--voxel-size"
        )
    step = image.recorded.time_step_s if image.n_frames == labels.n_frames else labels.recorded.time_step_s
    notice = f"{place}: no scale of its own; {sizes_text(other)} µm is taken from its image {around}"
    recorded = replace(
        image.recorded, spacing_zyx_um=other, time_step_s=step, source=f"{image.recorded.source} of the image"
    )
    return replace(labels, recorded=recorded, notices=() if given.spacing_zyx_um else (notice,))


def _image_name(place: Place) -> str:
    """Name of the image that a group is, or that a label group belongs to."""
    image = place.parent.parent if place.parent.name == "labels" else place
    if image.name == "labels":
        image = image.parent
    if image.path.is_dir() and image.name.isdecimal() and (image.parent.path / "OME").is_dir():
        image = image.parent
    name = image.path.name if not image.path.is_dir() else image.name
    return name.removesuffix(".zip").removesuffix(".ozx").removesuffix(".zarr").removesuffix(".ome")


def _array(node: zarr.Group | zarr.Array[Any], name: str) -> zarr.Array[Any]:
    array = node[name] if isinstance(node, zarr.Group) else node
    if not isinstance(array, zarr.Array):
        raise TypeError(f"{name} is not an array")
    return array


def _stored(path: Path) -> int:
    """Size of a file, or of all files in a folder, in bytes."""
    return path.stat().st_size if path.is_file() else sum(p.stat().st_size for p in path.rglob("*") if p.is_file())

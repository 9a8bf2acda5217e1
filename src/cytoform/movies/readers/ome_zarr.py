"""OME-Zarr 0.4 and 0.5: a label image, or an image with one label image."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import zarr

from cytoform.base.triples import IntTriple
from cytoform.errors import InputError
from cytoform.movies.metadata import GivenScale, RecordedScale, from_ome_zarr, resolve_scale
from cytoform.movies.movie import (
    MAX_FRAME_VOXELS,
    LabelMovie,
    Labels,
    as_labels,
    check_dtype,
    check_shape,
    check_size,
    safe_name,
)


@dataclass(frozen=True)
class ZarrFrames:
    """Reads frames of a Zarr array with axes t z y x; `index` holds None for t and 0 for axes of length one."""

    path: Path
    array: str
    shape_zyx: IntTriple
    index: tuple[int | None, ...]
    n_frames: int

    def __call__(self, frame: int) -> Labels:
        where = f"{self.path}, frame {frame}"
        if not 0 <= frame < self.n_frames:
            raise InputError(f"{where}: the movie has the frames 0 to {self.n_frames - 1}")
        try:
            array = _array(zarr.open_group(self.path, mode="r"), self.array)
            values = array[tuple(frame if at is None else at for at in self.index)]
        except (MemoryError, InputError):
            raise
        except Exception:
            # Codecs raise arbitrary exceptions on damaged chunks.
            raise InputError(f"{where}: the array cannot be read; copy or write it again") from None
        return np.asarray(values).reshape(self.shape_zyx)


@dataclass(frozen=True)
class ZarrLabels:
    """Reads frames of a Zarr array as uint16 labels."""

    frames: ZarrFrames

    def __call__(self, frame: int) -> Labels:
        return as_labels(self.frames(frame), f"{self.frames.path}, frame {frame}")


@dataclass(frozen=True)
class ZarrImage:
    """An OME-Zarr image of grey values or labels, 2D (one plane) or 3D, over time."""

    path: Path
    n_frames: int
    shape_zyx: IntTriple
    dtype: np.dtype[Any]
    recorded: RecordedScale
    read: ZarrFrames


def open_ome_zarr(path: Path, *, given: GivenScale) -> LabelMovie:
    """Open a label image; `path` is its group, or an image with exactly one label image under labels/."""
    group_path = label_group(path)
    image = open_image(group_path)
    check_dtype(image.dtype, str(group_path))
    if not given.flat:
        check_shape(image.shape_zyx, str(group_path))
    scale = resolve_scale(image.recorded, given, str(group_path))
    return LabelMovie(
        name=safe_name(_image_name(group_path)),
        source=str(group_path),
        n_frames=image.n_frames,
        shape_zyx=image.shape_zyx,
        spacing_zyx_um=scale.spacing_zyx_um,
        time_step_s=scale.time_step_s,
        lineage=None,
        read=ZarrLabels(image.read),
    )


def open_image(path: Path) -> ZarrImage:
    """Open the first resolution level of an image or label image."""
    try:
        group = zarr.open_group(path, mode="r")
        multiscale = _ome(group)["multiscales"][0]
        array_name = str(multiscale["datasets"][0]["path"])
        array = _array(group, array_name)
        axes = [str(axis["name"]) for axis in multiscale["axes"]]
        recorded = from_ome_zarr(multiscale)
    except Exception:
        raise InputError(f"{path}: its OME-Zarr metadata is damaged or older than 0.4; write it again") from None
    n_frames, shape, index = _layout(axes, array.shape, str(path))
    check_size(shape, str(path))
    # Zarr decodes a chunk as a whole, even for a single frame.
    if np.prod(array.chunks, dtype=object) > MAX_FRAME_VOXELS:
        raise InputError(f"{path}: chunks of {array.chunks} are too large; write it again with a chunk a frame")
    return ZarrImage(path, n_frames, shape, array.dtype, recorded, ZarrFrames(path, array_name, shape, index, n_frames))


def _image_name(group_path: Path) -> str:
    """Name of the image that a group is, or that a label group belongs to."""
    image = group_path.parent.parent if group_path.parent.name == "labels" else group_path
    return image.name.removesuffix(".zarr").removesuffix(".ome")


def label_group(path: Path) -> Path:
    """The group of the one label image in `path`, or `path` itself if it has no labels/. Raises InputError."""
    try:
        group = zarr.open_group(path, mode="r")
    except Exception:
        raise InputError(f"{path}: not a readable Zarr group; give an OME-Zarr image or label image") from None
    try:
        within = path / "labels" if "labels" in group else path
        names = _ome(zarr.open_group(within, mode="r")).get("labels")
        if names is None and within != path:
            names = sorted(zarr.open_group(within, mode="r").group_keys())
    except Exception:
        raise InputError(f"{path}: its OME-Zarr metadata is damaged; write it again") from None
    if names is None:
        return path
    if len(names) != 1:
        found = ", ".join(str(name) for name in names) or "none"
        raise InputError(f"{path}: one label image is needed but it has {found}; give {within}/NAME")
    return within / str(names[0])


def _ome(group: zarr.Group) -> Mapping[str, Any]:
    """OME metadata: under "ome" in version 0.5, plain in 0.4."""
    attributes: dict[str, Any] = group.attrs.asdict()
    ome: Mapping[str, Any] = attributes.get("ome", attributes)
    return ome


def _array(group: zarr.Group, name: str) -> zarr.Array[Any]:
    array = group[name]
    if not isinstance(array, zarr.Array):
        raise TypeError(f"{name} is not an array")
    return array


def _layout(axes: list[str], shape: tuple[int, ...], where: str) -> tuple[int, IntTriple, tuple[int | None, ...]]:
    """Number of frames, frame shape and frame index. Raises InputError unless axes are t z y x or t c z y x."""
    sizes = dict(zip(axes, shape, strict=True))
    kept = [axis for axis in axes if axis in "tzyx" or sizes[axis] > 1]
    if [axis for axis in kept if axis not in "tz"] != ["y", "x"] or kept != sorted(kept, key="tzyx".find):
        raise InputError(f"{where}: axes {' '.join(axes)} of shape {shape}; t z y x and a single channel are needed")
    index = tuple({"t": None}.get(axis, 0) for axis in axes if axis not in "zyx")
    return sizes.get("t", 1), (sizes.get("z", 1), sizes["y"], sizes["x"]), index

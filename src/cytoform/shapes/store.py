"""The shape store: signed distances and masks of cell sequences, one OME-Zarr 0.5 image a sequence.

NAME.zarr/                    attributes {"cytoform": {...}}: scale, band, origin of the data
  SEQUENCE/                   OME-Zarr image, axes t z y x, in µm and s
    latent/code               float32, the latent code that it was rendered from, if any; further variables beside it
    sdf                       float16, signed distance in µm, truncated at ± band
    labels/mask/0             uint8, 1 inside
"""

import math
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Any, cast

import numpy as np
import zarr
from jaxtyping import Bool, Float

import cytoform
from cytoform.base.kinds import Kind, wrong_kind
from cytoform.base.ome import OmeMovie
from cytoform.base.triples import Triple, int_triple
from cytoform.errors import InputError
from cytoform.shapes.box import BoxedField, bounding_box
from cytoform.shapes.grid import Grid
from cytoform.shapes.mesh import Mesh

FORMAT = 1
LATENT = "latent"
# (Largest grid, side of a chunk): few chunks per frame, since each costs milliseconds, but small ones around the cell.
CHUNKS = ((96, 96), (192, 64), (math.inf, 128))
SMALLEST_UM = np.finfo(np.float16).smallest_subnormal  # the smallest distance that is not stored as 0


@dataclass(frozen=True)
class SequenceInfo:
    """Metadata of a sequence."""

    name: str
    n_frames: int
    time_step_s: float | None = None
    source: str = ""
    # Position of the cube's centre in the movie, per frame, in µm.
    offsets_zyx_um: tuple[Triple, ...] = ()
    # Rotation from a generated cell to the canonical orientation of its run (representations/rotation.py).
    rotation_wxyz: tuple[float, float, float, float] | None = None
    # Further JSON values: the position along an interpolation path, say.
    details: dict[str, Any] = field(default_factory=dict)


class ShapeSequence:
    """One sequence of a store, read and written frame by frame."""

    def __init__(self, group: zarr.Group, grid: Grid, band_um: float) -> None:
        self.grid = grid
        self.band_um = band_um
        self.info = _info(group)
        self._group = group
        self._sdf = _array(group, "sdf")
        self._mask = _array(group, "labels/mask/0")
        expected = (self.info.n_frames, *grid.shape)
        for array, dtype in ((self._sdf, np.float16), (self._mask, np.uint8)):
            if array.shape != expected or array.dtype != dtype:
                found = f"{array.dtype} of shape {array.shape} instead of {np.dtype(dtype)} of {expected}"
                raise _damaged(_place(array), found)

    def sdf_um(self, frame: int) -> Float[np.ndarray, "z y x"]:
        """Signed distance of a frame in µm, negative inside, truncated at ± `band_um`."""
        return np.asarray(self._read(self._sdf, (frame,)), np.float32)

    def mask(self, frame: int) -> Bool[np.ndarray, "z y x"]:
        """Occupancy of a frame: distance ≤ 0."""
        return self._read(self._mask, (frame,)).astype(bool)

    def meshes(self) -> Iterator[Mesh | None]:
        """The surface of every frame, None where it is empty; reads only the chunks that hold the cell."""
        return (self.box(frame).mesh() for frame in range(self.info.n_frames))

    def box(self, frame: int) -> BoxedField:
        """The chunks of a frame that hold the cell. Memory grows with the cell, not with the grid."""
        side, outside = self._sdf.chunks[-1], np.float16(self.band_um)
        blocks = {}
        for corner in product(range(0, self.grid.size, side), repeat=3):
            block = self._read(self._sdf, (frame, *(slice(low, low + side) for low in corner)))
            # Values beyond the band do not occur. Comparing bits is twenty times as fast as comparing half floats.
            if (block.view(np.uint16) != outside.view(np.uint16)).any():
                blocks[corner] = block
        if not blocks:
            return BoxedField(self.grid, (0, 0, 0), np.empty((0, 0, 0), np.float32), float(outside))
        low = np.min(list(blocks), axis=0)
        high = np.max([np.add(corner, block.shape) for corner, block in blocks.items()], axis=0)
        whole = np.full(high - low, outside, np.float32)
        for corner, block in blocks.items():
            start = corner - low
            whole[tuple(slice(s, s + n) for s, n in zip(start, block.shape, strict=True))] = block
        return BoxedField(self.grid, int_triple(low), whole, float(outside))

    @property
    def latent(self) -> dict[str, np.ndarray]:
        """Arrays that the sequence was rendered from: the latent "code", and further variables by name. Empty if none."""
        if LATENT not in self._group:
            # Stores of version 0.1.0 keep the code among the details.
            code = self.info.details.get("code")
            return {} if code is None else {"code": np.array(code, np.float32)}
        group = cast(zarr.Group, self._group[LATENT])
        return {
            name: self._read(_array(group, name), (slice(None),) * _array(group, name).ndim) for name in sorted(group)
        }

    def _read(self, array: zarr.Array[Any], where: tuple[int | slice, ...]) -> np.ndarray:
        try:
            return np.asarray(array[where])
        except (OSError, ValueError, RuntimeError) as fault:
            raise _damaged(f"{_place(array)}, frame {where[0]}", fault) from None

    def write(self, frame: int, sdf_um: Float[np.ndarray, "z y x"]) -> None:
        """Write a whole frame. Several processes may write different frames at the same time."""
        near = bounding_box(sdf_um < self.band_um)
        corner_zyx = int_triple(side.start for side in near)
        self.write_box(frame, BoxedField(self.grid, corner_zyx, sdf_um[near], self.band_um))

    def write_box(self, frame: int, field: BoxedField) -> None:
        """Write a frame from a box of it, truncated at the store's own band; the box must be of the store's grid."""
        corner_zyx, sdf_um = field.corner_zyx, field.box_sdf_um
        if not sdf_um.size:
            return
        # Whole chunks, so that no chunk is read back; all others keep the fill value, outside.
        side = self._sdf.chunks[-1]
        low = [corner // side * side for corner in corner_zyx]
        high = [min(-(-(c + n) // side) * side, self.grid.size) for c, n in zip(corner_zyx, sdf_um.shape, strict=True)]
        where: Any = (frame, *(slice(l, h) for l, h in zip(low, high, strict=True)))
        within = tuple(slice(c - l, c - l + n) for c, l, n in zip(corner_zyx, low, sdf_um.shape, strict=True))
        shape = [h - l for l, h in zip(low, high, strict=True)]
        distances, mask = np.full(shape, self.band_um, np.float16), np.zeros(shape, np.uint8)
        distances[within] = sdf_um.clip(-self.band_um, self.band_um)
        mask[within] = sdf_um <= 0
        # float16 rounds distances below 3e-8 µm to 0, which is inside.
        rounded = (sdf_um > 0) & (sdf_um < SMALLEST_UM)
        distances[within][rounded] = SMALLEST_UM
        self._sdf[where] = distances
        self._mask[where] = mask


class ShapeStore:
    """A store on disk: `ShapeStore.create` to write one, `ShapeStore.open` to read one."""

    def __init__(self, root: zarr.Group, path: Path) -> None:
        self._root = root
        self.path = path
        self.attributes = cast(dict[str, Any], root.attrs["cytoform"])
        self.grid = Grid(int(self.attributes["grid"]), float(self.attributes["half_extent_um"]))
        self.band_um = float(self.attributes["band_um"])

    @classmethod
    def create(cls, path: Path, grid: Grid, *, band_um: float, attributes: dict[str, Any]) -> "ShapeStore":
        """Create an empty store; `attributes` record its origin (command, source, seed).

        Raises InputError if there is anything at `path` but an empty folder.
        """
        path = Path(path)
        if os.path.lexists(path) and not (path.is_dir() and not any(path.iterdir())):
            raise InputError(f"{path} exists; choose another name, or delete it first")
        root = zarr.create_group(path, zarr_format=3)
        root.attrs["cytoform"] = {
            **attributes,
            "kind": "shapes",
            "format": FORMAT,
            "version": cytoform.__version__,
            "grid": grid.size,
            "half_extent_um": grid.half_extent_um,
            "spacing_um": grid.spacing_um,
            "band_um": float(band_um),
        }
        return cls(root, path)

    @classmethod
    def open(cls, path: Path, *, writable: bool = False) -> "ShapeStore":
        """Open a store. Raises InputError for a path that is no store, and for a damaged store."""
        path = Path(path)
        try:
            root = zarr.open_group(path, mode="r+" if writable else "r", zarr_format=3)
            found = root.attrs["cytoform"]["kind"], root.attrs["cytoform"]["format"]  # type: ignore[index, call-overload]
        except (OSError, ValueError, KeyError, TypeError):
            raise wrong_kind(path, Kind.SHAPE_STORE) from None
        if found != ("shapes", FORMAT):
            raise InputError(
                f"{path}: a store of another kind or version {found}; make it anew with 'cytoform prepare'"
            )
        try:
            return cls(root, path)
        except (KeyError, TypeError, ValueError) as fault:
            raise _damaged(path, fault) from None

    def note(self, attributes: dict[str, Any]) -> None:
        """Add or change attributes."""
        self.attributes = self.attributes | attributes
        self._root.attrs["cytoform"] = self.attributes

    @property
    def names(self) -> list[str]:
        """Names of the sequences, sorted."""
        try:
            return sorted(self._root.group_keys())
        except (KeyError, TypeError, ValueError) as fault:
            raise _damaged(self.path, fault) from None

    def __len__(self) -> int:
        return len(self.names)

    def __iter__(self) -> Iterator[ShapeSequence]:
        return (self[name] for name in self.names)

    def __getitem__(self, name: str) -> ShapeSequence:
        try:
            group = self._root[name]
            if not isinstance(group, zarr.Group):
                raise TypeError("an array instead of a group")
            return ShapeSequence(group, self.grid, self.band_um)
        except (KeyError, TypeError, ValueError) as fault:
            if name not in self.names:
                known = ", ".join(self.names[:5])
                raise InputError(f"{self.path}: no sequence {name!r}; it has {known} …") from None
            raise _damaged(f"{self.path}/{name}", fault) from None

    def add(self, info: SequenceInfo, *, latent: Mapping[str, np.ndarray] | None = None) -> ShapeSequence:
        """Create a sequence; its frames are empty until they are written. `latent` are the arrays it is rendered from."""
        group = self._root.create_group(info.name)
        movie = self._movie(info)
        movie.create(group, info.name, "float16", path="sdf", fill_value=self.band_um)
        pose = {} if info.rotation_wxyz is None else {"rotation_wxyz": list(info.rotation_wxyz)}
        group.attrs["cytoform"] = {
            "n_frames": info.n_frames,
            "time_step_s": info.time_step_s,
            "source": info.source,
            "offsets_zyx_um": [list(offset) for offset in info.offsets_zyx_um],
            **pose,
            "details": info.details,
        }
        movie.create_labels(group, "mask", "uint8", label={"source": {"image": "../../"}})
        if latent:
            arrays = group.create_group(LATENT)
            for name, values in latent.items():
                arrays.create_array(name, data=np.asarray(values, np.float32))
        return ShapeSequence(group, self.grid, self.band_um)

    def _movie(self, info: SequenceInfo) -> OmeMovie:
        size, spacing = self.grid.size, self.grid.spacing_um
        side = min(size, next(side for largest, side in CHUNKS if size <= largest))
        return OmeMovie(
            info.n_frames, self.grid.shape, (side, side, side), (spacing, spacing, spacing), info.time_step_s
        )


def _info(group: zarr.Group) -> SequenceInfo:
    attributes: Any = group.attrs["cytoform"]
    rotation = attributes.get("rotation_wxyz")
    return SequenceInfo(
        name=group.basename,
        n_frames=int(attributes["n_frames"]),
        time_step_s=attributes["time_step_s"],
        source=attributes["source"],
        offsets_zyx_um=tuple((z, y, x) for z, y, x in attributes["offsets_zyx_um"]),
        rotation_wxyz=None if rotation is None else (rotation[0], rotation[1], rotation[2], rotation[3]),
        details=attributes.get("details", {}),
    )


def _array(group: zarr.Group, path: str) -> zarr.Array[Any]:
    array = group[path]
    if not isinstance(array, zarr.Array):
        raise InputError(f"{group.path}/{path}: not an array; make the store anew with 'cytoform prepare'")
    # Chunks without the cell are never written. Zarr's own search for empty chunks would take longer than all else.
    return array.with_config({"write_empty_chunks": True})


def _damaged(where: object, fault: object) -> InputError:
    return InputError(f"{where}: damaged shape store ({fault}); make it anew with 'cytoform prepare'")


def _place(array: zarr.Array[Any]) -> str:
    return str(array.store_path).removeprefix("file://")

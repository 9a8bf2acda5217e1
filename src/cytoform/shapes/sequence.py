"""One sequence of a shape store: distances and masks of a cell over time. The layout of its files is in store.py."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, cast

import numpy as np
import zarr
from jaxtyping import Bool, Float

from cytoform.base.gate import shown
from cytoform.base.triples import Floats, Ints, ints
from cytoform.errors import InputError
from cytoform.shapes.box import BoxedField, bounding_box
from cytoform.shapes.chunks import ChunkFiles
from cytoform.shapes.grid import Grid
from cytoform.shapes.mesh import Mesh
from cytoform.shapes.records import damaged, read_latent, read_sequence, read_volumes

SDF, MASK, LATENT = "sdf", "labels/mask/0", "latent"
SMALLEST_UM = np.finfo(np.float16).smallest_subnormal  # the smallest distance that is not stored as 0


@dataclass(frozen=True)
class SequenceInfo:
    """Metadata of a sequence."""

    name: str
    n_frames: int
    time_step_s: float | None = None
    source: str = ""
    # Position of the cube's centre in the movie, per frame, in µm.
    offsets_zyx_um: tuple[Floats, ...] = ()
    # Rotation from a generated cell to the canonical orientation of its run (representations/rotation.py).
    rotation_wxyz: tuple[float, float, float, float] | None = None
    # Further JSON values: the position along an interpolation path, say.
    details: dict[str, Any] = field(default_factory=dict)


class ShapeSequence:
    """One sequence of a store, read and written frame by frame."""

    def __init__(self, path: Path, grid: Grid, band_um: float, *, writable: bool = False) -> None:
        self.path, self.grid, self.band_um = path, grid, band_um
        record = read_sequence(path, grid)
        self.info = SequenceInfo(path.name, **record.model_dump(exclude={"chunks"}))
        self._mode: Literal["r", "r+"] = "r+" if writable else "r"
        shape = (record.n_frames, *grid.shape)
        self._sdf_files, self._mask_files = (
            ChunkFiles(path / array, read_volumes(path / array, dtype, shape, fill_value=fill))
            for array, dtype, fill in ((SDF, "float16", band_um), (MASK, "uint8", 0.0))
        )
        if self._sdf_files.side != self._mask_files.side:
            raise damaged(path, "its distances and masks have different chunks")
        self._n_chunks = record.chunks

    @cached_property
    def _sdf(self) -> zarr.Array[Any]:
        return self._array(SDF)

    @cached_property
    def _mask(self) -> zarr.Array[Any]:
        return self._array(MASK)

    def sdf_um(self, frame: int) -> Float[np.ndarray, "*zyx"]:
        """Signed distance of a frame in µm, negative inside, truncated at ± `band_um`."""
        self._present(frame)
        return np.asarray(self._within_band(self._read(self._sdf, (frame,)), frame), np.float32)

    def mask(self, frame: int) -> Bool[np.ndarray, "*zyx"]:
        """Occupancy of a frame: distance ≤ 0."""
        for corner in self._present(frame) - self._mask_files.present(frame):
            # Older stores have no file where a mask is empty.
            if (self._block(frame, corner) <= 0).any():
                raise self._lost(self._mask_files, frame)
        return self._read(self._mask, (frame,)).astype(bool)

    def boxes(self) -> Iterator[BoxedField]:
        """The chunks that hold the cell, of every frame."""
        return (self.box(frame) for frame in range(self.info.n_frames))

    def meshes(self) -> Iterator[Mesh | None]:
        """The surface of every frame, None where it is empty; reads only the chunks that hold the cell."""
        return (box.mesh() for box in self.boxes())

    def box(self, frame: int) -> BoxedField:
        """The chunks of a frame that hold the cell. Memory grows with the cell, not with the grid."""
        outside = np.float16(self.band_um)
        blocks = {}
        for corner in sorted(self._present(frame)):
            block = self._within_band(self._block(frame, corner), frame)
            # Comparing bits is twenty times as fast as comparing half floats.
            if (block.view(np.uint16) != outside.view(np.uint16)).any():
                blocks[corner] = block
        if not blocks:
            none = (0,) * self.grid.n_dims
            return BoxedField(self.grid, none, np.empty(none, np.float32), float(outside))
        low = np.min(list(blocks), axis=0)
        high = np.max([np.add(corner, block.shape) for corner, block in blocks.items()], axis=0)
        whole = np.full(high - low, outside, np.float32)
        for corner, block in blocks.items():
            start = corner - low
            whole[tuple(slice(s, s + n) for s, n in zip(start, block.shape, strict=True))] = block
        return BoxedField(self.grid, ints(low), whole, float(outside))

    @property
    def latent(self) -> dict[str, np.ndarray]:
        """Arrays that the sequence was rendered from: the latent "code", and further variables by name. Empty if none."""
        folder = self.path / LATENT
        if not folder.is_dir():
            # Stores of version 0.1.0 keep the code among the details.
            code = self.info.details.get("code")
            return {} if code is None else {"code": self._old_code(code)}
        found = {}
        for path in sorted(each for each in folder.iterdir() if each.is_dir()):
            read_latent(path)
            found[path.name] = self._read(self._array(f"{LATENT}/{path.name}"), (...,))
        # Rows of other arrays are filled up with NaN.
        if "code" not in found or not np.isfinite(found["code"]).all():
            raise damaged(folder / "code", "missing, or NaN or infinity")
        return found

    def _old_code(self, code: Any) -> np.ndarray:
        try:
            return np.array(code, np.float32).reshape(len(code))
        except (TypeError, ValueError):
            raise damaged(self.path, f"details.code = {shown(code)}") from None

    def _array(self, name: str) -> zarr.Array[Any]:
        try:
            array = zarr.open_array(self.path / name, mode=self._mode, zarr_format=3)
        except (OSError, ValueError, KeyError, TypeError) as fault:
            raise damaged(self.path / name, fault) from None
        # Chunks without the cell are never written. Zarr's own search for empty chunks would take longer than all else.
        return array.with_config({"write_empty_chunks": True})

    def _present(self, frame: int) -> set[Ints]:
        """First voxels of the chunks of a frame that hold distances. Raises InputError for a lost chunk."""
        if not 0 <= frame < self.info.n_frames:
            raise InputError(f"{self.path}, frame {frame}: it has the frames 0 to {self.info.n_frames - 1}")
        found = self._sdf_files.present(frame)
        lost = self._n_chunks is not None and len(found) != self._n_chunks[frame]
        if lost or not self._mask_files.present(frame) <= found:
            raise self._lost(self._sdf_files, frame)
        return found

    def _lost(self, files: ChunkFiles, frame: int) -> InputError:
        return damaged(f"{files.array}, frame {frame}", "a chunk is missing")

    def _block(self, frame: int, corner: Ints) -> np.ndarray:
        side = self._sdf_files.side
        return self._read(self._sdf, (frame, *(slice(low, low + side) for low in corner)))

    def _within_band(self, distances: np.ndarray, frame: int) -> np.ndarray:
        # Without their sign, the bits of half floats are in the order of the values; NaN and infinity come last.
        if distances.size and (distances.view(np.uint16) & 0x7FFF).max() > np.float16(self.band_um).view(np.uint16):
            n_undefined = int(np.isnan(distances).sum())
            what = f"{n_undefined} distances are NaN" if n_undefined else f"distances beyond {self.band_um:g} µm"
            raise damaged(f"{self._sdf_files.array}, frame {frame}", what)
        return distances

    def _read(self, array: zarr.Array[Any], where: Any) -> np.ndarray:
        try:
            return np.asarray(array[where])
        except (OSError, ValueError, RuntimeError, KeyError, TypeError) as fault:
            raise damaged(f"{_place(array)}, frame {where[0]}", fault) from None

    def record_chunks(self) -> None:
        """Record how many chunks each frame has, so that a lost one is noticed."""
        self._set_chunks([len(self._sdf_files.present(frame)) for frame in range(self.info.n_frames)])

    def _set_chunks(self, n_chunks: list[int] | None) -> None:
        group = zarr.open_group(self.path, mode="r+", zarr_format=3, use_consolidated=False)
        known = {k: v for k, v in cast(dict[str, Any], group.attrs["cytoform"]).items() if k != "chunks"}
        group.attrs["cytoform"] = known if n_chunks is None else known | {"chunks": n_chunks}

    def write(self, frame: int, sdf_um: Float[np.ndarray, "*zyx"]) -> None:
        """Write a whole frame. Several processes may write different frames at the same time."""
        near = bounding_box(sdf_um < self.band_um)
        corner_zyx = ints(side.start for side in near)
        self.write_box(frame, BoxedField(self.grid, corner_zyx, sdf_um[near], self.band_um))

    def write_box(self, frame: int, field: BoxedField) -> None:
        """Write a frame from a box of it, truncated at the store's own band; the box must be of the store's grid."""
        corner_zyx, sdf_um = field.corner_zyx, field.box_sdf_um
        if not sdf_um.size:
            return
        if self._n_chunks is not None:
            self._set_chunks(None)
            self._n_chunks = None
        # Whole chunks, so that no chunk is read back; all others keep the fill value, outside.
        side = self._sdf_files.side
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


def _place(array: zarr.Array[Any]) -> str:
    return str(array.store_path).removeprefix("file://")

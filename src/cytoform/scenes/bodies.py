"""Cells as cropped distance fields on disk, and their distances at the voxels of a scene.

FAMILY.bin holds the boxes of all shapes of a family's cells one after the other: float16, µm, zlib. Files in the thousands,
as a Zarr array would have, take longer to make and to remove than all else.
"""

import functools
import os
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np
from jaxtyping import Bool, Float, Float32

from cytoform.errors import InputError
from cytoform.shapes.grid import Grid

Triple = tuple[float, float, float]
BOXES_KEPT = 64
SMALLEST_UM = float(np.finfo(np.float16).smallest_subnormal)


@dataclass(frozen=True)
class Shape:
    """One shape of a cell; places are in µm from the centre of its cube."""

    # The ends of its inside between voxels, however fine the voxels are at which it is sampled.
    low_zyx_um: Triple
    high_zyx_um: Triple
    centroid_zyx_um: Triple
    volume_um3: float
    # Its box: where in which file, how many voxels of which size, and the centre of the first of them.
    file: str
    start: int
    n_bytes: int
    size_zyx: tuple[int, int, int]
    spacing_um: float
    origin_zyx_um: Triple


@dataclass(frozen=True)
class Body:
    """One cell of a scene: in frame `first` + i it has the shape `shapes[i]`."""

    family: int
    member: int
    # The member of the same family that it was born of.
    parent: int | None
    first: int
    shapes: tuple[Shape, ...]

    @property
    def last(self) -> int:
        """Its last frame."""
        return self.first + len(self.shapes) - 1

    def shape(self, frame: int) -> Shape:
        """The shape that it has in a frame of the scene."""
        return self.shapes[frame - self.first]


class BoxWriter:
    """Writes the boxes of a family; the file is on the disk when the block ends."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __enter__(self) -> "BoxWriter":
        self._file: IO[bytes] = self.path.open("wb")
        return self

    def __exit__(self, *_: object) -> None:
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()

    def add(self, field_um: Float[np.ndarray, "z y x"], grid: Grid, corner_zyx: tuple[int, int, int]) -> Shape:
        """Write the part of a field that holds the cell and a voxel around it; `corner_zyx` is the field's first voxel."""
        inside = field_um <= 0
        spans = [np.flatnonzero(inside.any(axis=tuple({0, 1, 2} - {axis}))) for axis in range(3)]
        low = np.array([max(span[0] - 1, 0) for span in spans])
        high = np.array([min(span[-1] + 2, n) for span, n in zip(spans, inside.shape, strict=True)])
        box = field_um[tuple(slice(l, h) for l, h in zip(low, high, strict=True))].astype(np.float16)
        # What float16 would round to 0 is not inside.
        box[(box == 0) & ~inside[tuple(slice(l, h) for l, h in zip(low, high, strict=True))]] = SMALLEST_UM
        data, start = zlib.compress(box.tobytes(), 1), self._file.tell()
        self._file.write(data)
        places = np.argwhere(inside) + corner_zyx
        spacing_um, half_um = grid.spacing_um, grid.half_extent_um
        ends = _ends(box.astype(np.float32)) + (low + corner_zyx + 0.5)
        return Shape(
            low_zyx_um=_triple(ends[0] * spacing_um - half_um),
            high_zyx_um=_triple(ends[1] * spacing_um - half_um),
            centroid_zyx_um=_triple((places.mean(axis=0) + 0.5) * spacing_um - half_um),
            volume_um3=float(len(places)) * spacing_um**3,
            file=self.path.name,
            start=start,
            n_bytes=len(data),
            size_zyx=(box.shape[0], box.shape[1], box.shape[2]),
            spacing_um=spacing_um,
            origin_zyx_um=_triple((low + corner_zyx + 0.5) * spacing_um - half_um),
        )


def _ends(box_um: Float32[np.ndarray, "z y x"]) -> Float[np.ndarray, "2 3"]:
    """Where the inside of a field that is interpolated linearly begins and ends along each axis, in voxels from the first.

    On a plane across an axis such a field is least where a line of voxels along that axis crosses it, so it is enough to
    look at these lines.
    """
    ends = np.empty((2, 3))
    for axis in range(3):
        lines = np.moveaxis(box_um, axis, 0)
        ends[0, axis] = -_end(-np.arange(len(lines), dtype=float)[::-1], lines[::-1])
        ends[1, axis] = _end(np.arange(len(lines), dtype=float), lines)
    return ends


def _end(places: Float[np.ndarray, " n"], lines_um: Float32[np.ndarray, "n a b"]) -> float:
    """The last place of the inside on any line."""
    last = int(np.flatnonzero((lines_um <= 0).any(axis=(1, 2)))[-1])
    if last == len(lines_um) - 1:
        return float(places[last])
    inside = lines_um[last] <= 0
    depth_um, beyond_um = -lines_um[last][inside], lines_um[last + 1][inside]
    return float(places[last] + (depth_um / (depth_um + beyond_um)).max())


def _triple(values: np.ndarray) -> Triple:
    z, y, x = (float(value) for value in values)
    return z, y, x


@dataclass(frozen=True)
class Sampled:
    """Distances in µm at the voxels of a box of the scene, whose lowest voxel is `corner_zyx`; beyond it is outside."""

    corner_zyx: tuple[int, int, int]
    distances_um: Float32[np.ndarray, "z y x"]

    def clipped(self, shape_zyx: tuple[int, int, int]) -> "Sampled":
        """The part within a scene of this many voxels."""
        low = np.clip(self.corner_zyx, 0, shape_zyx)
        high = np.clip(np.add(self.corner_zyx, self.distances_um.shape), low, shape_zyx)
        part = tuple(slice(l - c, h - c) for l, h, c in zip(low, high, self.corner_zyx, strict=True))
        return Sampled((int(low[0]), int(low[1]), int(low[2])), self.distances_um[part])

    @property
    def slices(self) -> tuple[slice, slice, slice]:
        """Where the box lies."""
        z, y, x = (slice(c, c + n) for c, n in zip(self.corner_zyx, self.distances_um.shape, strict=True))
        return z, y, x


def own_field(
    sdf_um: Float[np.ndarray, "z y x"], mine: Bool[np.ndarray, "z y x"], *, least_um: float
) -> Float32[np.ndarray, "z y x"]:
    """The field of one cell of a family: what is inside its sisters is as far outside of it as it is deep in them.

    At every voxel the fields of two sisters add up to 0 or more, and so they do wherever they are interpolated: sisters at
    one place never share a point.
    """
    others = (sdf_um <= 0) & ~mine
    return np.where(others, np.maximum(-sdf_um, least_um), sdf_um).astype(np.float32)


@functools.lru_cache(maxsize=BOXES_KEPT)
def read_box(folder: Path, shape: Shape) -> Float32[np.ndarray, "z y x"]:
    """The distances of a shape on its own grid. Raises InputError for a damaged file."""
    with (folder / shape.file).open("rb") as file:
        file.seek(shape.start)
        data = file.read(shape.n_bytes)
    try:
        # A box is only as large as it says.
        flat = zlib.decompressobj().decompress(data, 2 * int(np.prod(shape.size_zyx)))
        return np.frombuffer(flat, np.float16).reshape(shape.size_zyx).astype(np.float32)
    except (zlib.error, ValueError):
        raise InputError(f"{folder / shape.file}: damaged; leave --resume out to begin anew") from None


def sample(folder: Path, shape: Shape, *, centre_zyx_um: Float[np.ndarray, " 3"], spacing_zyx_um: Triple) -> Sampled:
    """The distances of a shape whose cube has its centre at `centre_zyx_um` of the scene, interpolated linearly.

    The scene has no end here: voxels may have negative numbers.
    """
    values, corner = read_box(folder, shape), []
    for axis in range(3):
        start_um = centre_zyx_um[axis] + shape.origin_zyx_um[axis]
        n, step_um = values.shape[axis], spacing_zyx_um[axis]
        # The scene's voxels between the first and the last of the box.
        first = int(np.ceil(start_um / step_um - 0.5))
        last = int(np.floor((start_um + (n - 1) * shape.spacing_um) / step_um - 0.5))
        position = ((np.arange(first, last + 1) + 0.5) * step_um - start_um) / shape.spacing_um
        low = np.clip(np.floor(position).astype(int), 0, n - 1)
        weight = (position - low).clip(0, 1).astype(np.float32).reshape([-1 if i == axis else 1 for i in range(3)])
        values = np.take(values, low, axis) * (1 - weight) + np.take(values, np.minimum(low + 1, n - 1), axis) * weight
        corner.append(first)
    return Sampled((corner[0], corner[1], corner[2]), values)

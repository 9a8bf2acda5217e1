"""Cells as cropped distance fields on disk, and the voxels (pixels of images) that they take in a scene.

FAMILY.bin holds the boxes of all shapes of a family's cells one after the other: float16, µm, zlib. One file, because
creating and removing the thousands of files of a Zarr array would take longer than everything else.
"""

import functools
import os
import zlib
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO

import numpy as np
from jaxtyping import Bool, Float, Float16, Float32, Integer

from cytoform.base.triples import Floats, Ints, Slices, floats, in_volume, ints
from cytoform.errors import InputError
from cytoform.shapes.box import BoxedField
from cytoform.shapes.sequence import SMALLEST_UM

BOXES_KEPT = 64
ANEW = "leave --resume out to begin anew"


@dataclass(frozen=True)
class Protrusion:
    """A protrusion of a shape; positions are in µm from the centre of its cube."""

    # It is the same protrusion in all shapes of a cell that have this number.
    unit: int
    # The unit that it branches from; -1: it starts on the body.
    parent: int
    # Where it leaves the body, or for a branch the centre line of its parent.
    root_zyx_um: Floats
    tip_zyx_um: Floats
    # Along the centre line, from root to tip.
    length_um: float
    # Mean along the centre line.
    radius_um: float


@dataclass(frozen=True)
class Shape:
    """One shape of a cell; positions are in µm from the centre of its cube."""

    # Bounding box of the interpolated surface: it holds the inside however finely the shape is sampled.
    low_zyx_um: Floats
    high_zyx_um: Floats
    centroid_zyx_um: Floats
    # Volume in µm³, or area in µm².
    size: float
    # The stored box: its bytes in the file, its voxels, and the centre of its first voxel.
    file: str
    start: int
    n_bytes: int
    size_zyx: Ints
    spacing_zyx_um: Floats
    origin_zyx_um: Floats
    # None where nothing is known about protrusions. Two shapes are the same if their boxes are.
    protrusions: tuple[Protrusion, ...] | None = field(default=None, compare=False)
    # Direction of its long axis. Its length is the elongation: 0 for a round cell, near 1 for a rod.
    long_axis_zyx: Floats = ()

    def about_its_middle(self, factor: float) -> "Shape":
        """The same shape `factor` times as long, with its centroid in place."""
        middle = np.array(self.centroid_zyx_um)
        low, high, origin = (
            floats(middle + factor * (np.array(place) - middle))
            for place in (self.low_zyx_um, self.high_zyx_um, self.origin_zyx_um)
        )
        spacing = floats(factor * np.array(self.spacing_zyx_um))
        size = self.size * factor ** len(spacing)
        return replace(self, low_zyx_um=low, high_zyx_um=high, origin_zyx_um=origin, spacing_zyx_um=spacing, size=size)


@dataclass(frozen=True)
class Body:
    """One cell of a scene, with shape `shapes[i]` in frame `first` + i."""

    family: int
    member: int
    # Its mother: a member of the same family.
    parent: int | None
    first: int
    shapes: tuple[Shape, ...]

    @property
    def last(self) -> int:
        """Its last frame."""
        return self.first + len(self.shapes) - 1

    def shape(self, frame: int) -> Shape:
        """Its shape in a frame of the scene."""
        return self.shapes[frame - self.first]


class BoxWriter:
    """Writes the boxes of a family; synced to disk when the block ends."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __enter__(self) -> "BoxWriter":
        self._file: IO[bytes] = self.path.open("wb")
        return self

    def __exit__(self, *_: object) -> None:
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()

    def write(self, box: Float16[np.ndarray, "*zyx"]) -> tuple[int, int]:
        """Append a box; where it begins in the file, and its bytes there."""
        data, start = zlib.compress(box.tobytes(), 1), self._file.tell()
        self._file.write(data)
        return start, len(data)

    def add(self, field: BoxedField, protrusions: tuple[Protrusion, ...] | None = None) -> Shape:
        """Write the box of the cell and a voxel around it."""
        field = field.tight(margin=1)
        box = field.box_sdf_um.astype(np.float16)
        # float16 would round the smallest distances to 0, which is inside.
        box[(box == 0) & ~field.inside] = SMALLEST_UM
        start, n_bytes = self.write(box)
        places = np.argwhere(field.inside) + field.corner_zyx
        spacing_um, half_um = field.grid.spacing_um, field.grid.half_extent_um
        first = np.add(field.corner_zyx, 0.5)
        ends = _ends(box.astype(np.float32)) + first
        return Shape(
            low_zyx_um=floats(ends[0] * spacing_um - half_um),
            high_zyx_um=floats(ends[1] * spacing_um - half_um),
            centroid_zyx_um=floats((places.mean(axis=0) + 0.5) * spacing_um - half_um),
            size=float(len(places)) * spacing_um**field.grid.n_dims,
            file=self.path.name,
            start=start,
            n_bytes=n_bytes,
            size_zyx=ints(box.shape),
            spacing_zyx_um=(spacing_um,) * box.ndim,
            origin_zyx_um=floats(first * spacing_um - half_um),
            protrusions=protrusions,
            long_axis_zyx=_long_axis(places),
        )


def _long_axis(places: Integer[np.ndarray, "n dims"]) -> Floats:
    """The principal axis of voxels, as long as the mean width across it is smaller than the length along it, in shares."""
    if len(places) < 2:
        return (0.0,) * places.shape[1]
    variances, axes = np.linalg.eigh(np.cov(places.T))
    widths = np.sqrt(np.maximum(variances, 0))
    elongation = 1 - float(widths[:-1].mean() / max(widths[-1], 1e-9))
    return floats(elongation * axes[:, -1])


def _ends(box_um: Float32[np.ndarray, "*zyx"]) -> Float[np.ndarray, "2 dims"]:
    """Lower and upper end of the inside of a linearly interpolated field along each axis, in voxels from the first.

    On a plane across an axis, such a field is smallest where a line of voxels along the axis crosses the plane. Checking
    these lines is therefore enough.
    """
    ends = np.empty((2, box_um.ndim))
    for axis in range(box_um.ndim):
        lines = np.moveaxis(box_um, axis, 0).reshape(box_um.shape[axis], -1)
        ends[0, axis] = -_end(-np.arange(len(lines), dtype=float)[::-1], lines[::-1])
        ends[1, axis] = _end(np.arange(len(lines), dtype=float), lines)
    return ends


def _end(places: Float[np.ndarray, " n"], lines_um: Float32[np.ndarray, "n lines"]) -> float:
    """The last position inside on any of the lines."""
    last = int(np.flatnonzero((lines_um <= 0).any(axis=1))[-1])
    if last == len(lines_um) - 1:
        return float(places[last])
    inside = lines_um[last] <= 0
    depth_um, beyond_um = -lines_um[last][inside], lines_um[last + 1][inside]
    return float(places[last] + (depth_um / (depth_um + beyond_um)).max())


@dataclass(frozen=True)
class Taken:
    """The voxels of the scene that a cell takes, in a box with its first voxel at `corner_zyx`; none beyond the box.

    Scene voxels need not be cubes, and a box may begin before the scene does, so it is no BoxedField.
    """

    corner_zyx: Ints
    inside: Bool[np.ndarray, "*zyx"]

    def clipped(self, shape_zyx: Ints) -> "Taken":
        """The part within a scene of this many voxels."""
        low = np.clip(self.corner_zyx, 0, shape_zyx)
        high = np.clip(np.add(self.corner_zyx, self.inside.shape), low, shape_zyx)
        part = tuple(slice(l - c, h - c) for l, h, c in zip(low, high, self.corner_zyx, strict=True))
        return Taken(ints(low), self.inside[part])

    @property
    def volume(self) -> "Taken":
        """The same in a volume: an image is its one plane."""
        return Taken(in_volume(self.corner_zyx, 0), self.inside.reshape(in_volume(self.inside.shape, 1)))

    @property
    def slices(self) -> Slices:
        """Place of the box in the scene."""
        return tuple(slice(c, c + n) for c, n in zip(self.corner_zyx, self.inside.shape, strict=True))


def own_field(family: BoxedField, mine: Bool[np.ndarray, "*zyx"]) -> BoxedField:
    """The field of one cell of a family; `mine` marks its voxels in the family's box.

    A voxel inside a sister is as far outside of this cell as it is deep in the sister. At every voxel the fields of two
    sisters then add up to 0 or more, also where they are interpolated: sisters at one place never share a point.
    """
    sdf_um, least_um = family.box_sdf_um, 1e-3 * family.grid.spacing_um
    others = family.inside & ~mine
    return replace(family, box_sdf_um=np.where(others, np.maximum(-sdf_um, least_um), sdf_um).astype(np.float32))


@functools.lru_cache(maxsize=BOXES_KEPT)
def read_box(folder: Path, shape: Shape) -> Float32[np.ndarray, "*zyx"]:
    """Read the distances of a shape in its box, in µm. Raises InputError for a damaged file."""
    with (folder / shape.file).open("rb") as file:
        file.seek(shape.start)
        data = file.read(shape.n_bytes)
    try:
        # A damaged file must not unpack to more than the box holds.
        flat = zlib.decompressobj().decompress(data, 2 * int(np.prod(shape.size_zyx)))
        return np.frombuffer(flat, np.float16).reshape(shape.size_zyx).astype(np.float32)
    except (zlib.error, ValueError):
        raise InputError(f"{folder / shape.file}: damaged; {ANEW}") from None


@dataclass(frozen=True)
class Sampled:
    """Distances of a cell at the centres of scene voxels, in a box with its first voxel at `corner_zyx`."""

    corner_zyx: Ints
    sdf_um: Float32[np.ndarray, "*zyx"]


def sampled(
    folder: Path, shape: Shape, *, centre_zyx_um: Float[np.ndarray, " dims"], spacing_zyx_um: Floats
) -> Sampled:
    """The distances of a shape, interpolated linearly; `centre_zyx_um` is the centre of its cube.

    The box is not clipped to the scene: voxel indices may be negative.
    """
    values, corner = read_box(folder, shape), []
    for axis in range(values.ndim):
        start_um = centre_zyx_um[axis] + shape.origin_zyx_um[axis]
        n, own_um, step_um = values.shape[axis], shape.spacing_zyx_um[axis], spacing_zyx_um[axis]
        # First and last scene voxel with its centre inside the box.
        first = int(np.ceil(start_um / step_um - 0.5))
        last = int(np.floor((start_um + (n - 1) * own_um) / step_um - 0.5))
        position = ((np.arange(first, last + 1) + 0.5) * step_um - start_um) / own_um
        low = np.clip(np.floor(position).astype(int), 0, n - 1)
        weight = (
            (position - low).clip(0, 1).astype(np.float32).reshape([-1 if i == axis else 1 for i in range(values.ndim)])
        )
        values = np.take(values, low, axis) * (1 - weight) + np.take(values, np.minimum(low + 1, n - 1), axis) * weight
        corner.append(first)
    return Sampled(ints(corner), values)


def taken_by(
    folder: Path,
    shape: Shape,
    *,
    centre_zyx_um: Float[np.ndarray, " dims"],
    spacing_zyx_um: Floats,
    reach_um: float = 0.0,
) -> Taken:
    """The scene voxels inside a shape or within `reach_um` of it; see `sampled`."""
    found = sampled(folder, shape, centre_zyx_um=centre_zyx_um, spacing_zyx_um=spacing_zyx_um)
    return Taken(found.corner_zyx, found.sdf_um <= reach_um)

"""Models of the zarr.json files of a shape store, checked before Zarr opens anything; the layout is in store.py."""

import json
import math
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field, model_validator

from cytoform.base.gate import FrameCount, Length, Name, Record, RecordT, TimeStep, read_bytes, read_json
from cytoform.errors import InputError
from cytoform.shapes.grid import MAX_SIZE, MIN_SIZE, Grid

FORMAT = 1
DIMENSIONS: Literal[3] = 3  # of space, where a store does not say
REMEDY = "make it anew with 'cytoform prepare'"
MOST_LATENT_VALUES = 1_000_000
LARGEST_CHUNK = 256  # voxels along a side
AGREEMENT = 1e-6  # relative, of values that are recorded twice

Position = Annotated[float, Field(ge=-1e9, le=1e9)]  # µm
Part = Annotated[float, Field(ge=-1.001, le=1.001)]  # of a unit quaternion


class StoreRecord(Record):
    """The attributes of a store; there may be more."""

    kind: Literal["shapes"]
    format: int
    grid: int = Field(ge=MIN_SIZE, le=MAX_SIZE)
    half_extent_um: Length
    dimensions: Literal[2, 3] = DIMENSIONS  # of space
    spacing_um: Length | None = None
    band_um: float = Field(gt=0, le=65504)  # the largest float16
    command: str = ""
    seed: int = Field(0, ge=0)
    sources: tuple[str, ...] = ()
    options: dict[str, Any] = Field(default_factory=dict)
    left_out: tuple[dict[str, str], ...] = ()
    failed: tuple[dict[str, str], ...] = ()
    run: str | None = None
    remark: str = ""  # on the training of the run
    weights_sha256: str | None = None
    sequences: tuple[Name, ...] | None = None  # all of them; older stores do not say

    @model_validator(mode="after")
    def _has_one_scale(self) -> "StoreRecord":
        spacing_um = 2 * self.half_extent_um / self.grid
        if self.spacing_um is not None and not math.isclose(self.spacing_um, spacing_um, rel_tol=AGREEMENT):
            raise ValueError(f"spacing_um is {self.spacing_um:g}, but grid and half_extent_um give {spacing_um:g}")
        return self


class SequenceRecord(Record):
    """The attributes of a sequence."""

    n_frames: FrameCount
    time_step_s: TimeStep | None
    source: str
    offsets_zyx_um: tuple[Annotated[tuple[Position, ...], Field(min_length=2, max_length=3)], ...]
    rotation_wxyz: tuple[Part, Part, Part, Part] | None = None
    details: dict[str, Any] = Field(default_factory=dict)
    chunks: tuple[int, ...] | None = None  # of each frame; older stores do not say

    @model_validator(mode="after")
    def _agrees(self) -> "SequenceRecord":
        for name, values in (("offsets_zyx_um", self.offsets_zyx_um), ("chunks", self.chunks)):
            if values and len(values) != self.n_frames:
                raise ValueError(f"{name} has {len(values)} entries for {self.n_frames} frames")
        if self.rotation_wxyz is not None and abs(math.hypot(*self.rotation_wxyz) - 1) > 1e-3:
            raise ValueError(f"rotation_wxyz = {self.rotation_wxyz} is no unit quaternion")
        return self


class _Transformation(Record):
    type: str
    scale: tuple[float, ...] = ()


class _Dataset(Record):
    coordinateTransformations: tuple[_Transformation, ...]  # noqa: N815 (of OME-Zarr)


class _Multiscale(Record):
    datasets: Annotated[tuple[_Dataset, ...], Field(min_length=1)]


class _Ome(Record):
    multiscales: Annotated[tuple[_Multiscale, ...], Field(min_length=1)]

    @property
    def scale(self) -> tuple[float, ...]:
        transformations = self.multiscales[0].datasets[0].coordinateTransformations
        return next((each.scale for each in transformations if each.type == "scale"), ())


class _StoreAttributes(Record):
    cytoform: StoreRecord


class _SequenceAttributes(Record):
    cytoform: SequenceRecord
    ome: _Ome


class _Group(Record):
    zarr_format: Literal[3]
    node_type: Literal["group"]


class _StoreNode(_Group):
    attributes: _StoreAttributes


class _SequenceNode(_Group):
    attributes: _SequenceAttributes


class _ChunkShape(Record):
    chunk_shape: tuple[Annotated[int, Field(ge=1)], ...]


class _ChunkGrid(Record):
    name: Literal["regular"]
    configuration: _ChunkShape


class _Codec(Record):
    name: Literal["bytes", "blosc", "zstd"]


class _Separator(Record):
    separator: Literal["/"]


class _Keys(Record):
    name: Literal["default"]
    configuration: _Separator


class ArrayRecord(Record):
    """The zarr.json of an array."""

    zarr_format: Literal[3]
    node_type: Literal["array"]
    shape: tuple[Annotated[int, Field(ge=0)], ...]
    data_type: str
    chunk_grid: _ChunkGrid
    chunk_key_encoding: _Keys
    fill_value: float
    codecs: tuple[_Codec, ...]

    @property
    def chunks(self) -> tuple[int, ...]:
        """Shape of a chunk."""
        return self.chunk_grid.configuration.chunk_shape


def read_store(path: Path) -> tuple[StoreRecord, dict[str, Any]]:
    """The attributes of a store, checked and as they are written. Raises InputError."""
    record = _read(path, _StoreNode).attributes.cytoform
    written: dict[str, Any] = json.loads(read_bytes(path / "zarr.json"))["attributes"]["cytoform"]
    try:
        json.dumps(written, allow_nan=False)  # runs and stores made from this one record all of it
    except ValueError:
        raise damaged(path / "zarr.json", "its attributes hold NaN or infinity") from None
    if record.format != FORMAT:
        raise InputError(f"{path}: a store of version {record.format}, this cytoform reads {FORMAT}; {REMEDY}")
    return record, written


def read_sequence(path: Path, grid: Grid) -> SequenceRecord:
    """The attributes of a sequence of a store with this grid. Raises InputError."""
    attributes = _read(path, _SequenceNode).attributes
    record, scale = attributes.cytoform, attributes.ome.scale
    expected = (record.time_step_s or 1.0, *(grid.spacing_um,) * grid.n_dims)
    if len(scale) != len(expected) or not np.allclose(scale, expected, rtol=AGREEMENT, atol=0):
        raise damaged(path / "zarr.json", f"its OME scale is {scale}, its store and time step give {expected}")
    if any(len(offset) != grid.n_dims for offset in record.offsets_zyx_um):
        raise damaged(path / "zarr.json", f"offsets_zyx_um do not have {grid.n_dims} numbers a frame")
    return record


def read_volumes(path: Path, dtype: str, shape: tuple[int, ...], *, fill_value: float) -> ArrayRecord:
    """The metadata of an array (t, z, y, x) or (t, y, x) with cubic chunks of one frame. Raises InputError for others."""
    record = _read(path, ArrayRecord)
    _expect(path, record, dtype, shape)
    side = record.chunks[-1]
    if record.chunks != (1, *(side,) * (len(shape) - 1)) or side > min(LARGEST_CHUNK, shape[-1]):
        raise damaged(path / "zarr.json", f"chunks of shape {record.chunks}")
    if [codec.name for codec in record.codecs] != ["bytes", "blosc"]:
        raise damaged(path / "zarr.json", f"codecs {[codec.name for codec in record.codecs]}")
    if not np.float16(record.fill_value) == np.float16(fill_value):
        raise damaged(path / "zarr.json", f"fill_value = {record.fill_value} instead of {fill_value:g}")
    return record


def read_latent(path: Path) -> ArrayRecord:
    """The metadata of a small array of float32. Raises InputError for any other array."""
    record = _read(path, ArrayRecord)
    _expect(path, record, "float32", record.shape)
    if max(math.prod(record.shape), math.prod(record.chunks)) > MOST_LATENT_VALUES:
        raise damaged(path / "zarr.json", f"shape {record.shape} in chunks of {record.chunks}")
    return record


def damaged(where: object, fault: object) -> InputError:
    """The fault of a damaged store."""
    return InputError(f"{where}: damaged shape store ({fault}); {REMEDY}")


def _expect(path: Path, record: ArrayRecord, dtype: str, shape: tuple[int, ...]) -> None:
    if record.shape != shape or record.data_type != dtype or len(record.chunks) != len(shape):
        found = f"{record.data_type} of shape {record.shape} in chunks of {record.chunks}"
        raise damaged(path / "zarr.json", f"{found} instead of {dtype} of {shape}")


def _read(path: Path, model: type[RecordT]) -> RecordT:
    try:
        return read_json(path / "zarr.json", model, remedy=REMEDY)
    except InputError as fault:
        where, _, what = str(fault).partition("zarr.json: ")
        raise InputError(f"{where}zarr.json: damaged shape store: {what}") from None

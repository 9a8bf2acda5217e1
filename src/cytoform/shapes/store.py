"""The shape store: signed distances and masks of cell sequences, one OME-Zarr 0.5 image a sequence.

NAME.zarr/                    attributes {"cytoform": {...}}: scale, band, origin of the data
  SEQUENCE/                   OME-Zarr image, axes t z y x or t y x, in µm and s
    latent/code               float32, the latent code that it was rendered from, if any; further variables beside it
    sdf                       float16, signed distance in µm, truncated at ± band
    labels/mask/0             uint8, 1 inside
"""

import math
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import zarr

import cytoform
from cytoform.base.files import as_json
from cytoform.base.gate import check_name, shown
from cytoform.base.kinds import Kind, kind_of, wrong_kind
from cytoform.base.ome import OmeMovie
from cytoform.errors import InputError
from cytoform.shapes.grid import Grid
from cytoform.shapes.records import DIMENSIONS, FORMAT, read_store
from cytoform.shapes.sequence import LATENT, SDF, SequenceInfo, ShapeSequence

# (Largest grid, side of a chunk): few chunks per frame, since each costs milliseconds, but small ones around the cell.
CHUNKS = ((96, 96), (192, 64), (math.inf, 128))
__all__ = ["SequenceInfo", "ShapeSequence", "ShapeStore", "refuse_2d"]


class ShapeStore:
    """A store on disk: `ShapeStore.create` to write one, `ShapeStore.open` to read one."""

    def __init__(self, path: Path, *, writable: bool = False, allow_incomplete: bool = False) -> None:
        record, self.attributes = read_store(path)
        self.path, self._writable, self._allow_incomplete = path, writable, allow_incomplete
        self.grid, self.band_um = Grid(record.grid, record.half_extent_um, record.dimensions), record.band_um

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
            **as_json(attributes),
            "kind": "shapes",
            "format": FORMAT,
            "version": cytoform.__version__,
            "grid": grid.size,
            "half_extent_um": grid.half_extent_um,
            "spacing_um": grid.spacing_um,
            "band_um": float(band_um),
            **({} if grid.n_dims == DIMENSIONS else {"dimensions": grid.n_dims}),
        }
        return cls(path, writable=True)

    @classmethod
    def open(cls, path: Path, *, writable: bool = False, allow_incomplete: bool = False) -> "ShapeStore":
        """Open a store. Raises InputError for a path that is no store, and for a damaged store.

        A store with a lost sequence is refused as soon as its sequences are listed, unless `allow_incomplete`: then the
        others are listed. A sequence can always be opened by its name.
        """
        path = Path(path)
        if kind_of(path) is not Kind.SHAPE_STORE:
            raise wrong_kind(path, Kind.SHAPE_STORE)
        return cls(path, writable=writable, allow_incomplete=allow_incomplete)

    def note(self, attributes: dict[str, Any] | None = None) -> None:
        """Add or change attributes, and record what the store holds, so that a lost part is noticed from now on."""
        whole, _ = self._found()
        for name in whole:
            self[name].record_chunks()
        recorded = {*whole, *self.attributes.get("sequences", ())}
        self.attributes = self.attributes | as_json(attributes or {}) | {"sequences": sorted(recorded)}
        root = zarr.open_group(self.path, mode="r+", zarr_format=3, use_consolidated=False)
        root.attrs["cytoform"] = self.attributes

    @property
    def names(self) -> list[str]:
        """Names of the sequences, sorted. Raises InputError if one is lost."""
        whole, lost = self._found()
        if lost and not self._allow_incomplete:
            others = f" and {len(lost) - 1} more" if len(lost) > 1 else ""
            raise InputError(
                f"{self.path}: incomplete, sequence {lost[0]!r}{others} of {len(whole) + len(lost)} is lost (no zarr.json); "
                "restore it, or name the others with --sequences or pass --allow-incomplete where a command has these options"
            )
        return whole

    @property
    def lost(self) -> list[str]:
        """Names of the sequences that are recorded or have files, but cannot be opened."""
        return self._found()[1]

    def _found(self) -> tuple[list[str], list[str]]:
        """Names of whole and of lost sequences. Raises InputError for a name that cannot be one."""
        recorded = set(self.attributes.get("sequences", ()))
        with os.scandir(self.path) as entries:
            folders = [entry.name for entry in entries if entry.is_dir() and not entry.name.startswith(".")]
        whole = {name for name in folders if (self.path / name / "zarr.json").exists()}
        lost = recorded or {
            name for name in folders if any((self.path / name / part).exists() for part in (SDF, "labels"))
        }
        _refuse_strange(self.path, whole)
        return sorted(whole), sorted(lost - whole)

    def __len__(self) -> int:
        return len(self.names)

    def __iter__(self) -> Iterator[ShapeSequence]:
        return (self[name] for name in self.names)

    def __getitem__(self, name: str) -> ShapeSequence:
        _refuse_strange(self.path, [name])
        if not (self.path / name / "zarr.json").exists():
            known = ", ".join(self.names[:5])
            raise InputError(f"{self.path}: no sequence {shown(name)}; it has {known} …")
        return ShapeSequence(self.path / name, self.grid, self.band_um, writable=self._writable)

    def add(self, info: SequenceInfo, *, latent: Mapping[str, np.ndarray] | None = None) -> ShapeSequence:
        """Create a sequence; its frames are empty until they are written. `latent` are the arrays it is rendered from."""
        _refuse_strange(self.path, [info.name])
        root = zarr.open_group(self.path, mode="r+", zarr_format=3, use_consolidated=False)
        group = root.create_group(info.name)
        movie = self._movie(info)
        movie.create(group, info.name, "float16", path=SDF, fill_value=self.band_um)
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
        return ShapeSequence(self.path / info.name, self.grid, self.band_um, writable=True)

    def _movie(self, info: SequenceInfo) -> OmeMovie:
        size, spacing = self.grid.size, self.grid.spacing_um
        side = min(size, next(side for largest, side in CHUNKS if size <= largest))
        n = self.grid.n_dims
        return OmeMovie(info.n_frames, self.grid.shape, (side,) * n, (spacing,) * n, info.time_step_s)


def _refuse_strange(store: Path, names: Iterable[str]) -> None:
    for name in names:
        try:
            check_name(name)
        except ValueError as fault:
            raise InputError(f"{store}: a sequence named {shown(name)}: {fault}; rename it") from None


def refuse_2d(place: Path, n_dims: int, what: str) -> None:
    """Raise InputError for 2D cells where only 3D ones are known; `what` begins the message, such as "cytoform fill"."""
    if n_dims != DIMENSIONS:
        raise InputError(
            f"{place}: its cells are 2D, and {what} knows 3D cells only; see docs/howto/learn-cells-in-2d-movies.md"
        )

"""Shape stores from files in the layout of the published code: one array `sdf_vid` a file, HDF5 or Matlab.

Matlab has the array as (t, y, x, z): a frame, then an image's rows and columns, then the slices it is stacked from. So
h5py sees (z, x, y, t), and the published loader turns it back to (t, y, x, z). It is a cube of isotropic voxels.

Each published frame was divided by its own largest distance, so its values cannot be converted back to µm. Only the zero
level is kept, and distances to it are measured anew. Files of `cytoform export` record their scale and are taken
unchanged.
"""

import contextlib
import math
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import edt
import numpy as np
from jaxtyping import Float, Float32

from cytoform.base.hdf5 import is_hdf5, open_hdf5
from cytoform.base.output import Output
from cytoform.base.parallel import Progress, no_progress, run_all
from cytoform.base.provenance import recorded_names
from cytoform.errors import InputError
from cytoform.exchange.matlab import dataset, found_shape, mat5_array, mat5_shapes, scalar
from cytoform.shapes.distance import band_um, measured
from cytoform.shapes.grid import Grid
from cytoform.shapes.mesh import mesh_from_distance
from cytoform.shapes.store import SequenceInfo, ShapeStore
from cytoform.shapes.surface import Surface

ARRAY = "sdf_vid"
# Ranges of what `cytoform export` records.
RECORDED = {"um_per_unit": (1e-6, 1e6), "band_um": (1e-6, 65504.0), "time_step_s": (1e-9, 1e9)}
MOST_FRAMES = 10_000


@dataclass(frozen=True)
class Scale:
    """The scale that `cytoform export` records: values are distances / `um_per_unit`, truncated at ± `band_um`."""

    um_per_unit: float
    band_um: float


@dataclass(frozen=True)
class DistanceVideo:
    """A published array; `frame` reads one frame of it, from `rows` where a Matlab file of version 5 was copied to."""

    path: Path
    n_frames: int
    size: int
    scale: Scale | None
    time_step_s: float | None
    rows: Path | None = None

    def frame(self, number: int) -> Float[np.ndarray, "z y x"]:
        """The values of a frame, negative inside. Raises InputError for NaN and infinity, and for inside out."""
        if self.rows is None:
            with open_hdf5(self.path) as file:
                values = np.asarray(file[ARRAY][..., number], np.float32).transpose(0, 2, 1)
        else:
            values = np.asarray(np.load(self.rows, mmap_mode="r")[number], np.float32).transpose(2, 0, 1)
        if not np.isfinite(values).all():
            raise InputError(f"{self.path}, frame {number}: holds NaN or infinity; make the file anew")
        last = self.size - 1
        if (values[::last, ::last, ::last] <= 0).all():
            raise InputError(
                f"{self.path}, frame {number}: all corners of the volume are inside; distances are negative inside"
            )
        return values


def import_shapes(
    sources: Sequence[Path],
    out: Path,
    *,
    half_extent_um: float | None = None,
    voxel_size_um: float | None = None,
    time_step_s: float | None = None,
    workers: int = 1,
    overwrite: bool = False,
    progress: Progress = no_progress,
) -> Grid:
    """Turn files with an array `sdf_vid` into the shape store `out`, one sequence a file, named after it.

    The side of the cube, from `half_extent_um` or `voxel_size_um`, is needed where the files do not record it. Returns
    the grid of the store. Raises InputError before anything is written.
    """
    output = Output.at(out, inputs=sources, overwrite=overwrite)
    output.check()
    names = _names(sources)
    videos = [_open(Path(source)) for source in sources]
    grid = _common_grid(videos, half_extent_um, voxel_size_um)
    scale = videos[0].scale
    attributes: dict[str, Any] = {"command": "import", "sources": recorded_names(sources)}
    total = sum(video.n_frames for video in videos)
    with output.staged() as folder, progress("measuring distances", total) as advance:
        band = scale.band_um if scale else band_um(grid)
        store = ShapeStore.create(folder, grid, band_um=band, attributes=attributes)
        found = []
        for video, name, source in zip(videos, names, attributes["sources"], strict=True):
            step = video.time_step_s if time_step_s is None else time_step_s
            store.add(SequenceInfo(name, video.n_frames, step, source=source))
            with _frame_by_frame(video, out.parent) as readable:
                tasks = [(folder, readable, name, number) for number in range(video.n_frames)]
                found += run_all(_write, tasks, workers=workers, done=advance)
        store.note()
        if not any(found):
            raise InputError(f"{videos[0].path}: no voxel of any frame is inside; distances are negative inside")
    return grid


def _write(folder: Path, video: DistanceVideo, name: str, number: int) -> bool:
    """Write a frame; return whether there is a cell in it."""
    store = ShapeStore.open(folder, writable=True)
    values = video.frame(number)
    if not (values <= 0).any():
        return False
    sdf_um = values * video.scale.um_per_unit if video.scale else distance_to_zero(values, store.grid)
    store[name].write(number, sdf_um)
    return True


def _names(sources: Sequence[Path]) -> list[str]:
    names = [Path(source).stem for source in sources]
    for number, name in enumerate(names):
        if name in names[:number]:
            raise InputError(f"{sources[number]}: a second sequence {name!r}; rename one of the files")
    return names


@contextlib.contextmanager
def _frame_by_frame(video: DistanceVideo, where: Path) -> Iterator[DistanceVideo]:
    """The video in a form that can be read frame by frame, which a Matlab file of version 5 cannot."""
    if is_hdf5(video.path):
        yield video
        return
    with tempfile.TemporaryDirectory(prefix=".matlab-", dir=where) as folder:
        values = mat5_array(video.path, ARRAY)
        rows = Path(folder) / "rows.npy"
        copy = np.lib.format.open_memmap(rows, mode="w+", dtype=np.float32, shape=values.shape)
        for number, frame in enumerate(values):
            copy[number] = frame
        copy.flush()
        del values, copy
        yield replace(video, rows=rows)


def _open(path: Path) -> DistanceVideo:
    return _open_hdf5(path) if is_hdf5(path) else _open_mat5(path)


def _open_hdf5(path: Path) -> DistanceVideo:
    with open_hdf5(path) as file:
        array = dataset(file, ARRAY)
        n_frames, size = _check_shape(path, array.shape[::-1])
        # In version 7.3 of .mat there are variables instead of attributes.
        recorded = {key: scalar(file, key) for key in RECORDED if key in file}
        recorded |= {key: np.asarray(array.attrs[key]) for key in RECORDED if key in array.attrs}
    return DistanceVideo(path, n_frames, size, _scale(path, recorded), _number(path, recorded, "time_step_s"))


def _open_mat5(path: Path) -> DistanceVideo:
    shapes = mat5_shapes(path)
    n_frames, size = _check_shape(path, found_shape(path, shapes, ARRAY))
    # A long array is not read, and refused as no number.
    recorded = {
        key: mat5_array(path, key) if math.prod(shapes[key]) == 1 else np.empty(0) for key in RECORDED if key in shapes
    }
    return DistanceVideo(path, n_frames, size, _scale(path, recorded), _number(path, recorded, "time_step_s"))


def _check_shape(path: Path, shape_tyxz: tuple[int, ...]) -> tuple[int, int]:
    """Frames, and voxels along a side."""
    if len(shape_tyxz) != 4:
        raise InputError(f"{path}: {ARRAY} has {len(shape_tyxz)} axes; the published layout has 4: t, y, x, z")
    n_frames, *sides = shape_tyxz
    if not 1 <= n_frames <= MOST_FRAMES:
        raise InputError(f"{path}: {ARRAY} has {n_frames} frames; a sequence has 1 to {MOST_FRAMES}")
    if len(set(sides)) > 1:
        raise InputError(
            f"{path}: {ARRAY} is {n_frames} frames of {sides}; they must be cubes: pad them with background"
        )
    Grid(sides[0], 1.0)
    return n_frames, sides[0]


def _scale(path: Path, recorded: dict[str, np.ndarray]) -> Scale | None:
    if "um_per_unit" not in recorded:
        return None
    unit, band = _number(path, recorded, "um_per_unit"), _number(path, recorded, "band_um")
    if unit is None or band is None:
        raise InputError(f"{path}: records um_per_unit but no band_um; remove both to have distances measured anew")
    return Scale(unit, band)


def _number(path: Path, recorded: dict[str, np.ndarray], key: str) -> float | None:
    if key not in recorded:
        return None
    value = np.asarray(recorded[key]).ravel()
    low, high = RECORDED[key]
    if value.size != 1 or value.dtype.kind not in "uif" or not low <= value[0] <= high:
        raise InputError(
            f"{path}: {key} is {value[:3]}, not a number from {low:g} to {high:g}; remove it, or export the file again"
        )
    return float(value[0])


def _common_grid(videos: list[DistanceVideo], half_extent_um: float | None, voxel_size_um: float | None) -> Grid:
    first = videos[0]
    for video in videos[1:]:
        if (video.size, video.scale) != (first.size, first.scale):
            raise InputError(
                f"{video.path}: {video.size}³ voxels, scale {video.scale}; {first.path} has {first.size}³ and "
                f"{first.scale}; import files of one data set at a time"
            )
    if first.scale is not None:
        if half_extent_um is not None or voxel_size_um is not None:
            raise InputError(f"{first.path}: records its own scale; leave --half-extent and --voxel-size out")
        return Grid(first.size, first.scale.um_per_unit)
    return given_grid(first.path, first.size, half_extent_um=half_extent_um, voxel_size_um=voxel_size_um)


def given_grid(where: Path, size: int, *, half_extent_um: float | None, voxel_size_um: float | None) -> Grid:
    """The cube of `size`³ voxels that the user gave, one way or the other. Raises InputError for none and for both."""
    if half_extent_um is not None and voxel_size_um is not None:
        raise InputError("--half-extent and --voxel-size say the same; give one of them")
    if half_extent_um is not None:
        return Grid(size, half_extent_um)
    if voxel_size_um is None:
        raise InputError(f"{where}: does not record its size; give --voxel-size or --half-extent in µm")
    if not (math.isfinite(voxel_size_um) and voxel_size_um > 0):
        raise InputError(f"--voxel-size {voxel_size_um}: must be a positive number of micrometres")
    return Grid(size, size * voxel_size_um / 2)


def distance_to_zero(level: Float[np.ndarray, "n n n"], grid: Grid) -> Float32[np.ndarray, "n n n"]:
    """Signed distance in µm to where `level`, given at the voxel centres of `grid`, is 0; negative inside.

    The surface is that of marching cubes, between the voxels; the distance to it is as exact as that of
    `signed_distance`. `distance ≤ 0` is `level ≤ 0`. Raises EmptyFrame.
    """
    # Marching cubes takes any unit; a cube of about the same size as its values keeps its small numbers apart.
    scale = grid.half_extent_um / max(float(np.abs(level).max()), 1e-30)
    mesh = mesh_from_distance(np.asarray(level * scale, np.float32), grid.spacing_um)
    inside = level <= 0
    sdf_um = -edt.sdf(inside.astype(np.uint8), anisotropy=(grid.spacing_um,) * 3, parallel=1)
    vertices_zyx_um = np.ascontiguousarray(mesh.vertices_xyz_um[:, ::-1], float)
    return measured(sdf_um, [grid.centres_um] * 3, Surface(vertices_zyx_um, mesh.faces.astype(np.int64)), grid)

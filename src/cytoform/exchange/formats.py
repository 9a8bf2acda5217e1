"""Sequences of a shape store in other formats, frame by frame, so that memory does not grow with length.

masks    NAME.ome.tif    OME-TIFF, axes TZYX or TYX, uint8: 1 inside, with voxel size and time step
meshes   NAME/tTTT.ply   closed surfaces in µm, (x, y, z) from the corner of the cube; no file for an empty frame
points   NAME/tTTT.ply and NAME.npy (frames, points, (z, y, x)), spread evenly over the surface; NaN for an empty frame
h5       NAME.h5         the layout of the published code: `sdf_vid`, float32, as h5py sees it (z, x, y, t)
ctc      NN_GT           Cell Tracking Challenge ground truth: label images and lineage
mat      NAME.mat        the same array as Matlab has it, (t, y, x, z), in version 5, which the published code reads
"""

import contextlib
import math
import os
import re
from collections.abc import Callable, Iterator
from functools import partial
from importlib.util import find_spec
from itertools import groupby
from pathlib import Path
from typing import Any, Literal

import numpy as np
from jaxtyping import Bool, UInt8

from cytoform.errors import InputError
from cytoform.exchange.matlab import MAT5_BYTES
from cytoform.movies.ctc import CtcWriter
from cytoform.movies.lineage import Lineage, Track
from cytoform.shapes.mesh import surface_points
from cytoform.shapes.store import ShapeSequence

# The formats that know cells of images.
FLAT_FORMATS = ("masks", "ctc")
Format = Literal["masks", "meshes", "points", "ctc", "h5", "mat"]
MAT5_HEADER = 116  # bytes of text that a .mat file of version 5 begins with


def writer(to: Format, *, points: int, rng: np.random.Generator, number: int) -> Callable[[ShapeSequence, Path], None]:
    """The function that writes a sequence, the `number`-th from 1 on, into a folder."""
    writers: dict[Format, Callable[[ShapeSequence, Path], None]] = {
        "masks": write_masks,
        "meshes": write_meshes,
        "points": partial(write_points, n_points=points, rng=rng),
        "ctc": partial(write_ctc, number=number),
        "h5": write_h5,
        "mat": write_mat,
    }
    return writers[to]


def write_masks(sequence: ShapeSequence, folder: Path) -> None:
    """One OME-TIFF, read by Fiji, napari and `open_movies`."""
    import tifffile

    info, spacing_um = sequence.info, sequence.grid.spacing_um
    step = {} if info.time_step_s is None else {"TimeIncrement": info.time_step_s, "TimeIncrementUnit": "s"}
    axes = sequence.grid.axes.upper()
    sizes: dict[str, Any] = {f"PhysicalSize{axis}": spacing_um for axis in axes[::-1]}
    sizes |= {f"PhysicalSize{axis}Unit": "µm" for axis in axes[::-1]}
    shape = (info.n_frames, *sequence.grid.shape)
    with tifffile.TiffWriter(folder / f"{info.name}.ome.tif", ome=True, bigtiff=math.prod(shape) > 2**31) as tiff:
        tiff.write(
            _planes(sequence),
            shape=shape,
            dtype=np.uint8,
            photometric="minisblack",
            compression="zlib",
            # A random identity would give other bytes each time.
            metadata={"axes": f"T{axes}", "UUID": f"urn:uuid:{_identity(info.name)}", **sizes, **step},
        )


def write_meshes(sequence: ShapeSequence, folder: Path) -> None:
    """One PLY a frame."""
    inside = folder / sequence.info.name
    inside.mkdir()
    for frame, mesh in enumerate(sequence.meshes()):
        if mesh is not None:
            mesh.write(inside / f"t{frame:03d}.ply")


def write_points(sequence: ShapeSequence, folder: Path, *, n_points: int, rng: np.random.Generator) -> None:
    """One PLY a frame, and all frames in one array."""
    import trimesh

    if n_points < 1:
        raise InputError(f"--points {n_points}: at least one point a frame is needed")
    inside = folder / sequence.info.name
    inside.mkdir()
    clouds = np.full((sequence.info.n_frames, n_points, 3), np.nan, np.float32)
    for frame, mesh in enumerate(sequence.meshes()):
        if mesh is not None:
            points_xyz_um = surface_points(mesh, n_points, rng)
            clouds[frame] = points_xyz_um[:, ::-1]
            trimesh.PointCloud(points_xyz_um).export(inside / f"t{frame:03d}.ply")
    np.save(folder / f"{sequence.info.name}.npy", clouds)


def write_h5(sequence: ShapeSequence, folder: Path) -> None:
    """One HDF5 file; distances are divided by the half extent of the cube, one scale for all frames, kept beside them.

    The published code divides each frame by its own maximum instead, which loses the physical size.
    """
    if find_spec("h5py") is None:
        raise InputError("--to h5: HDF5 needs h5py; install it with: pip install 'cytoform[h5]'")
    info, grid = sequence.info, sequence.grid
    with _new_hdf5(folder / f"{info.name}.h5") as file:
        shape, chunk = (*grid.shape, info.n_frames), (*grid.shape, 1)
        volumes = file.create_dataset("sdf_vid", shape, np.float32, chunks=chunk, compression="gzip", shuffle=True)
        for frame in range(info.n_frames):
            volumes[..., frame] = (sequence.sdf_um(frame) / grid.half_extent_um).transpose(0, 2, 1)
        volumes.attrs["axes"] = "z x y t"
        volumes.attrs["um_per_unit"] = grid.half_extent_um
        volumes.attrs["spacing_um"] = grid.spacing_um
        volumes.attrs["band_um"] = sequence.band_um
        if info.time_step_s is not None:
            volumes.attrs["time_step_s"] = info.time_step_s


@contextlib.contextmanager
def _new_hdf5(path: Path) -> Iterator[Any]:
    """A new HDF5 file. Raises OSError for a fault of the disk."""
    import h5py

    file = h5py.File(path, "w", track_order=False)
    try:
        yield file
        file.flush()
    except (OSError, RuntimeError) as fault:
        # HDF5 would end the process if it met the fault again when it closes the file: the rest goes nowhere.
        nowhere = os.open(os.devnull, os.O_RDWR)
        os.dup2(nowhere, file.id.get_vfd_handle())
        os.close(nowhere)
        with contextlib.suppress(OSError, RuntimeError):
            file.close()
        if number := re.search(r"errno = (\d+)", str(fault)):
            raise OSError(int(number[1]), os.strerror(int(number[1])), str(path)) from fault
        raise
    finally:
        file.close()


def write_mat(sequence: ShapeSequence, folder: Path) -> None:
    """One Matlab file. The attributes of `write_h5` are variables beside `sdf_vid`.

    The published code reads it through SciPy, which reads versions up to 7. An array in them has at most 2 GB.
    """
    from scipy.io import savemat

    info, grid = sequence.info, sequence.grid
    shape_tyxz = (info.n_frames, grid.size, grid.size, grid.size)
    if 4 * math.prod(shape_tyxz) > MAT5_BYTES:
        gigabytes = 4 * math.prod(shape_tyxz) / 1e9
        raise InputError(
            f"{info.name}: takes {gigabytes:.1f} GB, a .mat file at most 2 GB; use --to h5, Matlab reads it"
        )
    volumes = np.empty(shape_tyxz, np.float32)
    for frame in range(info.n_frames):
        volumes[frame] = (sequence.sdf_um(frame) / grid.half_extent_um).transpose(1, 2, 0)
    variables: dict[str, np.ndarray | float] = {
        "sdf_vid": volumes,
        "um_per_unit": grid.half_extent_um,
        "spacing_um": grid.spacing_um,
        "band_um": sequence.band_um,
    }
    if info.time_step_s is not None:
        variables["time_step_s"] = info.time_step_s
    path = folder / f"{info.name}.mat"
    savemat(path, variables, do_compression=True)
    with path.open("r+b") as file:
        # SciPy puts the date into the header; the same store is to give the same bytes.
        file.write(b"MATLAB 5.0 MAT-file, written by cytoform".ljust(MAT5_HEADER))


def write_ctc(sequence: ShapeSequence, folder: Path, *, number: int) -> None:
    """The folder NN_GT of a Cell Tracking Challenge folder: the whole family under one label, in the coordinates of the cube.

    A shape store does not tell daughters apart, so a family is one track. A track must not have gaps: after
    empty frames the family continues under the next label, with the previous label as its parent. Nothing is written of a
    sequence that is empty in all frames.
    """
    if all(sequence.box(frame).is_empty for frame in range(sequence.info.n_frames)):
        return
    info, spacing_um = sequence.info, sequence.grid.spacing_um
    writer = CtcWriter(
        folder,
        info.n_frames,
        (spacing_um, spacing_um, spacing_um),
        time_step_s=info.time_step_s,
        sequence=f"{number:02d}",
    )
    label, labels = 0, []
    before = False
    for frame in range(info.n_frames):
        mask = _in_planes(sequence.mask(frame))
        present = bool(mask.any())
        label += present and not before
        before = present
        labels.append(label if present else 0)
        writer.write(frame, (mask * label).astype(np.uint16))
    writer.finish(Lineage(_tracks(labels)))


def _tracks(labels: list[int]) -> tuple[Track, ...]:
    """Tracks of the labels seen in each frame; 0 is none."""
    frames = groupby(range(len(labels)), key=lambda frame: labels[frame])
    runs = [(label, list(run)) for label, run in frames if label]
    return tuple(Track(label, run[0], run[-1], parent=label - 1) for label, run in runs)


def _planes(sequence: ShapeSequence) -> Iterator[UInt8[np.ndarray, "y x"]]:
    for frame in range(sequence.info.n_frames):
        yield from _in_planes(sequence.mask(frame)).astype(np.uint8)


def _in_planes(mask: Bool[np.ndarray, "*zyx"]) -> Bool[np.ndarray, "z y x"]:
    """The planes of a frame: one of an image."""
    return mask.reshape((-1, *mask.shape[-2:]))


def _identity(name: str) -> str:
    import uuid

    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"cytoform:{name}"))

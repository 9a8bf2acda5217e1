"""A dividing pair of balls with known truth, and writers for every file format that we read."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
import zarr

from cytoform.movies.ctc import CtcWriter
from cytoform.movies.lineage import Lineage, Track

SPACING_ZYX_UM = (0.5, 0.2, 0.25)
TIME_STEP_S = 90.0
SHAPE_ZYX = (24, 60, 48)
RADIUS_UM = 2.5

Writer = Callable[[Path, np.ndarray], Path]


def ball(centre_zyx_um: tuple[float, float, float], *, radius_um: float = RADIUS_UM) -> np.ndarray:
    """Voxels with their centre inside a ball."""
    axes = [(np.arange(n) + 0.5) * s for n, s in zip(SHAPE_ZYX, SPACING_ZYX_UM, strict=True)]
    grid = np.meshgrid(*axes, indexing="ij")
    return sum((g - c) ** 2 for g, c in zip(grid, centre_zyx_um, strict=True)) <= radius_um**2


def division_frames() -> np.ndarray:
    """Label 7 in the frames 0 to 2, then its daughters 300 and 40 in 3 to 5 (t z y x)."""
    frames = np.zeros((6, *SHAPE_ZYX), np.uint16)
    for frame in range(3):
        frames[frame][ball((6.0, 6.0 + 0.1 * frame, 6.0))] = 7
        frames[frame + 3][ball((6.0, 3.3, 6.0 - 0.2 * frame), radius_um=1.8)] = 300
        frames[frame + 3][ball((6.0, 8.5, 6.0 + 0.2 * frame), radius_um=2.2)] = 40
    return frames


def division_lineage() -> Lineage:
    """Mother 7, daughters 40 and 300."""
    return Lineage((Track(7, 0, 2, 0), Track(40, 3, 5, 7), Track(300, 3, 5, 7)))


def write_ome_tiff(path: Path, frames: np.ndarray, *, unit: str = "µm", scale: float = 1.0) -> Path:
    """Write an OME-TIFF with voxel sizes in `unit` (`scale` of them are 1 µm) and the time step in minutes."""
    z, y, x = (size * scale for size in SPACING_ZYX_UM)
    sizes = {f"PhysicalSize{a}": size for a, size in zip("ZYX", (z, y, x), strict=True)}
    units = {f"PhysicalSize{a}Unit": unit for a in "ZYX"}
    time = {"TimeIncrement": TIME_STEP_S / 60, "TimeIncrementUnit": "min"}
    file = path.with_suffix(".ome.tif")
    metadata = {"axes": "TZYX", **sizes, **units, **time}
    tifffile.imwrite(file, frames, ome=True, metadata=metadata, compression="zlib", photometric="minisblack")
    return file


def write_imagej(path: Path, frames: np.ndarray) -> Path:
    """Write an ImageJ hyperstack, which is big-endian and uncompressed."""
    z, y, x = SPACING_ZYX_UM
    metadata = {"axes": "TZYX", "unit": "micron", "spacing": z, "finterval": TIME_STEP_S}
    file = path.with_suffix(".tif")
    tifffile.imwrite(file, frames, imagej=True, resolution=(1 / x, 1 / y), metadata=metadata, photometric="minisblack")
    return file


def write_folder(path: Path, frames: np.ndarray) -> Path:
    """Write one file per frame; only natural order sorts the names correctly."""
    z, y, x = SPACING_ZYX_UM
    path.mkdir()
    for t, frame in enumerate(frames):
        metadata = {"axes": "ZYX", "unit": "nm", "spacing": z * 1e3, "finterval": TIME_STEP_S}
        resolution = (1 / (x * 1e3), 1 / (y * 1e3))
        tifffile.imwrite(path / f"t{t + 7}.tif", frame, imagej=True, resolution=resolution, metadata=metadata)
    return path


def write_challenge(path: Path, frames: np.ndarray) -> Path:
    """Write a Cell Tracking Challenge dataset with the lineage of the division."""
    writer = CtcWriter(path, n_frames=len(frames), spacing_zyx_um=SPACING_ZYX_UM, time_step_s=TIME_STEP_S)
    for t, frame in enumerate(frames):
        writer.write(t, frame)
    writer.finish(division_lineage())
    return path


def _multiscale(axes: str, scale: list[float]) -> dict[str, Any]:
    units = {"t": "minute", "z": "micrometer", "y": "nanometer", "x": "micrometer"}
    kinds = {"t": "time", "c": "channel"}
    listed = [{"name": a, "type": kinds.get(a, "space"), **({"unit": units[a]} if a in units else {})} for a in axes]
    datasets = [{"path": "0", "coordinateTransformations": [{"type": "scale", "scale": scale}]}]
    return {"axes": listed, "datasets": datasets}


def write_ome_zarr(path: Path, frames: np.ndarray, *, version: str = "0.5", channel: bool = False) -> Path:
    """Write an OME-Zarr image with only a label image; y is in nm, t in minutes."""
    z, y, x = SPACING_ZYX_UM
    axes, scale = "tzyx", [TIME_STEP_S / 60, z, y * 1e3, x]
    if channel:
        axes, scale, frames = "tczyx", [scale[0], 1.0, *scale[1:]], frames[:, None]
    file = path.with_suffix(".ome.zarr")
    new = version == "0.5"
    root = zarr.create_group(file, zarr_format=3 if new else 2)
    labels = root.create_group("labels")
    cells = labels.create_group("cells")
    multiscale = _multiscale(axes, scale)
    if new:
        labels.attrs["ome"] = {"version": version, "labels": ["cells"]}
        cells.attrs["ome"] = {"version": version, "multiscales": [multiscale], "image-label": {}}
    else:
        labels.attrs["labels"] = ["cells"]
        cells.attrs.update({"multiscales": [{**multiscale, "version": version}], "image-label": {"version": version}})
    array = cells.create_array("0", shape=frames.shape, dtype=frames.dtype, chunks=(1,) * (frames.ndim - 3) + SHAPE_ZYX)
    array[...] = frames
    return file


CONTAINERS: dict[str, Writer] = {
    "ome-tiff": write_ome_tiff,
    "ome-tiff-nm": lambda path, frames: write_ome_tiff(path, frames, unit="nm", scale=1e3),
    "ome-tiff-mm": lambda path, frames: write_ome_tiff(path, frames, unit="mm", scale=1e-3),
    "imagej": write_imagej,
    "folder": write_folder,
    "challenge": write_challenge,
    "ome-zarr-0.4": lambda path, frames: write_ome_zarr(path, frames, version="0.4"),
    "ome-zarr-0.5": write_ome_zarr,
    "ome-zarr-channel": lambda path, frames: write_ome_zarr(path, frames, channel=True),
}


@pytest.fixture(params=CONTAINERS)
def container(request: pytest.FixtureRequest) -> Writer:
    """Every writer in turn."""
    return CONTAINERS[request.param]


@pytest.fixture
def write() -> dict[str, Writer]:
    """All writers by name."""
    return CONTAINERS


@pytest.fixture
def division() -> np.ndarray:
    """Frames of a division (t z y x)."""
    return division_frames()


@pytest.fixture
def lineage() -> Lineage:
    """The lineage of the division."""
    return division_lineage()


@pytest.fixture
def spacing_zyx_um() -> tuple[float, float, float]:
    """Voxel size in all files."""
    return SPACING_ZYX_UM


@pytest.fixture
def time_step_s() -> float:
    """Time step in all files."""
    return TIME_STEP_S

"""The open labels layer as a label movie on disk: its axes, its voxel size in µm, and the lineage of a tracks layer."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from napari.layers import Labels, Tracks

from cytoform.errors import InputError
from cytoform.movies.movie import safe_name
from cytoform_napari.panel import numbers

AXES = {2: "YX", 3: "TYX", 4: "TZYX"}  # of layers with so many dimensions, unless the user says otherwise
VOLUME = "ZYX"


@dataclass(frozen=True)
class OpenLabels:
    """A labels layer that is ready to be written; of a single label if `only` is one."""

    data: Any
    name: str
    axes: str
    voxel_size_zyx_um: tuple[float, float, float]
    only: int | None = None

    def frame(self, number: int) -> np.ndarray:
        """Labels of a frame, along the axes of space."""
        frame = np.asarray(self.data[number] if "T" in self.axes else self.data)
        return frame if self.only is None else np.where(frame == self.only, frame, 0)

    @property
    def n_frames(self) -> int:
        """Number of frames."""
        return len(self.data) if "T" in self.axes else 1

    def write(self, folder: Path) -> Path:
        """Write labels.npy into a folder, one frame after the other."""
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / "labels.npy"
        shape = tuple(self.data.shape)
        array = np.lib.format.open_memmap(path, mode="w+", dtype=self.data.dtype, shape=shape)
        for number in range(self.n_frames):
            array[number if "T" in self.axes else ...] = self.frame(number)
        array.flush()
        return path


def open_labels(layer: Labels | None, *, voxel_size: str, volume: bool = False, selected: bool = False) -> OpenLabels:
    """A layer with the voxel size of a text such as "0.5 0.2 0.2". Raises InputError for a layer that is no label movie."""
    if layer is None:
        raise InputError("labels: no labels layer is open; open a label movie, or File > Open Sample > cytoform")
    axes = VOLUME if volume and layer.ndim == 3 else AXES.get(layer.ndim)
    if axes is None:
        raise InputError(f"{layer.name}: a layer of {layer.ndim} dimensions; give a movie T Z Y X or T Y X")
    n_dims = len(axes.replace("T", ""))
    sizes = numbers(voxel_size, "voxel size")
    if len(sizes) != n_dims or min(sizes) <= 0:
        wanted = " ".join(axes.replace("T", ""))
        raise InputError(
            f"{layer.name}: the voxel size is not known; fill in voxel size {wanted} in µm, such as 0.5 0.2 0.2"
        )
    *z, y, x = sizes
    only = int(layer.selected_label) if selected else None
    return OpenLabels(layer.data, safe_name(layer.name), axes, (z[0] if z else x, y, x), only)


def voxel_size_text(layer: Labels | None) -> str:
    """The voxel size of a layer in µm, for a field; empty where the layer has none, so that the user is asked."""
    if layer is None:
        return ""
    n_dims = len(AXES.get(layer.ndim, "").replace("T", ""))
    if not n_dims:
        return ""
    try:
        sizes = [_in_um(size, unit) for size, unit in zip(layer.scale[-n_dims:], layer.units[-n_dims:], strict=True)]
    except ValueError:
        return ""
    return " ".join(f"{size:g}" for size in sizes)


def _in_um(size: float, unit: Any) -> float:
    """A length in µm. A size without a unit that is not 1 is taken as µm, since most readers leave the unit out."""
    if unit.dimensionality == {"[length]": 1}:
        return float((size * unit).to("um").magnitude)
    if size == 1:
        raise ValueError("no voxel size")
    return float(size)


def lineage_of(tracks: Tracks | None, labels: OpenLabels) -> str:
    """The lineage of a tracks layer as man_track.txt has it; its tracks are numbered like the labels. Raises InputError."""
    if tracks is None:
        return ""
    ids, frames = tracks.data[:, 0].astype(int), tracks.data[:, 1].astype(int)
    first = {number: int(frames[ids == number].min()) for number in np.unique(ids)}
    last = {number: int(frames[ids == number].max()) for number in np.unique(ids)}
    rows = []
    for number in first:
        mothers = [int(mother) for mother in np.atleast_1d(tracks.graph.get(number, []))]
        if len(mothers) > 1:
            raise InputError(
                f"{tracks.name}: track {number} comes from {len(mothers)} others; choose tracks without merges"
            )
        rows.append(f"{number} {first[number]} {last[number]} {mothers[0] if mothers else 0}")
    return "\n".join(rows) + "\n"


def writer(labels: OpenLabels, folder: Path, lineage: str = "") -> Callable[[], None]:
    """Work for a thread: write the labels, and their lineage beside them."""

    def write() -> None:
        labels.write(folder)
        if lineage:
            (folder / "man_track.txt").write_text(lineage, "utf-8")

    return write

"""The files of one data set: Cell Tracking Challenge layout, and optionally OME-Zarr, a graph and meshes.

DIR/01/t000.tif …                    images
    01_GT/SEG/man_seg000.tif …       masks
    01_GT/TRA/man_track000.tif …     the same masks, and man_track.txt
    01.ome.zarr                      images and labels/cells (OME-Zarr 0.5), optional
    01.geff                          tracks as a graph (scenes/graph.py)
    meshes/01/t000_00001.ply …       surfaces, optional
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from zarr.codecs import BloscCodec

from cytoform.base.files import write_atomically
from cytoform.base.ome import OME_VERSION, multiscale
from cytoform.base.triples import IntTriple
from cytoform.movies.ctc import frame_digits, write_image
from cytoform.movies.lineage import Lineage, write_lineage
from cytoform.scenes.bodies import read_box
from cytoform.scenes.compose import Placement, View
from cytoform.shapes.mesh import Mesh, mesh_from_distance

LEVEL = 1  # of compression: higher levels hardly shrink masks, and noise not at all
LABELS = "cells"


@dataclass(frozen=True)
class Dataset:
    """A data set on disk; frames can be written in any order and by any process."""

    folder: Path
    view: View
    n_frames: int
    time_step_s: float
    ome_zarr: bool = False
    meshes: bool = False
    sequence: str = "01"

    def create(self, image_dtype: np.dtype | None) -> None:
        """Create the folders, and with `ome_zarr` the empty arrays; without images if the dtype is None."""
        for folder in (self._tracking, self._masks, *([self._images] if image_dtype else [])):
            folder.mkdir(parents=True, exist_ok=True)
        if self.ome_zarr and not self.ome.exists():
            self._create_zarr(image_dtype)

    def write(self, frame: int, labels: np.ndarray, image: np.ndarray | None) -> None:
        """Write one frame (z, y, x); each file gets its name when it is complete."""
        number = self.number(frame)
        masks = self._tiff(labels)
        write_atomically(self._tracking / f"man_track{number}.tif", masks)
        write_atomically(self._masks / f"man_seg{number}.tif", masks)
        if image is not None:
            write_atomically(self._images / f"t{number}.tif", self._tiff(image))
        if self.ome_zarr:
            group = zarr.open_group(self.ome, mode="r+")
            _array(group, f"labels/{LABELS}/0")[frame] = labels
            if image is not None:
                _array(group, "0")[frame] = image

    def finish(self, lineage: Lineage) -> None:
        """Write the lineage; call it after the last frame."""
        write_lineage(self._tracking / "man_track.txt", lineage)

    def number(self, frame: int) -> str:
        """Frame number as in file names."""
        return frame_digits(frame, self.n_frames)

    @property
    def ome(self) -> Path:
        """Path of the OME-Zarr image."""
        return self.folder / f"{self.sequence}.ome.zarr"

    @property
    def shape_zyx(self) -> IntTriple:
        """Shape of its frames; one plane in projections."""
        n_z, n_y, n_x = self.view.seen_shape_zyx
        return (1 if self.view.projection else n_z), n_y, n_x

    @property
    def _images(self) -> Path:
        return self.folder / self.sequence

    @property
    def _tracking(self) -> Path:
        return self.folder / f"{self.sequence}_GT" / "TRA"

    @property
    def _masks(self) -> Path:
        return self.folder / f"{self.sequence}_GT" / "SEG"

    def _tiff(self, image: np.ndarray) -> bytes:
        file = io.BytesIO()
        spacing_um = self.view.seen_spacing_zyx_um
        write_image(file, image, spacing_zyx_um=spacing_um, time_step_s=self.time_step_s, level=LEVEL)
        return file.getvalue()

    def _create_zarr(self, image_dtype: np.dtype | None) -> None:
        """An image with its labels, or labels alone if there are no images."""
        scale = [self.time_step_s, *self.view.seen_spacing_zyx_um]
        root = zarr.create_group(self.ome, zarr_format=3)
        if image_dtype is not None:
            root.attrs["ome"] = {
                "version": OME_VERSION,
                "multiscales": [multiscale(self.sequence, "0", scale, self.time_step_s)],
            }
            self._create_array(root, image_dtype)
        labels = root.create_group("labels")
        labels.attrs["ome"] = {"version": OME_VERSION, "labels": [LABELS]}
        cells = labels.create_group(LABELS)
        cells.attrs["ome"] = {
            "version": OME_VERSION,
            "multiscales": [multiscale(LABELS, "0", scale, self.time_step_s)],
            "image-label": {"version": OME_VERSION, **({"source": {"image": "../../"}} if image_dtype else {})},
        }
        self._create_array(cells, np.dtype(np.uint16))

    def _create_array(self, group: zarr.Group, dtype: np.dtype) -> None:
        group.create_array(
            "0",
            shape=(self.n_frames, *self.shape_zyx),
            chunks=(1, *(min(n, 256) for n in self.shape_zyx)),
            dtype=dtype.name,
            fill_value=0,
            compressors=BloscCodec(cname="zstd", clevel=1, shuffle="shuffle"),
            dimension_names=("t", "z", "y", "x"),
        )


def _array(group: zarr.Group, name: str) -> zarr.Array[Any]:
    array = group[name]
    assert isinstance(array, zarr.Array)
    return array


def write_meshes(placements: Sequence[Placement], cells: Path, folder: Path, number: str) -> None:
    """Write the surface of every cell, also beyond the border; (x, y, z) in µm from the corner of the scene."""
    folder.mkdir(parents=True, exist_ok=True)
    for placement in placements:
        mesh = scene_mesh(placement, cells)
        final = folder / f"t{number}_{placement.label:05d}.ply"
        partial = final.with_name(f".{final.name}")
        mesh.write(partial.with_suffix(".partial.ply"))
        partial.with_suffix(".partial.ply").replace(final)


def scene_mesh(placement: Placement, cells: Path) -> Mesh:
    """The surface of a cell at its position in the scene."""
    shape = placement.shape
    mesh = mesh_from_distance(read_box(cells, shape), shape.spacing_um)
    # Mesh vertices are relative to the corner of the box's first voxel.
    corner_um = np.add(placement.centre_zyx_um, shape.origin_zyx_um) - shape.spacing_um / 2
    return Mesh((mesh.vertices_xyz_um + corner_um[::-1]).astype(np.float32), mesh.faces)

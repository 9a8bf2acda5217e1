"""The files of one data set: Cell Tracking Challenge layout, and optionally OME-Zarr, a graph and meshes.

DIR/01/t000.tif …                    images
    01_GT/SEG/man_seg000.tif …       masks
    01_GT/TRA/man_track000.tif …     the same masks, and man_track.txt
    01.ome.zarr                      images and labels/cells (OME-Zarr 0.5; axes t y x for cells of images), optional
    01.geff                          tracks as a graph (scenes/graph.py)
    meshes/01/t000_00001.ply …       surfaces, optional
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import zarr

from cytoform.base.ome import VERSION, OmeMovie
from cytoform.base.system import rename
from cytoform.base.triples import Ints, IntTriple
from cytoform.movies.ctc import CtcWriter
from cytoform.scenes.bodies import read_box
from cytoform.scenes.compose import Placement, View
from cytoform.shapes.mesh import Mesh, mesh_from_distance

LEVEL = 1  # of compression: noise does not shrink, and masks hardly more at higher ones
CHUNK = 256  # longest side of a chunk
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
        """Make the folder, and with `ome_zarr` the empty arrays. `image_dtype` is None where there are no images."""
        self.folder.mkdir(parents=True, exist_ok=True)
        if not self.ome_zarr or self.ome.exists():
            return
        chunk_zyx = tuple(min(n, CHUNK) for n in self._ome_shape_zyx)
        spacing_zyx_um = self.view.seen_spacing_zyx_um[-self.view.n_dims :]
        movie = OmeMovie(self.n_frames, self._ome_shape_zyx, chunk_zyx, spacing_zyx_um, self.time_step_s)
        # Under another name until it is whole: a killed process leaves nothing that a resumed one would take for it.
        begun = self.ome.with_name(f".{self.ome.name}")
        root = zarr.create_group(begun, zarr_format=3, overwrite=True)
        image = {}
        if image_dtype is not None:
            movie.create(root, self.sequence, image_dtype.name)
            image = {"source": {"image": "../../"}}
        movie.create_labels(root, LABELS, "uint16", label={"version": VERSION, **image})
        rename(begun, self.ome)

    def write(self, frame: int, labels: np.ndarray, image: np.ndarray | None, *, segmentation: bool = True) -> None:
        """Write one frame (z, y, x), with or without its SEG mask; a file has its name only when it is complete."""
        replace(self.challenge, segmentation=segmentation).write(frame, labels, image)
        if self.ome_zarr:
            group = zarr.open_group(self.ome, mode="r+")
            _array(group, f"labels/{LABELS}/0")[frame] = labels.reshape(self._ome_shape_zyx)
            if image is not None:
                _array(group, "0")[frame] = image.reshape(self._ome_shape_zyx)

    @property
    def challenge(self) -> CtcWriter:
        """Writes the files of the Cell Tracking Challenge."""
        spacing_um = self.view.seen_spacing_zyx_um
        return CtcWriter(self.folder, self.n_frames, spacing_um, self.time_step_s, self.sequence, level=LEVEL)

    @property
    def ome(self) -> Path:
        """Path of the OME-Zarr image."""
        return self.folder / f"{self.sequence}.ome.zarr"

    @property
    def shape_zyx(self) -> IntTriple:
        """Shape of its frames; one plane if they are images."""
        n_z, n_y, n_x = self.view.seen_shape_zyx
        return (1 if self.view.is_flat else n_z), n_y, n_x

    @property
    def _ome_shape_zyx(self) -> Ints:
        """Shape of the frames of the OME-Zarr image, which has no z axis where the cells have none."""
        return self.shape_zyx[-self.view.n_dims :]


def _array(group: zarr.Group, name: str) -> zarr.Array[Any]:
    array = group[name]
    if not isinstance(array, zarr.Array):
        raise TypeError(f"{name}: a group instead of an array")
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
    spacing_um = np.array(shape.spacing_zyx_um)
    in_voxels = mesh_from_distance(read_box(cells, shape), 1.0)
    # Mesh vertices are relative to the corner of the box's first voxel.
    corner_um = np.add(placement.centre_zyx_um, shape.origin_zyx_um) - spacing_um / 2
    vertices_um = in_voxels.vertices_xyz_um * spacing_um[::-1] + corner_um[::-1]
    return Mesh(vertices_um.astype(np.float32), in_voxels.faces)

"""Surfaces of the cells of a frame, in µm of the scene: meshes/01/t000_00001.ply."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from cytoform.scenes.bodies import read_box
from cytoform.scenes.compose import Placement
from cytoform.shapes.mesh import Mesh, mesh_from_distance


def write_meshes(placements: Sequence[Placement], cells: Path, folder: Path, number: str) -> None:
    """Write the whole surface of every cell, also of what lies beyond the border; (x, y, z) from the scene's corner."""
    folder.mkdir(parents=True, exist_ok=True)
    for placement in placements:
        mesh = scene_mesh(placement, cells)
        final = folder / f"t{number}_{placement.label:05d}.ply"
        partial = final.with_name(f".{final.name}")
        mesh.write(partial.with_suffix(".partial.ply"))
        partial.with_suffix(".partial.ply").replace(final)


def scene_mesh(placement: Placement, cells: Path) -> Mesh:
    """The surface of a cell where it is in the scene."""
    shape = placement.shape
    mesh = mesh_from_distance(read_box(cells, shape), shape.spacing_um)
    # Vertices are counted from the corner of the box's first voxel.
    corner_um = np.add(placement.centre_zyx_um, shape.origin_zyx_um) - shape.spacing_um / 2
    return Mesh((mesh.vertices_xyz_um + corner_um[::-1]).astype(np.float32), mesh.faces)

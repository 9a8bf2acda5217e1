"""Fewer faces, the same shape."""

import numpy as np
import pytest
import trimesh
from stores import GRID, ball

from cytoform.pictures.decimation import decimated, nearest_values
from cytoform.shapes.mesh import Mesh, mesh_from_distance


@pytest.fixture(scope="module")
def fine() -> Mesh:
    return mesh_from_distance(ball(4.0), GRID.spacing_um)


def test_keeps_volume_and_closure(fine: Mesh) -> None:
    coarse = decimated(fine, 300)
    assert 250 <= len(coarse.faces) <= 300
    assert trimesh.Trimesh(coarse.vertices_xyz_um, coarse.faces).is_watertight
    assert coarse.volume_um3 == pytest.approx(fine.volume_um3, rel=0.02)  # an inscribed one would lose 2.4 %


def test_leaves_alone_what_is_coarse(fine: Mesh) -> None:
    assert decimated(fine, len(fine.faces)) is fine


def test_values_go_with_their_places(fine: Mesh) -> None:
    coarse = decimated(fine, 300)
    carried = nearest_values(fine.vertices_xyz_um[:, 2].astype(float), fine, coarse)
    assert np.abs(carried - coarse.vertices_xyz_um[:, 2]).max() < GRID.spacing_um

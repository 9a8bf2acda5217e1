"""Elongation and solidity against truth, scikit-image and trimesh."""

import math

import numpy as np
import pytest
import trimesh
from scipy.spatial.transform import Rotation
from skimage.measure import regionprops
from stores import GRID, ball, lopsided

from cytoform.assess.measures.descriptors import elongation, solidity
from cytoform.shapes.mesh import Mesh, mesh_from_distance


def meshed(sdf_um: np.ndarray) -> Mesh:
    return mesh_from_distance(sdf_um, GRID.spacing_um)


def sphere(*scale: float, shift: float = 0.0) -> Mesh:
    made = trimesh.creation.icosphere(5, 1.0)
    turned = Rotation.from_euler("xyz", (0.3, 1.0, -0.7)).apply(made.vertices * scale)
    return Mesh((turned + shift).astype(np.float32), np.asarray(made.faces))


def test_ellipsoids_wherever_they_lie() -> None:
    assert elongation(sphere(5, 3, 2, shift=40.0)) == pytest.approx(5 / 3, rel=1e-4)
    assert elongation(sphere(5, 5, 2)) == pytest.approx(1, rel=1e-4)
    assert solidity(sphere(5, 3, 2)) == pytest.approx(1, abs=1e-4)


def test_a_box_by_hand() -> None:
    made = trimesh.creation.box((4, 2, 1))
    assert elongation(Mesh(made.vertices.astype(np.float32), np.asarray(made.faces))) == pytest.approx(2, rel=1e-6)


@pytest.mark.parametrize("turn", [0.0, 0.6])
def test_agrees_with_voxels_and_with_trimesh(turn: float) -> None:
    sdf_um = lopsided(Rotation.from_euler("z", turn))
    mesh = meshed(sdf_um)
    (region,) = regionprops((sdf_um <= 0).astype(np.uint8))
    # scikit-image's are those of inertia, of which the two smallest belong to the longest axes.
    moments = np.linalg.eigvalsh(np.cov(np.argwhere(sdf_um <= 0).T, bias=True))
    assert elongation(mesh) == pytest.approx(math.sqrt(moments[2] / moments[1]), rel=0.02)
    assert np.linalg.eigvalsh(region.inertia_tensor) == pytest.approx(sorted(moments.sum() - moments), rel=1e-6)
    other = trimesh.Trimesh(mesh.vertices_xyz_um.astype(float), mesh.faces, process=False)
    inertia = np.linalg.eigvalsh(other.moment_inertia)
    by_trimesh = inertia.sum() / 2 - inertia
    assert elongation(mesh) == pytest.approx(math.sqrt(by_trimesh[0] / by_trimesh[1]), rel=1e-4)
    assert solidity(mesh) == pytest.approx(other.volume / other.convex_hull.volume, rel=1e-5)


def test_two_balls_fill_part_of_their_hull() -> None:
    """Of a capsule: two balls of radius 2, 8 apart."""
    pair = np.minimum(ball(2.0, shift_zyx_um=(0, 0, 4.0)), ball(2.0, shift_zyx_um=(0, 0, -4.0)))
    assert solidity(meshed(pair)) == pytest.approx((2 * 4 / 3 * 2) / (8 + 4 / 3 * 2), rel=0.01)

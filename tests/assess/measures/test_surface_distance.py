"""ASSD and HD95 against exact surfaces and brute force."""

import numpy as np
import pytest
import trimesh
from scipy.spatial.distance import cdist
from stores import GRID, ball

from cytoform.assess.measures.surface_distance import surface_distance
from cytoform.shapes.mesh import Mesh, mesh_from_distance

SPACING = GRID.spacing_um


def sphere(radius: float, *, subdivisions: int = 4, shift: tuple[float, float, float] = (0, 0, 0)) -> Mesh:
    icosphere = trimesh.creation.icosphere(subdivisions, radius)
    return Mesh((icosphere.vertices + shift).astype(np.float32), np.asarray(icosphere.faces))


@pytest.mark.parametrize("gap_um", [0.05, 0.3, 1.0])
def test_concentric_balls_lie_apart_by_the_difference_of_radii(gap_um: float) -> None:
    found = surface_distance(mesh_from_distance(ball(3.0), SPACING), mesh_from_distance(ball(3.0 + gap_um), SPACING))
    assert found.assd_um == pytest.approx(gap_um, abs=0.015)
    assert found.hd95_um == pytest.approx(gap_um, abs=0.03)


def test_a_surface_is_at_no_distance_from_itself() -> None:
    mesh = mesh_from_distance(ball(3.0), SPACING)
    found = surface_distance(mesh, mesh)
    assert found.assd_um == pytest.approx(0, abs=1e-6)
    assert found.hd95_um == pytest.approx(0, abs=1e-6)


def test_agrees_with_brute_force_over_dense_samples() -> None:
    a, b = sphere(2.0), sphere(3.0, shift=(0.5, -0.3, 0.9))
    samples = [trimesh.Trimesh(m.vertices_xyz_um, m.faces).sample(6000, seed=i) for i, m in enumerate((a, b))]
    distances = cdist(*samples)
    to_b, to_a = distances.min(axis=1), distances.min(axis=0)
    areas = a.area_um2, b.area_um2
    found = surface_distance(a, b)
    assert found.assd_um == pytest.approx((to_b.mean() * areas[0] + to_a.mean() * areas[1]) / sum(areas), rel=0.01)
    assert found.hd95_um == pytest.approx(max(np.percentile(to_b, 95), np.percentile(to_a, 95)), rel=0.01)


def test_normal_consistency_agrees_with_trimesh_and_by_hand() -> None:
    a, b = sphere(2.0), sphere(2.4, subdivisions=3, shift=(0.5, -0.3, 0.4))
    cosines, areas = [], []
    for one, other in ((a, b), (b, a)):
        here, there = (trimesh.Trimesh(m.vertices_xyz_um.astype(float), m.faces, process=False) for m in (one, other))
        _, _, nearest = trimesh.proximity.closest_point_naive(there, here.triangles_center[::9])
        cosines.append(np.abs((here.face_normals[::9] * there.face_normals[nearest]).sum(axis=1)).mean())
        areas.append(here.area)
    found = surface_distance(a, b)
    assert found.normal_consistency == pytest.approx(np.average(cosines, weights=areas), abs=0.01)
    assert surface_distance(a, a).normal_consistency == pytest.approx(1, abs=1e-5)
    assert surface_distance(a, sphere(1.0)).normal_consistency == pytest.approx(1, abs=0.005)
    # Seen from a plane, half of it turned by 60°: 1 and cos 60°.
    flat = Mesh(np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0]], np.float32), np.array([[0, 1, 2]]))
    tilted = Mesh(np.array([[0, 0, 0], [1, 0, 0], [0, 0.5, 0.75**0.5]], np.float32), np.array([[0, 1, 2]]))
    assert surface_distance(flat, tilted).normal_consistency == pytest.approx(0.5, abs=1e-6)


def test_is_symmetric_and_does_not_depend_on_the_density_of_triangles() -> None:
    a, b, fine_b = sphere(2.0), sphere(2.5, subdivisions=3, shift=(0.4, 0, 0)), sphere(2.5, shift=(0.4, 0, 0))
    there, back, finer = surface_distance(a, b), surface_distance(b, a), surface_distance(a, fine_b)
    assert there.assd_um == pytest.approx(back.assd_um, abs=1e-9)
    assert there.hd95_um == back.hd95_um
    assert there.assd_um == pytest.approx(finer.assd_um, rel=0.02)


def test_hd95_ignores_a_speck_that_the_maximum_would_see() -> None:
    body, speck = sphere(3.0), sphere(0.1, subdivisions=1, shift=(6, 0, 0))
    both = Mesh(
        np.concatenate([body.vertices_xyz_um, speck.vertices_xyz_um]),
        np.concatenate([body.faces, speck.faces + len(body.vertices_xyz_um)]),
    )
    assert surface_distance(body, both).hd95_um < 0.01

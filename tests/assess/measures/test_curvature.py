"""Mean curvature against the truth, and against trimesh."""

import numpy as np
import pytest
import trimesh

from cytoform.assess.measures.curvature import curvature_spread_per_um, mean_curvature_per_um
from cytoform.shapes.grid import Grid
from cytoform.shapes.mesh import Mesh, mesh_from_distance
from cytoform.simulate.analytic import AnalyticShape, Ball, Capsule, Torus

GRID = Grid(64, 8.0)
CENTRE = (8.03, 7.96, 8.05)


def distances(shape: AnalyticShape) -> np.ndarray:
    return shape.distance_um(GRID.points_zyx_um()).reshape(GRID.shape).astype(np.float32)


# Integrals of mean curvature over areas: Santaló 1976.
SHAPES = {
    "ball": (Ball(4.0, centre_zyx_um=CENTRE), 1 / 4),
    "capsule": (Capsule(2.0, 6.0, CENTRE), (6 + 4 * 2) / (2 * 2 * (6 + 2 * 2))),
    "torus": (Torus(4.5, 1.5, CENTRE), 1 / 3),
}


@pytest.mark.parametrize("name", SHAPES)
def test_mean_of_known_shapes(name: str) -> None:
    shape, truth = SHAPES[name]
    mesh = mesh_from_distance(distances(shape), GRID.spacing_um)
    assert mean_curvature_per_um(mesh) == pytest.approx(truth, rel=0.006)


def test_mean_agrees_with_trimesh_and_turns_its_sign_with_the_faces() -> None:
    mesh = mesh_from_distance(distances(Torus(4.0, 1.2, CENTRE)), GRID.spacing_um)
    other = trimesh.Trimesh(mesh.vertices_xyz_um.astype(float), mesh.faces, process=False)
    assert mean_curvature_per_um(mesh) == pytest.approx(other.integral_mean_curvature / other.area, rel=1e-5)
    hollow = Mesh(mesh.vertices_xyz_um, np.ascontiguousarray(mesh.faces[:, ::-1]))
    assert mean_curvature_per_um(hollow) == pytest.approx(-mean_curvature_per_um(mesh))


def test_a_cube_by_hand() -> None:
    """Twelve edges of length 2 with right angles, area 24: 12 · 2 · π/2 / 2 / 24."""
    box = trimesh.creation.box((2, 2, 2))
    found = mean_curvature_per_um(Mesh(box.vertices.astype(np.float32), np.asarray(box.faces)))
    assert found == pytest.approx(np.pi / 4, rel=1e-6)


def spread(shape: AnalyticShape) -> float:
    sdf_um = distances(shape)
    return curvature_spread_per_um(sdf_um, mesh_from_distance(sdf_um, GRID.spacing_um), GRID.spacing_um)


def test_spread_is_0_for_a_ball_and_nearly_the_truth_for_others() -> None:
    """Smoothed at a tenth of the cell's radius: lower than the truth, by up to 20 %."""
    assert spread(Ball(4.0, centre_zyx_um=CENTRE)) == pytest.approx(0, abs=0.002)
    side = 6 / (6 + 2 * 2)
    truth = (1 / 2 - 1 / 4) * np.sqrt(side * (1 - side))
    assert 0.8 * truth < spread(Capsule(2.0, 6.0, CENTRE)) < 1.02 * truth
    angles = np.linspace(0, 2 * np.pi, 1000, endpoint=False)
    out = 4.5 + 1.5 * np.cos(angles)
    curvature = (4.5 + 3 * np.cos(angles)) / (3 * out)
    truth = np.sqrt(np.average((curvature - 1 / 3) ** 2, weights=out))
    assert 0.8 * truth < spread(Torus(4.5, 1.5, CENTRE)) < 1.02 * truth

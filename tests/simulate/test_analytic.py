"""Shapes with exact distances against brute force: sampled surfaces, marching cubes, and unions of many balls."""

import numpy as np
import pytest
from scipy.spatial import cKDTree

from cytoform.shapes.mesh import Mesh, mesh_from_distance
from cytoform.simulate.analytic import (
    AnalyticShape,
    Ball,
    Capsule,
    DividingPair,
    SpikedBall,
    Torus,
)

EXTENT_UM, SPACING_UM = 5.0, 0.0625
CENTRE = (2.5, 2.4, 2.6)
CASES = {
    "ball": (Ball(1.6, centre_zyx_um=CENTRE), 0.0),
    "growing ball": (Ball(0.8, 2.0, CENTRE), 0.5),
    "capsule": (Capsule(0.5, 2.0, CENTRE), 0.0),
    "torus": (Torus(1.4, 0.5, CENTRE), 0.0),
    "pair, one piece": (DividingPair(1.0, 2.6, CENTRE), 0.5),
    "pair, at the start": (DividingPair(1.0, 2.6, CENTRE), 0.0),
    "pair, apart": (DividingPair(0.9, 2.6, CENTRE), 1.0),
    "spiked ball": (SpikedBall(1.2, 0.25, 2.2, CENTRE), 1.0),
    "short spike": (SpikedBall(1.2, 0.25, 2.2, CENTRE), 0.3),
}


def mesh_of(shape: AnalyticShape, time: float) -> Mesh:
    axis = (np.arange(round(EXTENT_UM / SPACING_UM)) + 0.5) * SPACING_UM
    points = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), axis=-1).reshape(-1, 3)
    sdf = shape.distance_um(points, time).reshape(len(axis), len(axis), len(axis))
    return mesh_from_distance(sdf, SPACING_UM)


@pytest.fixture(params=CASES, scope="module")
def case(request: pytest.FixtureRequest) -> tuple[AnalyticShape, float, Mesh]:
    shape, time = CASES[request.param]
    return shape, time, mesh_of(shape, time)


def test_volume_and_area(case: tuple[AnalyticShape, float, Mesh]) -> None:
    shape, time, mesh = case
    assert mesh.volume_um3 == pytest.approx(shape.volume_um3(time), rel=0.01)
    assert mesh.area_um2 == pytest.approx(shape.area_um2(time), rel=0.01)


def test_distance_is_that_to_the_sampled_surface(case: tuple[AnalyticShape, float, Mesh]) -> None:
    shape, time, mesh = case
    points = np.random.default_rng(0).uniform(0, EXTENT_UM, (4000, 3))
    to_vertices = cKDTree(mesh.vertices_xyz_um[:, ::-1]).query(points)[0]
    # Marching cubes cuts the crease of a pair off by less than half a voxel; vertices lie less than a voxel apart.
    difference = to_vertices - np.abs(shape.distance_um(points, time))
    assert difference.min() > -0.5 * SPACING_UM
    assert difference.max() < 0.75 * SPACING_UM


def test_gradient_is_one_everywhere(case: tuple[AnalyticShape, float, Mesh]) -> None:
    shape, time, _ = case
    points = np.random.default_rng(1).uniform(0, EXTENT_UM, (4000, 3))
    step = 1e-5
    gradient = [
        (shape.distance_um(points + step * e, time) - shape.distance_um(points - step * e, time)) / (2 * step)
        for e in np.eye(3)
    ]
    norm = np.linalg.norm(gradient, axis=0)
    assert norm.max() < 1 + 1e-4
    # Less than 1 only where a point is equally near to two sides, within the step.
    assert (norm > 0.999).mean() > 0.997


def test_pair_falls_apart_when_the_balls_no_longer_touch() -> None:
    pair = DividingPair(1.0, 4.0)
    middle = np.zeros((1, 3))
    assert pair.distance_um(middle, 0.49)[0] < 0 < pair.distance_um(middle, 0.51)[0]


def test_spike_reaches_where_it_says() -> None:
    spiked = SpikedBall(1.2, 0.25, 2.2)
    assert spiked.distance_um(np.array([[0, 0, 2.2]]), 1.0)[0] == pytest.approx(0, abs=1e-12)
    assert spiked.distance_um(np.array([[0, 0, 2.2]]), 0.0)[0] > 0.7

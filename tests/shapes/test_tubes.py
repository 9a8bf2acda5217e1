"""Tubes and their union against brute force: unions of many balls."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cytoform.shapes.tubes import Tube, round_cone, smooth_union, tubes_distance

radii = st.floats(0.05, 1.0)


@settings(max_examples=40, deadline=None)
@given(start=radii, end=radii, length=st.floats(0.0, 3.0), seed=st.integers(0, 1000))
def test_round_cone_is_the_union_of_its_balls(start: float, end: float, length: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    points = rng.uniform(-2, 4, (200, 3))
    ends = np.array([rng.normal(size=3), np.zeros(3)])
    ends[1] = ends[0] + length * np.array([0.6, 0.8, 0.0])
    share = np.linspace(0, 1, 2001)[:, None]
    balls = ends[0] + share * (ends[1] - ends[0])
    brute = (np.linalg.norm(points[:, None] - balls, axis=2) - (start + share[:, 0] * (end - start))).min(axis=1)
    n = len(points)
    found = round_cone(points, np.tile(ends[0], (n, 1)), np.tile(ends[1], (n, 1)), np.full(n, start), np.full(n, end))
    np.testing.assert_allclose(found, brute, atol=1e-5)
    assert (found <= brute + 1e-9).all()


@given(st.floats(-2, 2), st.floats(-2, 2), st.floats(0.01, 0.5))
def test_smooth_union_adds_at_most_a_quarter_of_its_width(first: float, second: float, width: float) -> None:
    joined = smooth_union(np.array([first]), np.array([second]), width)[0]
    nearer = min(first, second)
    assert nearer - width / 4 - 1e-12 <= joined <= nearer
    if abs(first - second) >= width or nearer >= width:
        assert joined == pytest.approx(nearer, abs=1e-12)


def test_distance_to_several_tubes_is_the_smallest() -> None:
    rng = np.random.default_rng(0)
    points = rng.uniform(-3, 3, (500, 3))
    tubes = [
        Tube(np.linspace(start, end, 30), np.linspace(0.3, 0.2, 30)) for start, end in rng.uniform(-2, 2, (4, 2, 3))
    ]
    each = np.stack([tube.distance(points) for tube in tubes])
    found = tubes_distance(tubes, points, bound=np.full(500, 1.0))
    np.testing.assert_allclose(found, np.minimum(each.min(axis=0), 1.0))


def test_voxels_near_a_tube_are_all_found() -> None:
    rng = np.random.default_rng(1)
    for size, step, reach in ((16, 0.01, 0.05), (16, 0.08, 0.12), (24, 0.03, 0.2)):
        directions = rng.normal(size=(9, 3)) + np.array([2.0, 0.5, 0.0])
        line = np.cumsum(step * directions / np.linalg.norm(directions, axis=1, keepdims=True), axis=0) - 0.3
        tube = Tube(line, np.linspace(0.03, 0.01, 9))
        voxels = np.indices((size,) * 3).reshape(3, -1).T
        near = voxels[tube.distance((voxels[:, ::-1] + 0.5) * (2 / size) - 1) <= reach]
        assert {*map(tuple, near.tolist())} <= {*map(tuple, tube.voxels_near(reach, size).tolist())}

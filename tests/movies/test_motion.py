"""The common motion of a field: drift and turn, with cells that move on their own."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from cytoform.movies.motion import free_motions, own_motions


def best_off_um(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Distances under the motion that explains most points."""
    motions = own_motions(before, after, np.ones(len(before)))
    return min((np.linalg.norm(motion(before) - after, axis=1) for motion in motions), key=np.median)


@pytest.mark.parametrize("n_points", [2, 3, 5, 12])
def test_a_drift(n_points):
    before = np.random.default_rng(0).uniform(0, 50, (n_points, 3))
    assert best_off_um(before, before + np.array([3.0, -20.0, 8.0])).max() < 1e-9


@pytest.mark.parametrize("n_points", [10, 20])
def test_a_turn_with_some_points_that_go_their_own_ways(n_points):
    rng = np.random.default_rng(1)
    before = rng.uniform(0, 50, (n_points, 3))
    after = before @ Rotation.random(random_state=2).as_matrix().T + 7
    after[: n_points // 5] += 30
    off_um = best_off_um(before, after)
    assert (off_um < 1e-6).sum() == n_points - n_points // 5


def test_a_drift_of_points_in_any_order():
    rng = np.random.default_rng(3)
    before = rng.uniform(0, 50, (9, 3))
    after = rng.permutation(before) + np.array([0.0, 40.0, -40.0])
    *_, drift = free_motions(before, after)
    np.testing.assert_allclose(drift(np.zeros((1, 3))), [[0, 40, -40]])


def test_one_point_has_no_common_motion():
    one = np.zeros((1, 3))
    assert list(own_motions(one, one + 5, np.ones(1))) == []
    (rest,) = free_motions(one, one + 5)
    np.testing.assert_array_equal(rest(one), one)

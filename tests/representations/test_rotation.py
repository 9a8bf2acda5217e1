"""Rotations: proper, uniform where drawn, and the principal frame of shapes whose axes are known."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation
from scipy.stats import kstest

from cytoform.representations.rotation import (
    MIRRORS,
    Moments,
    from_matrix,
    identity,
    of_images,
    principal_rotation,
    random,
    rotate,
    to_matrix,
)

COORDINATE = st.floats(-10, 10).map(lambda value: round(value, 3))
QUATERNIONS = st.lists(COORDINATE, min_size=4, max_size=4).filter(lambda q: sum(map(abs, q)) > 0.1)


def as_scipy(quaternions: torch.Tensor) -> Rotation:
    return Rotation.from_quat(quaternions.double().numpy()[:, [1, 2, 3, 0]])


def drop(n: int = 4000) -> torch.Tensor:
    """Points of a body that has lengths 3, 2 and 1 along x, y and z and trails off towards +x and +y, most along x."""
    rng = np.random.default_rng(0)
    x = 3 * (rng.exponential(1.0, n) - 1)
    y = 2 * (rng.gamma(4.0, 0.5, n) - 2)
    return torch.tensor(np.column_stack([x, y, rng.normal(0, 1, n)]))


@settings(deadline=None)
@given(QUATERNIONS)
def test_matrices_are_proper_rotations(quaternion: list[float]) -> None:
    found = to_matrix(torch.tensor([quaternion], dtype=torch.float64))[0]
    torch.testing.assert_close(found @ found.T, torch.eye(3, dtype=torch.float64))
    assert float(torch.linalg.det(found)) == pytest.approx(1)
    np.testing.assert_allclose(found, as_scipy(torch.tensor([quaternion])).as_matrix()[0], atol=1e-6)


@settings(deadline=None)
@given(QUATERNIONS)
def test_quaternions_and_back(quaternion: list[float]) -> None:
    matrix = to_matrix(torch.tensor([quaternion]))
    back = from_matrix(matrix[0])
    assert back[0] >= 0
    torch.testing.assert_close(to_matrix(back[None]), matrix, atol=1e-5, rtol=0)


def test_the_identity_changes_no_bit() -> None:
    points = torch.rand(2, 50, 3)
    assert torch.equal(to_matrix(identity(2)), torch.eye(3).repeat(2, 1, 1))
    assert torch.equal(rotate(points, identity(2)), points)


def test_which_way_it_turns() -> None:
    """A quarter turn about z takes x to y."""
    quarter = torch.tensor([[np.sqrt(0.5), 0.0, 0.0, np.sqrt(0.5)]], dtype=torch.float32)
    turned = rotate(torch.tensor([[[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]]), quarter)
    expected = torch.tensor([[[0.0, 1.0, 0.0], [-1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]])
    torch.testing.assert_close(turned, expected, atol=1e-6, rtol=0)


def test_every_frame_has_its_own_rotation() -> None:
    points, quaternions = torch.rand(5, 7, 3), random(5, np.random.default_rng(1))
    expected = [as_scipy(q[None])[0].apply(p.numpy()) for p, q in zip(points, quaternions, strict=True)]
    np.testing.assert_allclose(rotate(points, quaternions), expected, atol=1e-6)


def test_random_rotations_are_uniform() -> None:
    """Archimedes: every coordinate of a turned axis is uniform; and the angle has the Haar density (1 - cos θ)/π."""
    drawn = random(4000, np.random.default_rng(2))
    torch.testing.assert_close(drawn.norm(dim=1), torch.ones(4000))
    matrices = to_matrix(drawn).double().numpy()
    for row in range(3):
        for column in range(3):
            assert kstest(matrices[:, row, column], "uniform", (-1, 2)).pvalue > 1e-3
    angles = as_scipy(drawn).magnitude()
    assert kstest(angles, lambda theta: (theta - np.sin(theta)) / np.pi).pvalue > 1e-3
    assert np.abs(matrices.mean(axis=0)).max() < 0.05


def test_random_rotations_follow_the_generator() -> None:
    one, same, other = (random(3, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)


def test_long_axis_along_x_short_along_z_tails_to_plus() -> None:
    found = to_matrix(principal_rotation(Moments.of(drop()))[None])[0]
    torch.testing.assert_close(found, torch.eye(3), atol=0.05, rtol=0)


@settings(deadline=None)
@given(QUATERNIONS)
def test_the_principal_frame_turns_with_the_points(quaternion: list[float]) -> None:
    """However a body lies, it ends in one and the same pose."""
    turn = to_matrix(torch.tensor([quaternion], dtype=torch.float64))[0]
    points = drop()
    aligned = points @ to_matrix(principal_rotation(Moments.of(points)).double()[None])[0].T
    turned = points @ turn.T
    also = turned @ to_matrix(principal_rotation(Moments.of(turned)).double()[None])[0].T
    torch.testing.assert_close(also, aligned, atol=1e-3, rtol=0)


def test_a_mirror_image_differs_along_its_least_skewed_axis_only() -> None:
    points = drop()
    mirrored = points * torch.tensor([-1.0, 1.0, 1.0])
    one, other = (p @ to_matrix(principal_rotation(Moments.of(p)).double()[None])[0].T for p in (points, mirrored))
    torch.testing.assert_close(other[:, :2], one[:, :2], atol=1e-3, rtol=0)
    torch.testing.assert_close(other[:, 2], -one[:, 2], atol=1e-3, rtol=0)


def test_moments_of_parts_add_up_and_do_not_depend_on_the_place() -> None:
    points = drop(500)
    whole, parts = Moments.of(points), Moments.of(points[:100]) + Moments.of(points[100:])
    for one, other in zip(whole.central(), parts.central(), strict=True):
        torch.testing.assert_close(one, other)
    centred = points - points.mean(dim=0)
    second, third = Moments.of(points + 5).central()
    torch.testing.assert_close(second, torch.einsum("ni,nj->ij", centred, centred) / 500)
    torch.testing.assert_close(third, torch.einsum("ni,nj,nk->ijk", centred, centred, centred) / 500)


def test_shapes_without_axes_still_get_a_rotation() -> None:
    for points in (torch.zeros(1, 3), torch.tensor([[1.0, 0, 0], [-1.0, 0, 0]])):
        assert float(principal_rotation(Moments.of(points)).norm()) == pytest.approx(1)


@given(seed=st.integers(0, 99), image=st.integers(0, 7))
def test_the_image_of_a_turned_cell_is_the_turned_image(seed: int, image: int) -> None:
    quaternion = random(1, np.random.default_rng(seed))
    mirror = torch.diag(torch.from_numpy(MIRRORS[3][image]))
    expected = mirror @ to_matrix(quaternion)[0] @ mirror
    torch.testing.assert_close(to_matrix(of_images(quaternion, torch.tensor([image])))[0], expected, atol=1e-5, rtol=0)

"""The library call: cytoform.load(run).field(code)."""

from pathlib import Path

import numpy as np
import pytest
import torch

import cytoform
from cytoform.errors import InputError
from cytoform.representations.bounds import Bounds
from cytoform.simulate.analytic import Ball
from cytoform.synthesis.field import Field


@pytest.fixture(scope="module")
def field(trained: Path) -> Field:
    return cytoform.load(trained).field("b")


def test_one_time_or_a_time_for_each_point(field: Field) -> None:
    points = np.random.default_rng(0).uniform(0, 12, (50, 3))
    times = np.repeat([-1.0, 0.25], 25)
    together = field(points, times)
    apart = np.concatenate([field(points[:25], -1.0), field(points[25:], 0.25)])
    np.testing.assert_allclose(together, apart, atol=1e-5)


def test_gradient_is_the_slope_along_z_y_x(field: Field) -> None:
    points = np.random.default_rng(1).uniform(3, 9, (40, 3))
    gradient = field.gradient(points, 0.5)
    for axis in range(3):
        step = np.zeros(3)
        step[axis] = 0.02
        slope = (field(points + step, 0.5) - field(points - step, 0.5)) / 0.04
        np.testing.assert_allclose(gradient[:, axis], slope, atol=0.02)


def test_mask_mesh_and_points_agree(field: Field) -> None:
    mask, mesh = field.mask(1.0, 12 / 64), field.mesh(1.0, 12 / 64)
    assert mask.shape == (64, 64, 64)
    volume = mask.sum() * (12 / 64) ** 3
    assert mesh.volume_um3 == pytest.approx(volume, rel=0.03)
    assert volume == pytest.approx(4 / 3 * np.pi * 4**3, rel=0.12)
    on_surface = np.abs(field(mesh.vertices_xyz_um[:, ::-1].astype(float), 1.0))
    assert on_surface.mean() < 0.02
    index = np.argwhere(mask)
    assert (field((index + 0.5) * 12 / 64, 1.0) <= 1e-5).all()


def test_codes_that_do_not_fit(trained: Path) -> None:
    cells = cytoform.load(trained)
    assert cells.codes.shape == (2, 4)
    for code, message in (("z", "no sequence 'z'"), (np.zeros(3), r"4 numbers"), (np.full(4, np.nan), "NaN")):
        with pytest.raises(InputError, match=message):
            cells.field(code)
    with pytest.raises(InputError, match="positive"):
        cells.field("a").mask(0.0, -1.0)
    with pytest.raises(InputError, match="8 to 1024"):
        cells.field("a").mesh(0.0, 1e-3)


class BallField(Field):
    """A growing ball as a field, without any network."""

    half_extent_um = 6.0
    bounds = Bounds.of_slope(1.0)
    ball = Ball(2.0, 4.0, centre_zyx_um=(6.0, 6.0, 6.0))

    def __init__(self) -> None:
        self.n_evaluated = 0

    def at(self, time: float) -> "BallFrame":
        return BallFrame(self, time)


class BallFrame:
    """The ball at one time, in half extents."""

    device = torch.device("cpu")

    def __init__(self, field: BallField, time: float) -> None:
        self.field, self.time = field, time

    def __call__(self, points: torch.Tensor) -> torch.Tensor:
        self.field.n_evaluated += len(points)
        points_zyx_um = (points.numpy()[:, ::-1] + 1) * self.field.half_extent_um
        distance_um = self.field.ball.distance_um(points_zyx_um, (self.time + 1) / 2)
        return torch.tensor(distance_um / self.field.half_extent_um, dtype=torch.float32)


@pytest.mark.parametrize("time", [-1.0, 0.2, 1.0])
def test_an_analytic_shape_is_rendered_as_a_decoder_is(time: float) -> None:
    """Nothing but `at`, the bounds and the extent is asked of a field."""
    field, radius_um = BallField(), 3.0 + time
    narrow = field.render(time, 96)
    assert field.n_evaluated < 0.3 * 96**3
    assert np.array_equal(narrow.mask(), field.render(time, 96, method="dense").mask())
    assert field.mesh(time).volume_um3 == pytest.approx(4 / 3 * np.pi * radius_um**3, rel=0.01)
    points = np.array([[6.0, 6.0, 11.0], [6.0, 1.0, 6.0]])
    assert field(points, time) == pytest.approx([5 - radius_um] * 2, abs=1e-5)
    np.testing.assert_allclose(field.gradient(points, time), [[0, 0, 1], [0, -1, 0]], atol=1e-3)

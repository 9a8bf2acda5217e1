"""The library call: cytoform.load(run).field(code)."""

from pathlib import Path

import numpy as np
import pytest

import cytoform
from cytoform.errors import InputError
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

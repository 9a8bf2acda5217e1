"""Size, surface area and sphericity of shapes whose exact figures are known."""

import gc
import math
import sys

import numpy as np
import pytest
from scipy.special import ellipeinc, ellipkinc
from stores import ball

from cytoform.assess.measures.descriptors import Descriptors, describe, sphericity
from cytoform.shapes.grid import Grid
from cytoform.shapes.mesh import mesh_from_distance
from cytoform.simulate.analytic import Capsule

GRID = Grid(64, 8.0)
# Off the lattice, as cells are: counting voxels of an aligned shape errs by more.
OFF_ZYX_UM = (0.06, -0.07, 0.11)
CENTRE_ZYX_UM = (8.06, 7.93, 8.11)


def ellipsoid_area(a: float, b: float, c: float) -> float:
    """Exact area (Legendre), a > b > c."""
    phi = math.acos(c / a)
    m = a**2 * (b**2 - c**2) / (b**2 * (a**2 - c**2))
    inner = ellipeinc(phi, m) * math.sin(phi) ** 2 + ellipkinc(phi, m) * math.cos(phi) ** 2
    return 2 * math.pi * (c**2 + a * b / math.sin(phi) * inner)


def ellipsoid(*axes_zyx_um: float) -> np.ndarray:
    """Distance to first order, exact at the surface."""
    away = GRID.points_zyx_um() - CENTRE_ZYX_UM
    level = np.linalg.norm(away / axes_zyx_um, axis=1)
    slope = np.linalg.norm(away / np.square(axes_zyx_um), axis=1)
    return (level * (level - 1) / slope).reshape(GRID.shape).astype(np.float32)


def measured(sdf_um: np.ndarray) -> Descriptors:
    return describe(sdf_um, mesh_from_distance(sdf_um, GRID.spacing_um), GRID.spacing_um)


CAPSULE = Capsule(1.6, 6.0, centre_zyx_um=CENTRE_ZYX_UM)
SHAPES = {
    "ball": (ball(4.0, shift_zyx_um=OFF_ZYX_UM, grid=GRID), 4 / 3 * math.pi * 4**3, 4 * math.pi * 4**2),
    "ellipsoid": (ellipsoid(3.0, 4.0, 6.0), 4 / 3 * math.pi * 72, ellipsoid_area(6, 4, 3)),
    "disc": (ellipsoid(1.6, 5.0, 6.0), 4 / 3 * math.pi * 48, ellipsoid_area(6, 5, 1.6)),
    "capsule": (
        CAPSULE.distance_um(GRID.points_zyx_um()).reshape(GRID.shape).astype(np.float32),
        CAPSULE.volume_um3(),
        CAPSULE.area_um2(),
    ),
}


@pytest.mark.parametrize("name", SHAPES)
def test_exact_shapes(name: str) -> None:
    sdf_um, volume_um3, area_um2 = SHAPES[name]
    found = measured(sdf_um)
    assert found.size_um3 == pytest.approx(volume_um3, rel=0.01)
    assert found.surface_um2 == pytest.approx(area_um2, rel=0.005)
    assert found.sphericity == pytest.approx(area_um2**1.5 / (6 * math.pi**0.5 * volume_um3), rel=0.004)
    # The paper's estimator is coarser.
    assert found.surface_diplib_um2 == pytest.approx(area_um2, rel=0.02)
    assert found.sphericity_diplib == pytest.approx(area_um2**1.5 / (6 * math.pi**0.5 * volume_um3), rel=0.03)


def test_diplib_values_outlive_its_measurement() -> None:
    found = measured(SHAPES["ball"][0])
    gc.collect()
    assert found.sphericity_diplib == pytest.approx(sphericity(found.surface_diplib_um2, found.size_um3), rel=1e-9)


def test_sphericity_of_a_ball_is_1_and_of_a_cube_is_not() -> None:
    assert sphericity(4 * math.pi * 9, 4 / 3 * math.pi * 27) == pytest.approx(1)
    assert sphericity(6, 1) == pytest.approx(math.sqrt(6 / math.pi))


def test_a_cell_that_fills_the_cube_to_its_border_is_closed() -> None:
    """Half a ball, cut by the border: curved half plus flat disc."""
    found = measured(ball(4.0, shift_zyx_um=(-8.0, 0, 0), grid=GRID))
    assert found.size_um3 == pytest.approx(2 / 3 * math.pi * 64, rel=0.01)
    assert found.surface_um2 == pytest.approx(3 * math.pi * 16, rel=0.03)


def test_without_diplib_two_measures_are_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """There are processors for which DIPlib has no wheel."""
    sdf_um, _, _ = SHAPES["capsule"]
    whole = measured(sdf_um)
    monkeypatch.setitem(sys.modules, "diplib", None)
    found = measured(sdf_um)
    assert math.isnan(found.surface_diplib_um2)
    assert math.isnan(found.sphericity_diplib)
    assert found.size_um3 == pytest.approx(whole.size_um3, rel=1e-12)
    assert found.sphericity == whole.sphericity

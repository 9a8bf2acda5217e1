"""Signed errors against balls, whose distances are known."""

import numpy as np
import pytest
from stores import GRID, ball

from cytoform.assess.measures.signed_error import signed_errors_um
from cytoform.shapes.mesh import mesh_from_distance


def test_inside_is_negative_and_outside_positive() -> None:
    middle, larger = (mesh_from_distance(ball(radius), GRID.spacing_um) for radius in (3.0, 3.6))
    assert signed_errors_um(middle, larger) == pytest.approx(-0.6, abs=0.04)
    assert signed_errors_um(larger, middle) == pytest.approx(0.6, abs=0.04)
    assert signed_errors_um(middle, middle) == pytest.approx(0, abs=1e-6)


def test_follows_a_shift() -> None:
    shifted = mesh_from_distance(ball(3.0, shift_zyx_um=(0, 0, 0.5)), GRID.spacing_um)
    errors_um = signed_errors_um(shifted, mesh_from_distance(ball(3.0), GRID.spacing_um))
    radii = np.linalg.norm(shifted.vertices_xyz_um - GRID.half_extent_um, axis=1)
    assert errors_um == pytest.approx(radii - 3.0, abs=0.04)


def test_axes_are_not_mixed_up() -> None:
    shifted = mesh_from_distance(ball(4.0, shift_zyx_um=(1.0, 0.0, 0.0)), GRID.spacing_um)
    errors_um = signed_errors_um(shifted, mesh_from_distance(ball(4.0), GRID.spacing_um))
    top, bottom = shifted.vertices_xyz_um[:, 2].argmax(), shifted.vertices_xyz_um[:, 2].argmin()
    assert errors_um[[top, bottom]] == pytest.approx([1.0, -1.0], abs=0.05)

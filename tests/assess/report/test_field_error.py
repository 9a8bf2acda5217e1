"""Signed errors against the exact distance of a ball."""

import numpy as np
from stores import GRID, ball

from cytoform.assess.report.field_error import field_errors_um
from cytoform.shapes.mesh import Mesh, mesh_from_distance

SPACING = GRID.spacing_um


def errors(radius_um: float, other_radius_um: float, *, band_um: float = 2.0) -> np.ndarray:
    return field_errors_um(
        mesh_from_distance(ball(other_radius_um), SPACING), ball(radius_um), SPACING, band_um=band_um
    )


def test_a_larger_ball_is_outside_and_a_smaller_one_inside() -> None:
    np.testing.assert_allclose(errors(4.0, 5.0), 1.0, atol=0.05)
    np.testing.assert_allclose(errors(4.0, 3.0), -1.0, atol=0.05)
    np.testing.assert_allclose(errors(4.0, 4.0), 0.0, atol=0.02)


def test_no_more_than_the_band() -> None:
    assert errors(3.0, 6.0, band_um=1.25).max() == 1.25
    assert errors(6.0, 3.0, band_um=1.25).min() == -1.25


def test_a_shifted_ball_is_outside_where_it_was_shifted_to() -> None:
    """Axes are not mixed up: z of the volume is the third coordinate of a point."""
    mesh = mesh_from_distance(ball(4.0, shift_zyx_um=(1.0, 0.0, 0.0)), SPACING)
    found = field_errors_um(mesh, ball(4.0), SPACING, band_um=2.0)
    top, bottom = mesh.vertices_xyz_um[:, 2].argmax(), mesh.vertices_xyz_um[:, 2].argmin()
    np.testing.assert_allclose([found[top], found[bottom]], [1.0, -1.0], atol=0.05)


def test_beyond_the_cube_is_as_at_its_border() -> None:
    far = Mesh(np.array([[100.0, 8.0, 8.0]], np.float32), np.zeros((0, 3), np.int64))
    assert np.isfinite(field_errors_um(far, ball(4.0), SPACING, band_um=9.0)).all()

"""Distances to the surface behind a mask: measured against a ball, bounds against what is measured."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from cytoform.shapes.grid import Grid
from cytoform.shapes.level import level_of
from cytoform.shapes.surface import Surface, points_at
from cytoform.simulate.analytic import Ball


def surface_of(mask: np.ndarray) -> Surface:
    return Surface.of_level(level_of(mask, np.ones(3)))


def test_nearest_places_of_a_ball() -> None:
    grid = Grid(20, 10.0)
    ball = Ball(6.0, centre_zyx_um=(10.0, 10.0, 10.0))
    points = grid.points_zyx_um()
    surface = surface_of((ball.distance_um(points) <= 0).reshape(grid.shape))
    squared, place = surface.nearest(points)
    assert np.abs(np.sqrt(squared) - np.abs(ball.distance_um(points))).max() < 0.25
    assert ((points - place) ** 2).sum(axis=1) == pytest.approx(squared, abs=1e-6)


@settings(max_examples=40, deadline=None)
@given(
    mask=arrays(bool, (6, 6, 6)).filter(np.any),
    where=arrays(bool, (7, 8, 9)),
    spacing=st.floats(0.1, 3),
    corner=st.floats(-5, 5),
)
def test_bounds_hold_for_any_mask(mask: np.ndarray, where: np.ndarray, spacing: float, corner: float) -> None:
    """Beside corners, at medial axes and at the border of the grid too."""
    surface = surface_of(mask)
    axes = [corner + spacing * np.arange(n) for n in where.shape]
    lower, upper = surface.bounds(where, axes)
    exact = np.sqrt(surface.nearest(points_at(where, axes))[0])
    assert (lower <= exact + 1e-6).all()
    assert (exact <= upper + 1e-6).all()
    # On the nodes themselves both are the distance.
    on_nodes = (np.argwhere(where) % 2 == 0).all(axis=1)
    assert lower[on_nodes] == pytest.approx(exact[on_nodes], abs=1e-6)
    assert upper[on_nodes] == pytest.approx(exact[on_nodes], abs=1e-6)

"""The surface of a body around a root, and heights over it."""

import numpy as np
import pytest

from cytoform.protrusions.bulges import NODES, nodes_of
from cytoform.protrusions.relief import over, raised, relief_of
from cytoform.protrusions.swollen import Swelling

RADIUS, ROOT = 0.5, np.array([0.0, 0.0, 0.5])
FRAME = np.array([[0.0, 0.0, 1.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
BOX = np.array([[-0.1, 0.2], [-0.25, 0.25], [-0.2, 0.2]])


def ball(points: np.ndarray) -> np.ndarray:
    """Signed distance to a ball on whose pole the root lies."""
    return np.asarray(np.linalg.norm(points, axis=1) - RADIUS)


@pytest.fixture
def relief() -> np.ndarray:
    return relief_of(ball, ROOT, FRAME, BOX[1:], NODES)


def test_relief_of_a_ball_is_its_cap(relief: np.ndarray) -> None:
    u, v = np.meshgrid(*(np.linspace(low, high, NODES) for low, high in BOX[1:]), indexing="ij")
    assert np.abs(relief - (np.sqrt(RADIUS**2 - u**2 - v**2) - RADIUS)).max() < 0.003


def test_out_of_reach_the_slope_is_bounded() -> None:
    for body in (np.zeros_like, np.ones_like):
        found = relief_of(lambda points, body=body: body(points[:, 0]), ROOT, FRAME, BOX[1:], NODES)
        assert np.abs(found).max() < 0.5


def test_beyond_the_horizon_heights_fall_evenly() -> None:
    sides = np.array([[-0.8, 0.8], [-0.1, 0.1]])
    found = relief_of(ball, ROOT, FRAME, sides, NODES)
    u, v = np.meshgrid(*(np.linspace(low, high, NODES) for low, high in sides), indexing="ij")
    places = np.stack([u, v], axis=-1).reshape(-1, 2)
    steps = np.linalg.norm(places[:, None] - places, axis=-1)
    assert np.all(np.abs(found.reshape(-1, 1) - found.reshape(-1)) <= steps + 1e-9)
    gentle = u**2 + v**2 < (RADIUS / 2) ** 2  # there the ball is less steep than half of 1
    assert np.abs(found - (np.sqrt(np.maximum(RADIUS**2 - u**2 - v**2, 0)) - RADIUS))[gentle].max() < 0.01
    assert np.all(found >= -np.hypot(u, v) - 1e-9)  # no farther than a slope of 1 from the root


def test_raised_nodes_have_their_heights_over_the_surface(relief: np.ndarray) -> None:
    nodes = nodes_of(BOX)
    assert np.allclose(over(relief, BOX[1:], raised(nodes, relief)), nodes)


def test_a_foot_follows_the_body(relief: np.ndarray) -> None:
    sheet = nodes_of(BOX)[:, 0].reshape(NODES, NODES, NODES) - 0.02  # up to 0.02 over the surface
    swelling = Swelling(ROOT, FRAME, BOX, sheet, relief)
    rng = np.random.default_rng(0)
    points = rng.uniform((-0.15, -0.15, 0.4), (0.15, 0.15, 0.6), (500, 3))
    # Along the axis heights are longer than along the normal.
    assert np.all(ball(points)[swelling.distance(points) < 0] < 0.021)
    assert np.all(swelling.distance(points)[(ball(points) > -0.05) & (ball(points) < 0.017)] < 0)
    low, high = swelling.bounds
    assert np.all((ROOT + raised(nodes_of(BOX), relief) @ FRAME >= low - 1e-9).all(axis=1))
    assert np.all((ROOT + raised(nodes_of(BOX), relief) @ FRAME <= high + 1e-9).all(axis=1))

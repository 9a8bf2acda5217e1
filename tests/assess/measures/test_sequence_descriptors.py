"""Descriptors of whole sequences, against shapes whose truth is known."""

import math

import numpy as np
import pytest

from cytoform.assess.measures.dynamics import Bodies, division_frame
from cytoform.assess.measures.sequence_descriptors import (
    SEQUENCE_DESCRIPTORS,
    describe_sequence,
    longest_protrusion_um,
    most_pieces,
)
from cytoform.shapes.grid import Grid
from cytoform.shapes.mesh import mesh_from_distance
from cytoform.simulate.analytic import AnalyticShape, Ball, Capsule, DividingPair, SpikedBall

GRID = Grid(64, 8.0)
CENTRE = (8.0, 8.0, 8.0)


def frames(shape: AnalyticShape, n: int = 1) -> list[np.ndarray]:
    points = GRID.points_zyx_um()
    times = np.linspace(0, 1, n) if n > 1 else [1.0]
    return [shape.distance_um(points, float(t)).reshape(GRID.shape).astype(np.float32) for t in times]


def protrusion(shape: AnalyticShape) -> float:
    return longest_protrusion_um(mesh_from_distance(frames(shape)[0], GRID.spacing_um))


def equal_radius(volume_um3: float) -> float:
    return (3 * volume_um3 / (4 * math.pi)) ** (1 / 3)


def test_a_growing_ball() -> None:
    ball = Ball(3.0, 4.0, CENTRE)
    found = describe_sequence(frames(ball, 3), GRID.spacing_um)
    assert found.keys() == SEQUENCE_DESCRIPTORS.keys()
    assert found["size_um3"] == pytest.approx(np.mean([ball.volume_um3(t) for t in (0, 0.5, 1)]), rel=0.01)
    assert found["surface_um2"] == pytest.approx(np.mean([ball.area_um2(t) for t in (0, 0.5, 1)]), rel=0.01)
    assert found["sphericity"] == pytest.approx(1, abs=0.01)
    assert found["growth"] == pytest.approx((4 / 3) ** 3, rel=0.01)
    assert found["longest_protrusion_um"] == pytest.approx(0, abs=0.05)
    assert math.isnan(found["division_frame"])
    assert found["pieces"] == 1


def test_a_ball_with_a_filopodium() -> None:
    """Its protrusion is the filopodium, but for the little that its volume adds to the ball and shifts its centre."""
    for reach_um in (5.0, 6.0, 7.5):
        spiked = SpikedBall(3.5, 0.5, reach_um, CENTRE)
        assert protrusion(spiked) == pytest.approx(reach_um - 3.5, abs=0.15)


def test_the_protrusion_of_an_elongated_cell() -> None:
    capsule = Capsule(2.0, 8.0, CENTRE)
    assert protrusion(capsule) == pytest.approx(6.0 - equal_radius(capsule.volume_um3()), abs=0.05)


def test_daughters_do_not_count_as_each_others_protrusions() -> None:
    pair = DividingPair(2.0, 8.0, CENTRE)
    assert protrusion(pair) == pytest.approx(0, abs=0.05)


def test_a_dividing_cell() -> None:
    pair = DividingPair(2.0, 8.0, CENTRE)  # falls apart at half time: 4.5 of 9 steps
    found = describe_sequence(frames(pair, 10), GRID.spacing_um)
    assert found["division_frame"] == 5
    assert found["growth"] == pytest.approx(2, rel=0.02)
    assert found["pieces"] == 1


@pytest.mark.parametrize(
    ("shares", "pieces"),
    [
        ([[1.0], [1.0]], 1),
        ([[1.0], [0.98, 0.02], [1.0]], 2),
        ([[1.0], [1.0], [0.95, 0.05]], 2),  # in the last frame too: it came off
        ([[1.0], [0.6, 0.4], [0.5, 0.5]], 1),  # divides
        ([[0.6, 0.4], [1.0], [0.5, 0.5]], 2),  # in two before it divides
        ([[1.0], [0.6, 0.39, 0.01], [0.5, 0.5]], 2),  # a daughter breaks
        ([[1.0], [0.4, 0.3, 0.3]], 1),
        ([[0.5, 0.5], [0.5, 0.5]], 2),  # never was one
        ([[0.5, 0.3, 0.1, 0.1], [1.0]], 4),
        ([[1.0], []], None),
    ],
)
def test_the_most_pieces(shares: list[list[float]], pieces: int | None) -> None:
    found = most_pieces([np.array(frame) for frame in shares])
    assert math.isnan(found) if pieces is None else found == pieces


@pytest.mark.parametrize(
    ("n_bodies", "frame"),
    [([1, 1, 2, 2], 2), ([2, 2], 0), ([1, 2, 1, 2], 3), ([1, 3, 2], 1), ([1, 2, 1], None), ([1], None), ([2, 0], None)],
)
def test_the_frame_of_division(n_bodies: list[int], frame: int | None) -> None:
    found = division_frame(n_bodies)
    assert math.isnan(found) if frame is None else found == frame


def test_a_speck_is_no_daughter() -> None:
    ball = frames(Ball(4.0, centre_zyx_um=CENTRE))[0]
    ball[2, 2, 2:4] = -0.1
    assert Bodies.of(ball <= 0).n == 1
    found = describe_sequence([ball], GRID.spacing_um)
    assert found["pieces"] == 2
    assert math.isnan(found["division_frame"])
    assert longest_protrusion_um(mesh_from_distance(ball, GRID.spacing_um)) == pytest.approx(0, abs=0.05)


def test_empty_frames_are_left_out_of_means() -> None:
    ball = Ball(3.0, centre_zyx_um=CENTRE)
    empty = np.full(GRID.shape, 1.0, np.float32)
    found = describe_sequence([empty, *frames(ball)], GRID.spacing_um)
    assert found["size_um3"] == pytest.approx(ball.volume_um3(), rel=0.01)
    assert found["sphericity"] == pytest.approx(1, abs=0.01)
    assert math.isnan(found["growth"])
    assert describe_sequence([*frames(ball), empty], GRID.spacing_um)["growth"] == 0
    assert all(math.isnan(value) for value in describe_sequence([empty], GRID.spacing_um).values())

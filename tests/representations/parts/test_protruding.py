"""Protrusions as they stick out of a body, against lines and balls with known places and lengths."""

import numpy as np
import pytest
import torch
from parts_run import BODY_RADIUS, ball_decoder, unit

from cytoform.protrusions.units import joined
from cytoform.representations.parts.frame import PartsFrame, PlacedFrame
from cytoform.representations.parts.protruding import protruding
from cytoform.representations.rotation import random, to_matrix
from cytoform.shapes.tubes import Tube

X, Y = np.eye(3)[:2]


class Ball:
    """The distance to a ball of radius 0.3 in the middle of the cube."""

    device = torch.device("cpu")

    def __call__(self, points: torch.Tensor) -> torch.Tensor:
        return points.norm(dim=1) - 0.3


def straight(start: np.ndarray, end: np.ndarray, radius: float = 0.05, n: int = 9) -> Tube:
    return Tube(start + np.linspace(0, 1, n)[:, None] * (end - start), np.full(n, radius))


def of(*tubes: Tube, parents: tuple[int, ...] = (), least: float = 0.02):
    frame = PartsFrame(PlacedFrame(Ball()), tubes, 0.0, range(len(tubes)), parents or (-1,) * len(tubes))
    return protruding(frame, step=0.01, least=least)


def test_a_straight_one_goes_from_the_surface_of_the_body_to_the_end_of_its_cap() -> None:
    (found,) = of(straight(0.1 * X, 0.6 * X))
    assert (found.row, found.parent) == (0, -1)
    assert found.root == pytest.approx(0.3 * X, abs=1e-6)
    assert found.tip == pytest.approx(0.65 * X)
    assert found.length == pytest.approx(0.35, abs=1e-6)
    assert found.radius == pytest.approx(0.05)


def test_the_radius_is_the_mean_outside_the_body() -> None:
    line = np.linspace(0, 0.6, 61)[:, None] * X
    (found,) = of(Tube(line, np.interp(line[:, 0], [0, 0.3, 0.6], [0.9, 0.08, 0.04])))
    assert found.radius == pytest.approx((0.06 * 0.3 + 0.04 * 0.04) / 0.34, abs=2e-3)


def test_what_hardly_reaches_out_of_the_body_or_ends_in_it_does_not_count() -> None:
    assert of(straight(0.1 * X, 0.26 * X)) == []  # its tip is 0.01 outside
    assert len(of(straight(0.1 * X, 0.26 * X), least=0.005)) == 1
    assert of(Tube(np.array([0.2 * X, 0.5 * X, 0.5 * (X + Y), 0.1 * Y]), np.full(4, 0.05))) == []


def test_one_that_comes_back_counts_from_where_it_leaves_the_body_for_good() -> None:
    corners = np.array([0.5 * X, 0.0 * X, 0.5 * Y])
    (found,) = of(Tube(corners, np.full(3, 0.05)))
    assert found.root == pytest.approx(0.3 * Y, abs=1e-6)


def test_a_branch_starts_on_the_line_of_its_parent_and_has_to_reach_out_of_it() -> None:
    parent = straight(0.1 * X, 0.8 * X, 0.1)
    whole, branch = of(parent, straight(0.6 * X, 0.6 * X + 0.2 * Y), parents=(-1, 0))
    assert (branch.row, branch.parent) == (1, 0)
    assert branch.root == pytest.approx(0.6 * X)
    assert branch.length == pytest.approx(0.25)
    assert whole.length == pytest.approx(0.6)
    assert len(of(parent, straight(0.6 * X, 0.6 * X + 0.06 * Y), parents=(-1, 0))) == 1  # its cap is 0.01 outside


def test_rows_and_places_of_a_representation_in_any_pose() -> None:
    """Two protrusions and a branch; one is not there yet. Size, place and rotation of the cell move them all."""
    rows = joined([unit(Y, (0.8, 2.0)), unit(X, (0.0, 1.0), length=0.4)]).to_rows()
    branch = unit(X, (0.1, 0.9), length=0.2, angle=np.pi / 2, at=0.2).to_rows()
    branch[:, 0] = 1
    variables = {
        "protrusions": torch.tensor(np.vstack([rows, branch]), dtype=torch.float32),
        "scale": torch.full((2,), 0.8),
        "offset": torch.tensor([[0.1, 0.0, 0.0]] * 2),
    }
    turn = to_matrix(random(1, np.random.default_rng(3)))[0]
    frame = ball_decoder().frame(torch.zeros(2), 0.0, rotation=turn, variables=variables)
    parent, side = protruding(frame, step=0.005, least=0.02)
    assert [(each.row, each.parent) for each in (parent, side)] == [(1, -1), (2, 1)]
    radius = 0.8 * BODY_RADIUS
    # Points of the pose become canonical by the rotation.
    canonical = {name: turn.numpy() @ getattr(parent, name) for name in ("root", "tip")}
    assert canonical["root"] == pytest.approx((0.1 + radius) * X, abs=3e-3)
    assert canonical["tip"] == pytest.approx((0.1 + radius + 0.4) * X, abs=3e-3)
    assert turn.numpy() @ side.root == pytest.approx((0.1 + radius + 0.2) * X, abs=5e-3)
    assert side.length == pytest.approx(0.2, abs=2e-3)


def test_no_tubes() -> None:
    assert of() == []

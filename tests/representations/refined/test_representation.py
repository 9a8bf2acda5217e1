"""Components with a network: the distance is the sum of both, in any pose, at any size, in volumes and images."""

import numpy as np
import pytest
import torch

from cytoform.representations.linear.representation import LinearFrame, spline_basis
from cytoform.representations.refined.representation import Refined
from cytoform.representations.representation import SCALE

TIME = 0.3


def refined(n_dims: int = 3) -> Refined:
    torch.manual_seed(0)
    found = Refined(
        nodes=8, components=6, knots=5, cut=3.0, values=4, width=16, depth=3, omega=10.0, seed=1, n_dims=n_dims
    ).requires_grad_(False)
    found.correction.output.weight.normal_(0, 0.2)
    found.extent.fill_(0.7)
    for name in ("mean", "components"):
        getattr(found, name).normal_(0, 0.2)
    found.odd.random_(0, 2)
    found.spread.uniform_(0.5, 2)
    return found


def points_in(n_dims: int, reach: float) -> torch.Tensor:
    return torch.tensor(np.random.default_rng(2).uniform(-reach, reach, (200, n_dims)), dtype=torch.float32)


@pytest.mark.parametrize("n_dims", [3, 2])
def test_the_distance_is_that_of_the_grid_and_what_the_network_adds(n_dims: int) -> None:
    model, points = refined(n_dims), points_in(n_dims, 0.7)
    code = torch.randn(5, 6)
    turn = torch.linalg.qr(torch.randn(n_dims, n_dims)).Q
    variables = {SCALE: torch.tensor([1.5, 1.5])}
    frame = model.frame(code, TIME, rotation=turn, variables=variables)
    grid = LinearFrame.__call__(frame, points)  # type: ignore[arg-type]
    weights = spline_basis(np.array([TIME]), 5) @ code.numpy()
    seen = torch.tensor(weights[:, :4] / model.spread.numpy(), dtype=torch.float32)
    places = (points @ turn.T / 1.5 / 0.7).clamp(-1, 1)
    # By the plain layers of the network, whose code is what it sees at the time.
    hidden = places
    for number, layer in enumerate(model.correction.layers):
        inputs = torch.cat([*([hidden] if number else []), places, torch.zeros(200, 1), seen.expand(200, -1)], dim=1)
        hidden = torch.sin(10 * torch.nn.functional.linear(inputs, layer.weight, layer.bias))
    expected = grid + 1.5 * model.correction.output(hidden)[:, 0]
    assert torch.allclose(frame(points), expected, atol=1e-5)


def test_an_untrained_network_changes_nothing() -> None:
    model = Refined(nodes=8, components=6, knots=5, cut=3.0, values=4, width=16, depth=3, omega=10.0, seed=1)
    code, points = torch.randn(5, 6), points_in(3, 1.0)
    assert torch.equal(model.frame(code, TIME)(points), model.grid_frame(code, TIME)(points))


def test_distances_and_frames_agree() -> None:
    model, points = refined(), points_in(3, 0.6)
    codes = torch.randn(2, 5, 6)
    found = model.distances(codes, torch.tensor([TIME, -1.0]), points.expand(2, -1, -1))
    for row, time in enumerate((TIME, -1.0)):
        assert torch.allclose(found[row], model.frame(codes[row], time)(points), atol=1e-4)


def test_the_gradient_is_that_of_the_distances() -> None:
    model, points, code = refined(), points_in(3, 0.4)[:20], torch.randn(5, 6)
    found = model.gradient(code, TIME, points)
    steps = 1e-2 * torch.eye(3)
    frame = model.frame(code, TIME)
    by_steps = torch.stack([(frame(points + step) - frame(points - step)) / 2e-2 for step in steps], dim=1)
    assert torch.allclose(found, by_steps, atol=0.05 * float(found.abs().max()))


def test_beyond_the_grid_the_network_says_what_it_says_at_its_edge() -> None:
    model, code = refined(), torch.zeros(5, 6)
    edge, beyond = torch.tensor([[0.7, 0.0, 0.0]]), torch.tensor([[1.7, 0.0, 0.0]])
    added = [model.frame(code, TIME)(place) - model.grid_frame(code, TIME)(place) for place in (edge, beyond)]
    assert torch.allclose(*added)


def test_an_impossible_spread_is_a_fault() -> None:
    model = refined()
    assert model.fault() == ""
    model.spread[1] = 0
    assert "spread" in model.fault()

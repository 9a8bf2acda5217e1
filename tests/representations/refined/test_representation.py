"""A network in the frame of components: in any pose, at any size, in volumes and images, with the symmetries of codes."""

import numpy as np
import pytest
import torch

from cytoform.representations.linear.representation import spline_basis
from cytoform.representations.refined.representation import Refined
from cytoform.representations.representation import SCALE

TIME = 0.3


def refined(n_dims: int = 3) -> Refined:
    torch.manual_seed(0)
    found = Refined(nodes=8, components=6, knots=5, cut=3.0, width=16, depth=3, omega=10.0, seed=1, n_dims=n_dims)
    found.extent.fill_(0.7)
    found.odd.random_(0, 2)
    return found.requires_grad_(False)


def points_in(n_dims: int, reach: float) -> torch.Tensor:
    return torch.tensor(np.random.default_rng(2).uniform(-reach, reach, (200, n_dims)), dtype=torch.float32)


@pytest.mark.parametrize("n_dims", [3, 2])
def test_the_distance_is_that_of_the_network_in_its_frame(n_dims: int) -> None:
    model, points = refined(n_dims), points_in(n_dims, 1.5)
    code = torch.randn(5, 6)
    turn = torch.linalg.qr(torch.randn(n_dims, n_dims)).Q
    frame = model.frame(code, TIME, rotation=turn, variables={SCALE: torch.tensor([1.5, 1.5])})
    seen = torch.tensor(spline_basis(np.array([TIME]), 5) @ code.numpy(), dtype=torch.float32)
    turned = points @ turn.T / 1.5
    places = (turned / 0.7).clamp(-1, 1)
    # By the plain layers of the network, whose code is the mixture of knots at the time.
    hidden = places
    for number, layer in enumerate(model.network.layers):
        inputs = torch.cat([*([hidden] if number else []), places, torch.zeros(200, 1), seen.expand(200, -1)], dim=1)
        hidden = torch.sin(10 * torch.nn.functional.linear(inputs, layer.weight, layer.bias))
    expected = 1.5 * (model.network.output(hidden)[:, 0] + (turned - 0.7 * places).norm(dim=1))
    assert torch.allclose(frame(points), expected, atol=1e-5)


def test_distances_frames_and_gradients_agree() -> None:
    model, points = refined(), points_in(3, 0.6)
    codes = torch.randn(2, 5, 6)
    found = model.distances(codes, torch.tensor([TIME, -1.0]), points.expand(2, -1, -1))
    steps = 1e-2 * torch.eye(3)
    for row, time in enumerate((TIME, -1.0)):
        frame = model.frame(codes[row], time)
        assert torch.allclose(found[row], frame(points), atol=1e-5)
        gradient = model.gradient(codes[row], time, points)
        by_steps = torch.stack([(frame(points + step) - frame(points - step)) / 2e-2 for step in steps], dim=1)
        assert torch.allclose(gradient, by_steps, atol=0.05 * float(gradient.abs().max()))


def test_volumes_are_those_of_the_field() -> None:
    model, code = refined(), torch.randn(5, 6)
    frame = model.frame(code, TIME)
    inside = float((frame(torch.rand(200_000, 3) * 1.4 - 0.7) <= 0).float().mean()) * 1.4**3
    assert model.volumes(code, np.array([TIME]))[0] == pytest.approx(inside, rel=0.15)


def test_an_impossible_unit_is_a_fault() -> None:
    model = refined()
    assert model.fault() == ""
    model.unit[1] = 0
    assert "unit" in model.fault()

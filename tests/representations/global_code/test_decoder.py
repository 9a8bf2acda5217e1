"""The decoder against the paper and against an independent, plain implementation."""

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from cytoform.representations.global_code.decoder import Decoder
from cytoform.representations.global_code.representation import GlobalCode
from cytoform.representations.table import new_representation
from cytoform.runs.config import load_config


def decoder(**changes: object) -> GlobalCode:
    settings: dict[str, object] = {
        "width": 16, "depth": 4, "code_dim": 5, "code_layers": (1, 3), "activation": "sine", "omega": 30.0, "seed": 1,
    }  # fmt: skip
    return GlobalCode(**{**settings, **changes})  # type: ignore[arg-type]


def test_paper_has_210689_parameters() -> None:
    model = new_representation(load_config(preset="paper").model, seed=0)
    assert sum(parameter.numel() for parameter in model.parameters()) == 210_689


def plain(model: Decoder, points: Tensor, time: float, code: Tensor) -> Tensor:
    """Codes and times repeated for every point and concatenated, as the published code does."""
    n = len(points)
    place = torch.cat([points, torch.full((n, 1), time)], dim=1)
    hidden = torch.empty(n, 0)
    for number, layer in enumerate(model.layers, start=1):
        inputs = [hidden, place] + ([code.expand(n, -1)] if number in (1, 3) else [])
        x = torch.nn.functional.linear(torch.cat(inputs, dim=1), layer.weight, layer.bias)
        hidden = (
            torch.sin(30 * x) if isinstance(model.activation.omega, float) and model.activation.omega > 1 else x.relu()
        )
    return torch.nn.functional.linear(hidden, model.output.weight, model.output.bias)[:, 0]


@pytest.mark.parametrize("activation", ["sine", "relu"])
def test_folded_biases_change_nothing(activation: str) -> None:
    model = decoder(activation=activation)
    codes, times = torch.randn(3, 5) * 0.1, torch.tensor([-1.0, 0.2, 1.0])
    points = torch.rand(3, 50, 3) * 2 - 1
    folded = model(points, model.frame_biases(codes, times))
    for frame in range(3):
        expected = plain(model, points[frame], float(times[frame]), codes[frame])
        torch.testing.assert_close(folded[frame], expected, atol=2e-5, rtol=1e-4)


def test_gradients_reach_codes_and_all_weights() -> None:
    model = decoder()
    codes = torch.zeros(2, 5, requires_grad=True)
    model(torch.rand(2, 9, 3), model.frame_biases(codes, torch.tensor([-1.0, 1.0]))).sum().backward()
    assert codes.grad is not None
    assert (codes.grad.abs().sum(dim=1) > 0).all()
    assert all(parameter.grad is not None and parameter.grad.abs().sum() > 0 for parameter in model.parameters())


def test_sine_initialisation_uses_the_whole_fan_in() -> None:
    """SIREN: U(±1/n) first, U(±sqrt(6/n)/ω) then; activations keep their spread at any depth."""
    model = new_representation(load_config(preset="paper").model, seed=0)
    for number, layer in enumerate(model.layers, start=1):
        n = layer.weight.shape[1]
        assert n == (0 if number == 1 else 128) + 4 + (192 if number in (1, 5, 8) else 0)
        bound = 1 / n if number == 1 else math.sqrt(6 / n) / 30
        assert 0.97 * bound < float(layer.weight.detach().abs().max()) <= bound
        assert float(layer.bias.detach().abs().max()) <= 1 / math.sqrt(n)


def test_same_seed_same_weights() -> None:
    a, b, c = decoder(seed=3), decoder(seed=3), decoder(seed=4)
    assert all(torch.equal(x, y) for x, y in zip(a.parameters(), b.parameters(), strict=True))
    assert not torch.equal(a.output.weight, c.output.weight)


def test_gradient_agrees_with_finite_differences() -> None:
    model = decoder(omega=3.0).double()
    code = torch.full((5,), 0.1, dtype=torch.float64)
    points = torch.tensor(np.random.default_rng(0).uniform(-1, 1, (20, 3)))
    biases = model.frame_biases(code[None], code.new_full((1,), 0.3))
    gradient = model.gradient(code, 0.3, points)
    for axis in range(3):
        step = torch.zeros(3, dtype=torch.float64)
        step[axis] = 1e-6
        slope = (model((points + step)[None], biases) - model((points - step)[None], biases))[0] / 2e-6
        torch.testing.assert_close(gradient[:, axis], slope.detach(), atol=1e-6, rtol=1e-5)

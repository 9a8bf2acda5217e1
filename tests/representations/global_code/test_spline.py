"""Splines over time, against SciPy's."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.interpolate import BSpline

from cytoform.errors import InputError
from cytoform.representations.global_code.decoder import Decoder, spline_weights
from cytoform.runs.config import load_config


@given(n_knots=st.integers(4, 20), seed=st.integers(0, 99))
def test_as_scipy_has_it(n_knots: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    controls, times = rng.normal(size=n_knots), np.append(rng.uniform(-1, 1, 20), [-1, 1])
    step = 2 / (n_knots - 3)
    expected = BSpline(-1 + step * np.arange(-3, n_knots + 1), controls, 3)(times)
    weights = spline_weights(torch.tensor(times), n_knots)
    np.testing.assert_allclose(weights.numpy() @ controls, expected, atol=1e-9)


@given(n_knots=st.integers(4, 20), time=st.floats(-1, 1))
def test_at_most_four_weights_that_sum_to_one(n_knots: int, time: float) -> None:
    weights = spline_weights(torch.tensor([time], dtype=torch.float64), n_knots)[0]
    assert float(weights.sum()) == pytest.approx(1)
    assert float(weights.min()) >= 0
    assert int((weights > 0).sum()) <= 4


def decoder(code_dim: int, n_knots: int) -> Decoder:
    return Decoder(
        width=8,
        depth=3,
        code_dim=code_dim,
        code_layers=(1, 2),
        code_knots=n_knots,
        activation="sine",
        omega=5.0,
        seed=3,
    )


def test_equal_knots_are_a_constant_code() -> None:
    """A decoder with knots has the weights of one without, of a code as long as a knot."""
    constant, local = decoder(6, 1), decoder(30, 5)
    assert [p.shape for p in constant.parameters()] == [p.shape for p in local.parameters()]
    codes, times = torch.randn(4, 6), torch.linspace(-1, 1, 4)
    one, other = constant.frame_biases(codes, times), local.frame_biases(codes.repeat(1, 5), times)
    for a, b in zip(one.layers, other.layers, strict=True):
        torch.testing.assert_close(a, b)


def test_a_knot_reaches_no_farther_than_its_spline() -> None:
    local = decoder(5 * 8, 8)
    code, times = torch.randn(1, 40), torch.tensor([-1.0, -0.7, 0.5, 1.0])
    changed = code.clone()
    changed[:, -5:] += 1
    before, after = (local.frame_biases(c.expand(4, -1), times).layers[0] for c in (code, changed))
    assert [bool((a != b).any()) for a, b in zip(before, after, strict=True)] == [False, False, False, True]


@pytest.mark.parametrize("knots", [2, 3, 5, 0])
def test_knots_that_do_not_fit_the_code(knots: int) -> None:
    with pytest.raises(InputError, match="code_knots"):
        load_config(settings=[f"model.code_knots={knots}"])

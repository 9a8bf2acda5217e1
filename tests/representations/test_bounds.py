"""Bounds hold where they were not measured, and say less than the slope alone would."""

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import cytoform
from cytoform.representations.bounds import LENGTHS, NODES, Bounds, lagrange_weights, measure_bounds
from cytoform.representations.global_code.evaluator import FrameEvaluator
from cytoform.representations.global_code.representation import GlobalCode


@given(length=st.floats(0, 1), longer=st.floats(1, 4), safety=st.floats(0.1, 10), slope=st.floats(0.1, 10))
def test_a_field_of_which_only_the_slope_is_known(length: float, longer: float, safety: float, slope: float) -> None:
    bounds = Bounds.of_slope(slope).times(safety)
    assert bounds.reach(length) == pytest.approx(safety * slope * length)
    assert bounds.misprediction(length) >= bounds.reach(length)
    assert bounds.reach(longer * length) >= bounds.reach(length)


def test_measured_bounds_between_and_beyond_the_measured_lengths() -> None:
    squares = Bounds(1.0, LENGTHS, tuple(length**2 for length in LENGTHS))
    assert squares.misprediction(0.1) == pytest.approx(0.01)
    assert squares.misprediction(LENGTHS[0]) == pytest.approx(LENGTHS[0] ** 2)
    assert squares.misprediction(0.5) > LENGTHS[0] ** 2
    assert squares.misprediction(1e-4) == pytest.approx(LENGTHS[-1] ** 2)
    assert squares.reach(0.0) == 0.0


@given(position=st.floats(-1, 4), coefficients=st.tuples(*[st.floats(-3, 3)] * NODES))
def test_predictions_are_exact_for_cubics(position: float, coefficients: tuple[float, ...]) -> None:
    values = np.polynomial.polynomial.polyval(np.arange(NODES), coefficients)
    expected = np.polynomial.polynomial.polyval(position, coefficients)
    (weights,) = lagrange_weights(np.array([position]))
    assert np.dot(weights, values) == pytest.approx(expected, abs=1e-9)


def test_they_hold_at_other_points_of_the_surface(trained: Path) -> None:
    run = cytoform.load(trained).run
    bounds = run.learned.bounds
    assert 0.7 < bounds.slope < 3
    evaluate = FrameEvaluator(run.decoder, run.codes[1], 0.37)
    generator = torch.Generator().manual_seed(5)
    directions = torch.nn.functional.normalize(torch.randn(4000, 3, generator=generator), dim=1)
    radii = torch.linspace(0, 1, 400)  # the balls are round: the surface along a ray, to a four-hundredth
    along = evaluate((directions[:200, None] * radii[:, None]).reshape(-1, 3)).reshape(200, -1)
    surface = directions[:200] * radii[(along > 0).int().argmax(dim=1)][:, None]
    for length in (0.2, 0.05, 0.01):
        steps = length * directions[None, 200:1200]
        there = evaluate((surface[:100, None] + steps).reshape(-1, 3))
        assert float(there.abs().max()) < 1.3 * (bounds.reach(length) + bounds.reach(1 / 400))
    assert bounds.misprediction(0.03) < 0.2 * Bounds.of_slope(bounds.slope).misprediction(0.03)


def test_a_model_without_any_surface_still_has_bounds() -> None:
    decoder = GlobalCode(width=8, depth=2, code_dim=2, code_layers=(1,), activation="sine", omega=5.0, seed=0)
    with torch.no_grad():
        decoder.output.bias.fill_(100.0)
    decoder.requires_grad_(False)
    bounds = measure_bounds(decoder, torch.zeros(1, 2), seed=0)
    assert 0 < bounds.slope < 100
    assert all(0 < value < 10 for value in (*bounds.reaches, *bounds.mispredictions))
    assert measure_bounds(decoder, torch.zeros(1, 2), seed=0) == bounds

"""The error and its gradients in one pass, against PyTorch's automatic differentiation of the plain decoder."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from cytoform.representations.global_code.decoder import ACTIVATIONS, Decoder, FrameBiases
from cytoform.representations.global_code.fused_error import CHUNK, Reconstruction


def decoder(activation: str = "sine", *, width: int = 12, depth: int = 4, omega: float = 5.0) -> Decoder:
    return Decoder(
        width=width, depth=depth, code_dim=6, code_layers=(1, depth), activation=activation, omega=omega, seed=1
    )


def batch(frames: int, points: int, seed: int = 0) -> tuple[torch.Tensor, ...]:
    rng = np.random.default_rng(seed)
    drawn = (rng.uniform(-1, 1, (frames, points, 3)), rng.normal(0, 0.3, (frames, points)))
    codes, times = rng.normal(0, 1, (frames, 6)), rng.uniform(-1, 1, frames)
    return tuple(torch.tensor(values, dtype=torch.float32) for values in (*drawn, codes, times))


def plainly(model: Decoder, points: torch.Tensor, biases: FrameBiases, distances: torch.Tensor) -> torch.Tensor:
    return (model(points, biases) - distances).abs().mean()


def gradients(model: Decoder, error: torch.Tensor, codes: torch.Tensor) -> list[torch.Tensor]:
    return list(torch.autograd.grad(error, [*model.parameters(), codes]))


@settings(max_examples=25, deadline=None)
@given(
    activation=st.sampled_from(sorted(ACTIVATIONS)),
    frames=st.integers(1, 20),
    points=st.sampled_from([1, 7, CHUNK // 3, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK + 3]),
    depth=st.integers(1, 5),
    seed=st.integers(0, 99),
)
def test_error_and_gradients_are_those_of_the_decoder(
    activation: str, frames: int, points: int, depth: int, seed: int
) -> None:
    model = decoder(activation, depth=depth)
    where, distances, codes, times = batch(frames, points, seed)
    codes.requires_grad_()
    expected = plainly(model, where, model.frame_biases(codes, times), distances)
    found = Reconstruction(model).error(where, model.frame_biases(codes, times), distances)
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-6)
    for one, other in zip(gradients(model, found, codes), gradients(model, expected, codes), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=2e-5)


def test_a_narrow_way_back_changes_gradients_by_what_bfloat16_rounds() -> None:
    model = decoder(width=64, depth=4)
    points, distances, codes, times = batch(3, CHUNK // 2)
    codes.requires_grad_()
    exact, narrow = (
        Reconstruction(model, backward_dtype=dtype).error(points, model.frame_biases(codes, times), distances)
        for dtype in (torch.float32, torch.bfloat16)
    )
    assert torch.equal(exact, narrow)
    errors = [
        float((one - other).norm() / one.norm())
        for one, other in zip(gradients(model, exact, codes), gradients(model, narrow, codes), strict=True)
    ]
    assert 1e-4 < max(errors) < 0.02


@pytest.mark.parametrize("activation", sorted(ACTIVATIONS))
@pytest.mark.parametrize(("frames", "points"), [(1, 7), (9, CHUNK // 3), (3, 2 * CHUNK + 3)])
def test_gradients_of_the_points(activation: str, frames: int, points: int) -> None:
    model = decoder(activation)
    where, distances, codes, times = batch(frames, points)
    where.requires_grad_()
    biases = model.frame_biases(codes, times)
    wanted = [where, *model.parameters()]
    found = torch.autograd.grad(2 * Reconstruction(model).error(where, biases, distances), wanted, retain_graph=True)
    expected = torch.autograd.grad(2 * plainly(model, where, biases, distances), wanted)
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=2e-5)


@pytest.mark.parametrize("asked", [False, True])
def test_gradients_of_the_points_are_computed_only_if_asked_for(asked: bool) -> None:
    model = decoder()
    points, distances, codes, times = batch(2, 9)
    error = Reconstruction(model).error(points.requires_grad_(asked), model.frame_biases(codes, times), distances)
    assert (error.grad_fn.of_points is not None) == asked


def test_gradients_scale_with_what_is_done_to_the_error() -> None:
    model = decoder()
    points, distances, codes, times = batch(2, 40)
    codes.requires_grad_()
    work = Reconstruction(model)
    once = gradients(model, work.error(points, model.frame_biases(codes, times), distances), codes)
    thrice = gradients(model, 3 * work.error(points, model.frame_biases(codes, times), distances), codes)
    for one, three in zip(once, thrice, strict=True):
        torch.testing.assert_close(3 * one, three)


def test_buffers_hold_nothing_of_the_step_before() -> None:
    """A large batch, then a small one: the same as the small one alone, bit for bit."""
    model = decoder()
    used, fresh = Reconstruction(model), Reconstruction(model)
    large, small = batch(4, CHUNK + 5, seed=1), batch(1, 9, seed=2)
    used.error(large[0], model.frame_biases(large[2], large[3]), large[1])
    results = []
    for work in (used, fresh):
        codes = small[2].clone().requires_grad_()
        error = work.error(small[0], model.frame_biases(codes, small[3]), small[1])
        results.append([error.detach(), *gradients(model, error, codes)])
    assert all(torch.equal(one, other) for one, other in zip(*results, strict=True))


@pytest.mark.parametrize("activation", sorted(ACTIVATIONS))
def test_same_bits_every_time(activation: str) -> None:
    model = decoder(activation, width=32)
    points, distances, codes, times = batch(5, CHUNK, seed=3)
    codes.requires_grad_()
    runs = []
    for _ in range(3):
        error = Reconstruction(model).error(points, model.frame_biases(codes, times), distances)
        runs.append([error.detach(), *gradients(model, error, codes)])
    assert all(torch.equal(one, other) for run in runs[1:] for one, other in zip(runs[0], run, strict=True))


def test_exact_predictions_have_no_error() -> None:
    model = decoder()
    points, _, codes, times = batch(2, 30)
    biases = model.frame_biases(codes, times)
    error = Reconstruction(model).error(points, biases, model(points, biases).detach())
    assert float(error.detach()) < 1e-6

"""The narrow band against the dense grid, on fields whose bounds are known, and where they can fail."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from cytoform.representations.bounds import LENGTHS, Bounds
from cytoform.simulate.analytic import Ball, DividingPair, SpikedBall
from cytoform.synthesis.narrow_band import Box, Evaluate, evaluate_all, search

CPU = torch.device("cpu")
EXACT = Bounds.of_slope(1.0)  # all that is known of an exact distance: kinks bend without bound
# A ball of radius 0.3 is predicted better than this (test_the_bounds_of_a_ball).
SMOOTH = Bounds(1.0, LENGTHS, tuple(2 * width**2 for width in LENGTHS))


def field(shape: Ball | DividingPair | SpikedBall, time: float = 0.0) -> Evaluate:
    """An analytic shape as the network would see it: (x, y, z) in Ω, distances in half extents."""

    def evaluate(points: Tensor) -> Tensor:
        return torch.from_numpy(shape.distance_um(points.numpy()[:, ::-1].astype(float), time).astype(np.float32))

    return evaluate


def whole(box: Box) -> Tensor:
    volume = torch.full((box.grid_size,) * 3, float("inf"))
    z, y, x = (slice(low, low + n) for low, n in zip(box.corner_zyx, box.distances.shape, strict=True))
    volume[z, y, x] = box.distances
    return volume


def check(evaluate: Evaluate, n: int, bounds: Bounds, band_voxels: float = 1.0) -> float:
    """Every voxel's sign and every distance in the band as on the dense grid; returns the share evaluated."""
    band = band_voxels * 2 / n
    box = search(evaluate, n, bounds=bounds, band=band, device=CPU)
    dense = evaluate_all(evaluate, n, device=CPU).distances
    found = whole(box)
    assert int(((found <= 0) != (dense <= 0)).sum()) == 0
    near = dense.abs() <= band
    assert torch.equal(found[near], dense[near])
    assert (found[~near].abs() > band).all()
    return box.n_evaluated / n**3


@settings(deadline=None, max_examples=40)
@given(
    radius=st.floats(0.05, 0.9),
    centre=st.tuples(*[st.floats(-0.6, 0.6)] * 3),
    n=st.integers(8, 72),
    band=st.sampled_from([0.0, 1.0, 2.5]),
)
def test_balls_anywhere_and_grids_of_any_size(
    radius: float, centre: tuple[float, float, float], n: int, band: float
) -> None:
    """Cut by the border of the cube and lost between voxel centres included."""
    check(field(Ball(radius, centre_zyx_um=centre)), n, EXACT, band)


@settings(deadline=None, max_examples=20)
@given(time=st.floats(0, 1), n=st.integers(32, 80))
def test_cells_that_separate(time: float, n: int) -> None:
    check(field(DividingPair(0.3, 1.0), time), n, EXACT)


@pytest.mark.parametrize("width_voxels", [0.6, 1.0, 2.0])
def test_spikes_one_voxel_thin(width_voxels: float) -> None:
    n = 128
    spike = SpikedBall(0.3, width_voxels / n, 0.85, centre_zyx_um=(0.003, -0.002, -0.1))
    assert check(field(spike, 1.0), n, EXACT) < 0.2


def test_it_skips_most_of_a_smooth_field() -> None:
    ball = field(Ball(0.3))
    assert check(ball, 128, SMOOTH) < 0.025
    # The work grows with the surface, not with the volume.
    few = search(ball, 64, bounds=SMOOTH, band=2 / 64, device=CPU).n_evaluated
    many = search(ball, 256, bounds=SMOOTH, band=2 / 256, device=CPU).n_evaluated
    assert many < 16 * 1.2 * few


def test_empty_and_full_frames() -> None:
    for sign in (1.0, -1.0):
        box = search(lambda p, s=sign: torch.full((len(p),), s), 40, bounds=EXACT, band=0.05, device=CPU)
        assert bool((whole(box) <= 0).all()) is (sign < 0)
        assert bool((whole(box) <= 0).any()) is (sign < 0)


def test_the_surface_is_followed_where_the_bound_fails() -> None:
    """Predictions are trusted far too much here, but what touches the found surface is found all the same."""
    for shape in (Ball(0.3), Ball(0.55, centre_zyx_um=(0.2, 0.1, 0.0))):
        evaluate = field(shape, 0.8)
        box = search(
            evaluate, 64, bounds=Bounds(1.0, LENGTHS, tuple(0.01 * width for width in LENGTHS)), band=0.0, device=CPU
        )
        dense = evaluate_all(evaluate, 64, device=CPU).distances
        assert torch.equal(whole(box) <= 0, dense <= 0)


def test_a_bound_too_small_can_lose_an_isolated_speck() -> None:
    """When it can fail, as the documentation says: a field steeper than the bound, in a piece that touches no other."""

    def evaluate(points: Tensor) -> Tensor:
        ball = points.norm(dim=1) - 0.3
        speck = 30 * ((points - 0.71).norm(dim=1) - 0.03)  # a slope of 30
        return torch.minimum(ball, speck.clamp_max(0.5))

    dense = evaluate_all(evaluate, 64, device=CPU).distances
    lost = search(evaluate, 64, bounds=EXACT, band=0.0, device=CPU)
    kept = search(evaluate, 64, bounds=EXACT.times(30), band=0.0, device=CPU)
    assert not torch.equal(whole(lost) <= 0, dense <= 0)
    assert torch.equal(whole(kept) <= 0, dense <= 0)

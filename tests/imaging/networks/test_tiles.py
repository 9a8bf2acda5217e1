"""Tiles: what they make equals what the whole image makes, for any size."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import uniform_filter

from cytoform.imaging.networks.tiles import TileLayout, render_tiles

REACH, STRIDE = 5, 4


def means(seen: np.ndarray) -> np.ndarray:
    """A generator that sees REACH pixels far; it takes whole strides only."""
    assert all(length % STRIDE == 0 for length in seen.shape[1:])
    assert max(seen.shape[1:]) <= 48
    return uniform_filter(seen[0].astype(np.float64), 2 * REACH + 1, mode="mirror").astype(np.float32)


@settings(max_examples=30, deadline=None)
@given(y=st.integers(1, 150), x=st.integers(1, 150), seed=st.integers(0, 99))
def test_tiles_make_what_the_whole_makes(y: int, x: int, seed: int) -> None:
    seen = np.random.default_rng(seed).normal(size=(2, y, x)).astype(np.float32)
    layout = TileLayout.around(reach_px=REACH, stride=STRIDE, side_px=48)
    found = render_tiles(means, seen, layout)
    assert found.shape == (y, x)
    whole = uniform_filter(seen[0].astype(np.float64), 2 * REACH + 1, mode="mirror")
    away = (slice(REACH + STRIDE, -REACH - STRIDE),) * 2  # from where images end, and are mirrored
    np.testing.assert_allclose(found[away], whole[away], atol=1e-5)


def test_a_generator_that_sees_further_than_tiles_is_still_blended() -> None:
    """Tiles that disagree: between them is no step larger than the blend makes it."""
    layout = TileLayout.around(reach_px=10_000, stride=4, side_px=64)
    numbers = iter(range(100))

    def disagree(seen: np.ndarray) -> np.ndarray:
        return np.full(seen.shape[1:], next(numbers) % 2, np.float32)

    found = render_tiles(disagree, np.zeros((1, 64, 200), np.float32), layout)
    assert np.abs(np.diff(found, axis=1)).max() < 0.2
    assert found.max() > 0.9


@pytest.mark.parametrize("side_px", [16, 64, 1024])
def test_tiles_and_their_steps_are_whole_strides(side_px: int) -> None:
    for stride in (2, 8, 16):
        layout = TileLayout.around(reach_px=37, stride=stride, side_px=side_px)
        assert layout.side_px % stride == layout.step_px % stride == 0
        assert 0 < layout.step_px <= layout.side_px

"""Intervals over frames, or movies where there are enough."""

import numpy as np
import pytest

from cytoform.assess.images.bootstrap import draws_of, estimate, unit_of
from cytoform.assess.images.frames import ImageFrame


def frames(n_movies: int, n: int) -> list[ImageFrame]:
    nothing = np.zeros((4, 4), np.uint8)
    return [ImageFrame(nothing, nothing, str(movie), number) for movie in range(n_movies) for number in range(n)]


def test_movies_are_drawn_whole_where_there_are_five() -> None:
    few, many = frames(4, 3), frames(5, 3)
    assert (unit_of(few), unit_of(many)) == ("frame", "movie")
    draws = draws_of(many, np.random.default_rng(0)).reshape(-1, 5, 3)
    assert (draws == draws[:, :, :1]).all()
    assert (draws.sum(axis=(1, 2)) == 15).all()
    single = draws_of(few, np.random.default_rng(0)).reshape(-1, 4, 3)
    assert (single != single[:, :, :1]).any()


def test_interval_of_a_mean() -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(5, 2, 100)
    draws = draws_of(frames(1, 100), rng)
    found = estimate(lambda _a, b: float(b @ values / b.sum()), draws, draws)
    assert found.value == pytest.approx(values.mean())
    half = 1.96 * values.std() / 10
    assert found.high - found.value == pytest.approx(half, rel=0.2)
    assert found.value - found.low == pytest.approx(half, rel=0.2)


def test_not_defined() -> None:
    one, two = (draws_of(frames(1, n), np.random.default_rng(0)) for n in (1, 2))
    alone = estimate(lambda _a, _b: 3.0, one, two)
    assert alone.value == 3
    assert np.isnan([alone.low, alone.high]).all()
    assert np.isnan(estimate(lambda _a, _b: float("nan"), two, two).value)
    rare = estimate(lambda _a, b: 3.0 if (b == 1).all() and b is not two[0] else float("nan"), two * 0 + 2, two * 0 + 2)
    assert rare.value == 3
    assert np.isnan([rare.low, rare.high]).all()

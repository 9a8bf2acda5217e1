"""The ways: exact where their assumption holds, and the same at known positions."""

import numpy as np
import pytest

from cytoform.completion.ways import WAYS, Between, lagrange


def between(position: float, positions: tuple[float, ...], values: list[float]) -> Between:
    y, x = np.indices((16, 16), np.float32)
    disc = np.hypot(y - 8, x - 8).astype(np.float32) - 4
    return Between(position, positions, tuple(disc + np.float32(value) for value in values))


def test_the_mean_is_exact_for_linear_change() -> None:
    known = between(2.5, (1, 2, 4, 5), [1, 2, 4, 5])
    assert WAYS["mean"](known) == pytest.approx(known.fields[0] + 1.5)
    assert known.share == 0.25


def test_the_cubic_is_exact_for_cubic_change() -> None:
    times = (0.0, 1.0, 3.0, 4.0)
    known = between(2.0, times, [time**3 / 10 for time in times])
    assert WAYS["cubic"](known) == pytest.approx(known.fields[0] + 0.8, abs=1e-4)


def test_every_way_works_with_two_known_fields() -> None:
    known = between(1.0, (0, 2), [-0.5, 0.5])
    middle = known.fields[0] + 0.5
    near = np.abs(middle) < 1.5
    for name, way in WAYS.items():
        assert way(known)[near] == pytest.approx(middle[near], abs=0.2), name


def test_lagrange_weights_add_up_to_one() -> None:
    assert lagrange((0, 1, 3, 7), 2.2).sum() == pytest.approx(1)

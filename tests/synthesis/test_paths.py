"""Paths through codes: ends, lengths, even steps, and where a turn is not defined."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from cytoform.errors import InputError
from cytoform.synthesis.paths import PATHS, PathKind, code_path, path_weights

COORDINATES = st.floats(-1, 1, width=32).map(lambda x: 0.0 if abs(x) < 1e-3 else x)
KINDS = sorted(PATHS)
STEPS = st.integers(2, 9)


@st.composite
def pairs(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    codes = arrays(np.float32, draw(st.integers(1, 6)), elements=COORDINATES)
    return draw(codes), draw(codes)


def lengths(path: np.ndarray) -> np.ndarray:
    return np.linalg.norm(path.astype(np.float64), axis=1)


def angles(path: np.ndarray) -> np.ndarray:
    """Between each code and the next."""
    unit = path.astype(np.float64) / lengths(path)[:, None]
    return 2 * np.arcsin(np.clip(np.linalg.norm(np.diff(unit, axis=0), axis=1) / 2, 0, 1))


@pytest.mark.parametrize("kind", KINDS)
@given(codes=pairs(), steps=STEPS)
def test_ends_are_the_codes_and_the_way_back_is_the_same(
    kind: PathKind, codes: tuple[np.ndarray, np.ndarray], steps: int
) -> None:
    path = code_path(*codes, steps, kind=kind)
    assert path.shape == (steps, len(codes[0]))
    assert np.isfinite(path).all()
    assert path[0].tobytes() == codes[0].tobytes()
    assert path[-1].tobytes() == codes[1].tobytes()
    assert path[::-1] == pytest.approx(code_path(codes[1], codes[0], steps, kind=kind), abs=1e-5)


@given(codes=pairs(), steps=STEPS)
def test_straight_steps_are_equal(codes: tuple[np.ndarray, np.ndarray], steps: int) -> None:
    path = code_path(*codes, steps, kind="straight")
    assert np.diff(path, axis=0) == pytest.approx(
        np.tile((codes[1] - codes[0]) / (steps - 1), (steps - 1, 1)), abs=1e-6
    )


@given(codes=pairs(), steps=STEPS)
def test_spherical_lengths_go_evenly_and_so_do_directions(codes: tuple[np.ndarray, np.ndarray], steps: int) -> None:
    start, end = codes
    path = code_path(start, end, steps, kind="spherical")
    if not (start.any() and end.any()) or len(start) == 1:
        assert path.tobytes() == code_path(start, end, steps, kind="straight").tobytes()
        return
    a, b = lengths(np.stack(codes))
    assert lengths(path) == pytest.approx(a + path_weights(steps) * (b - a), abs=1e-6)
    assert angles(path) == pytest.approx(np.full(steps - 1, angles(np.stack(codes)) / (steps - 1)), abs=1e-4)


def test_a_quarter_turn() -> None:
    path = code_path(np.array([1, 0], np.float32), np.array([0, 1], np.float32), 3, kind="spherical")
    assert path[1] == pytest.approx(np.sqrt([0.5, 0.5]))


def test_parallel_codes_stay_on_their_line() -> None:
    code = np.array([0.3, -0.4], np.float32)
    assert code_path(code, 3 * code, 3, kind="spherical") == pytest.approx(np.outer([1, 2, 3], code))


def test_opposite_codes_turn_towards_the_axis_they_have_least_of() -> None:
    start = np.array([0.6, 0.0, 0.8], np.float32)
    path = code_path(start, -2 * start, 3, kind="spherical")
    assert path[1] == pytest.approx([0, 1.5, 0], abs=1e-6)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("steps", [1, 0, -3])
def test_a_path_has_two_ends(kind: PathKind, steps: int) -> None:
    with pytest.raises(InputError, match=f"--steps {steps}: "):
        code_path(np.zeros(2, np.float32), np.ones(2, np.float32), steps, kind=kind)

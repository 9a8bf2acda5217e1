"""Pieces of a mask that lie far apart."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cytoform.shapes.pieces import FAR_RADII, far_pieces

UM = (1.0, 0.5, 0.25)
RADIUS_UM = 3.0


def pair(gap_um: float, axis: int, *, other_um: float = RADIUS_UM) -> np.ndarray:
    """Two balls with a gap between them along an axis."""
    extent = [2 * RADIUS_UM + 2] * 3
    extent[axis] += gap_um + 2 * other_um
    shape = [round(size / spacing) for size, spacing in zip(extent, UM, strict=True)]
    axes = np.meshgrid(*[(np.arange(n) + 0.5) * s for n, s in zip(shape, UM, strict=True)], indexing="ij")
    centre = [RADIUS_UM + 1] * 3
    second = list(centre)
    second[axis] += RADIUS_UM + gap_um + other_um

    def ball(at: list[float], radius: float) -> np.ndarray:
        return sum((a - c) ** 2 for a, c in zip(axes, at, strict=True)) <= radius**2

    return ball(centre, RADIUS_UM) | ball(second, other_um)


@settings(max_examples=20, deadline=None)
@given(gap_um=st.floats(2.5, 8.0), axis=st.integers(0, 2))
def test_the_gap_is_measured(gap_um, axis):
    found = far_pieces(pair(gap_um, axis), UM)
    assert found.n_pieces == 2
    assert found.share == pytest.approx(0.5, abs=0.03)
    assert found.gap_um == pytest.approx(gap_um, abs=2 * UM[axis])


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_near_pieces_and_one_piece_are_no_matter(axis):
    assert far_pieces(pair(FAR_RADII * RADIUS_UM - 2 * UM[axis], axis), UM) is None
    assert far_pieces(pair(-1.0, axis), UM) is None


def test_specks_are_no_pieces():
    assert far_pieces(pair(6.0, 2, other_um=0.4), UM) is None
    small = far_pieces(pair(6.0, 2, other_um=1.0), UM)
    assert small is not None
    assert small.share == pytest.approx(1 / 28, rel=0.2)

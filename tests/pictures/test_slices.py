"""Outlines in a plane."""

import re

import numpy as np
from stores import ball, empty

from cytoform.pictures.slices import OUTLINE_DASHES, SIDE, outlines, plane_of_difference

BLUE, ORANGE = (0.0, 0.45, 0.7), (0.9, 0.6, 0.0)


def points(path: str) -> np.ndarray:
    return np.array([[float(n) for n in pair.split()] for pair in re.split("[MLZ]", path) if pair.strip()])


def test_the_plane_where_most_voxels_differ() -> None:
    a, b = ball(4.0), ball(4.0)
    b[12, :, :14] = 1.0
    assert plane_of_difference(a, b) == 12
    b[9] = 1.0  # more voxels, in a plane that only grazes the cell
    assert plane_of_difference(a, b) == 12
    b[18] = 1.0
    assert plane_of_difference(a, b) == 18


def test_equal_cells_are_cut_where_they_are_widest() -> None:
    assert plane_of_difference(ball(4.0), ball(4.0)) in (15, 16)


def test_a_disc_is_drawn_round_in_the_middle_and_to_scale() -> None:
    svg = outlines([ball(4.0)[16], ball(2.0)[16]], [BLUE, ORANGE], alternative="a < b")
    large, small = (points(d) for d in re.findall(r' d="([^"]+)"', svg))
    for disc in (large, small):
        np.testing.assert_allclose((disc.min(axis=0) + disc.max(axis=0)) / 2, SIDE / 2, atol=1.0)
    spans = [np.ptp(disc, axis=0) for disc in (large, small)]
    np.testing.assert_allclose(spans[0] / spans[1], 2.0, rtol=0.05)
    assert spans[0].max() < SIDE
    assert "a &lt; b" in svg
    assert f'stroke-dasharray="{OUTLINE_DASHES[1]}"' in svg


def test_a_cell_at_the_border_is_closed_and_an_empty_plane_has_no_outline() -> None:
    plane = ball(4.0, shift_zyx_um=(0, 0, 7.0))[16]
    svg = outlines([plane, empty()[16]], [BLUE, ORANGE], alternative="")
    first, second = re.findall(r' d="([^"]*)"', svg)
    assert first.count("Z") == 1
    assert second == ""
    assert outlines([empty()[16]], [BLUE], alternative="").count("<path") == 1

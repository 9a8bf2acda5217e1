"""Components and Euler numbers of shapes whose topology is known."""

import numpy as np
import pytest
from stores import GRID, ball, empty

from cytoform.assess.measures.masks import Topology, topology


def torus() -> np.ndarray:
    z, y, x = (GRID.points_zyx_um() - GRID.half_extent_um).T
    return (np.hypot(np.hypot(y, x) - 4, z) - 1.5).reshape(GRID.shape)


KNOWN = {
    "ball": (ball(3.0), Topology(1, 1)),
    "two balls": (np.minimum(ball(2.0, shift_zyx_um=(0, 4, 0)), ball(2.0, shift_zyx_um=(0, -4, 0))), Topology(2, 2)),
    "torus": (torus(), Topology(1, 0)),
    "hollow ball": (np.maximum(ball(5.0), -ball(3.0)), Topology(1, 2)),
    "nothing": (empty(), Topology(0, 0)),
}


@pytest.mark.parametrize("name", KNOWN)
def test_known_shapes(name: str) -> None:
    sdf_um, expected = KNOWN[name]
    assert topology(sdf_um <= 0) == expected


def test_voxels_that_touch_at_a_corner_are_one_piece() -> None:
    mask = np.zeros((4, 4, 4), bool)
    mask[1, 1, 1] = mask[2, 2, 2] = True
    assert topology(mask) == Topology(1, 1)

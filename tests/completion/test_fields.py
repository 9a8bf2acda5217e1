"""Fields of frames on a common box, and the mean of two of them."""

from pathlib import Path

import numpy as np
import pytest
from moving import overlap
from stores import GRID, ball, write_store

from cytoform.completion.fields import mean_mask
from cytoform.shapes.store import ShapeStore


@pytest.mark.parametrize("share", [0.25, 0.5])
def test_the_mean_of_the_fields_of_two_balls_is_the_ball_between(share: float, tmp_path: Path) -> None:
    """Also where the surfaces lie farther apart than the band of 2 µm that the store keeps."""
    sequence = ShapeStore.open(write_store(tmp_path / "a.zarr", {"a": [ball(1.5), ball(6.5)]}))["a"]
    found, radius_um = mean_mask(sequence, 0, 1, share), 1.5 + 5 * share
    assert overlap(found, ball(radius_um) <= 0) > 0.85
    found_um = (found.sum() * GRID.spacing_um**3 * 3 / (4 * np.pi)) ** (1 / 3)
    assert found_um == pytest.approx(radius_um, abs=0.5 * GRID.spacing_um)

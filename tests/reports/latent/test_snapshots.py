"""Cells at a few times: descriptors of exact shapes, and distances between shapes."""

import math

import numpy as np
import pytest
from flat import FLAT, disc
from stores import GRID, ball

from cytoform.reports.latent.snapshots import CellSet, Snapshots, cell_descriptors, shape_distances, snapshots
from cytoform.shapes.box import BoxedField


def seen(*radii_um: float) -> Snapshots:
    """Balls of these radii; 0 is an empty frame."""
    return snapshots(BoxedField(GRID, (0, 0, 0), ball(radius), 1.0) for radius in radii_um)


def test_descriptors_of_growing_balls() -> None:
    found = dict(zip(cell_descriptors(3), seen(3.0, 3.5, 4.0).values, strict=True))
    assert found["size_um3"] == pytest.approx(np.mean([4 / 3 * np.pi * r**3 for r in (3, 3.5, 4)]), rel=0.02)
    assert found["surface_um2"] == pytest.approx(np.mean([4 * np.pi * r**2 for r in (3, 3.5, 4)]), rel=0.02)
    assert found["sphericity"] == pytest.approx(1, rel=0.01)
    assert found["growth"] == pytest.approx((4 / 3) ** 3, rel=0.02)


def test_descriptors_of_growing_discs() -> None:
    frames = [BoxedField(FLAT, (0, 0), disc(radius), 1.0) for radius in (3.0, 4.0)]
    found = dict(zip(cell_descriptors(2), snapshots(frames).values, strict=True))
    assert found["area_um2"] == pytest.approx(np.pi * (9 + 16) / 2, rel=0.01)
    assert found["perimeter_um"] == pytest.approx(7 * np.pi, rel=0.01)
    assert found["circularity"] == pytest.approx(1, rel=0.01)
    assert found["growth"] == pytest.approx(16 / 9, rel=0.01)


def test_what_is_not_defined_is_nan() -> None:
    assert math.isnan(seen(3.0).values[3])
    assert math.isnan(seen(0, 3.0).values[3])
    *_, sphericity, growth = seen(3.0, 0).values
    assert growth == 0
    assert sphericity == pytest.approx(1, rel=0.02)
    assert math.isnan(seen(0, 0).values[2])


def test_shape_distance_is_one_minus_jaccard_averaged_over_times() -> None:
    def one_minus_jaccard(a: float, b: float) -> float:
        masks = ball(a) <= 0, ball(b) <= 0
        return float(1 - (masks[0] & masks[1]).sum() / (masks[0] | masks[1]).sum())

    found = shape_distances([seen(3.0, 4.0), seen(0, 2.0)], [seen(3.0, 4.0), seen(4.0, 3.0), seen(0, 0)])
    assert found[0] == pytest.approx([0, one_minus_jaccard(3, 4), 1])
    assert found[1] == pytest.approx([(1 + one_minus_jaccard(2, 4)) / 2, (1 + one_minus_jaccard(2, 3)) / 2, 0.5])


def test_values_have_a_row_a_cell() -> None:
    cells = CellSet("learned", ["a", "b"], np.zeros((2, 1)), [seen(3.0, 3.0), seen(4.0, 3.0)])
    assert cells.values.shape == (2, 4)
    assert cells.values[:, 3] == pytest.approx([1, 27 / 64], rel=0.03)

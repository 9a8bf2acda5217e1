"""Planes between known planes: known ones come back, and those between are near the exact shape."""

from pathlib import Path

import numpy as np
import pytest
from moving import overlap, turning_ellipsoid
from stores import ball, write_store

from cytoform.completion.mixture import Mixture
from cytoform.completion.planes import PLANE_WAYS, Planes, fill_planes, hide_planes, level
from cytoform.completion.uncertainty import Calibration
from cytoform.errors import InputError
from cytoform.shapes.grid import Grid
from cytoform.shapes.store import ShapeStore

FINE = Grid(48, 8.0)


@pytest.fixture(scope="module")
def balls(tmp_path_factory: pytest.TempPathFactory) -> Path:
    frames = [ball(4.0, shift_zyx_um=(0.3 * t, 0, 0), grid=FINE) for t in range(2)]
    return write_store(tmp_path_factory.mktemp("planes") / "balls.zarr", {"a": frames}, grid=FINE)


@pytest.mark.parametrize("every", [2, 3, 4])
@pytest.mark.parametrize("name", PLANE_WAYS)
def test_each_way_is_near_the_exact_shape_and_right_in_known_planes(name: str, every: int) -> None:
    mask = turning_ellipsoid(1.0, FINE) <= 0
    planes = Planes.of(mask, every)
    found = PLANE_WAYS[name](planes) <= 0
    assert np.array_equal(found[planes.known], mask[planes.known])
    assert overlap(found, mask) > {2: 0.95, 3: 0.9, 4: 0.85}[every]


def test_known_planes_keep_their_distances(balls: Path) -> None:
    sequence = ShapeStore.open(balls)["a"]
    filled = fill_planes(sequence, 1, 3, Mixture("slicewise", {"level": 1.0}), Calibration(0.5))
    assert np.array_equal(filled.sdf_um[1::3], sequence.sdf_um(1)[1::3])
    between = np.abs(sequence.sdf_um(1)) < 1
    between[1::3] = False
    assert np.abs(filled.sdf_um - sequence.sdf_um(1))[between].mean() < 0.08
    assert filled.expected_error_um is not None
    assert 0 < filled.expected_error_um < 1


def test_hidden_planes_are_compared_with_each_way(balls: Path) -> None:
    example = hide_planes(balls, "a", 0, 2)
    assert example is not None
    assert all(0.8 < example.jaccard(values) < 1 for values in example.values)
    assert hide_planes(balls, "a", 0, 20) is None


def test_planes_that_miss_the_cell_are_refused(tmp_path: Path) -> None:
    small = [ball(1.0, shift_zyx_um=(-4, 0, 0), grid=FINE)]
    store = write_store(tmp_path / "small.zarr", {"a": small}, grid=FINE)
    with pytest.raises(InputError, match="none of every 40 planes cuts the cell; use a smaller --every-plane"):
        fill_planes(ShapeStore.open(store)["a"], 0, 40, Mixture("slicewise", {}), Calibration(None))


def test_a_cell_in_a_single_known_plane_is_filled() -> None:
    mask = ball(2.0, grid=FINE) <= 0
    planes = Planes.of(mask, 16)
    assert planes.masks.any(axis=(1, 2)).sum() == 1
    assert (level(planes) <= 0)[planes.known].sum() == planes.masks.sum()

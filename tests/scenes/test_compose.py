"""A frame: every voxel to its cell, little slivers left out, projections by thickness."""

from pathlib import Path

import numpy as np
import pytest

from cytoform.scenes.bodies import BoxWriter, Shape
from cytoform.scenes.compose import Placement, View, compose
from scenes import boxed_ball

SPACING = (0.5, 0.5, 0.5)


@pytest.fixture(scope="module")
def balls(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Shape, Shape]:
    """A ball of 3 µm and one of 1.5 µm."""
    folder = tmp_path_factory.mktemp("balls")
    with BoxWriter(folder / "0.bin") as boxes:
        return folder, *(boxes.add(boxed_ball(radius)) for radius in (3.0, 1.5))


def place(shape: Shape, number: int, *centre_um: float) -> Placement:
    z, y, x = centre_um
    return Placement(number, number + 1, shape, (float(z), float(y), float(x)))


def view(*shape: int, planes: int = 1, projection: bool = False) -> View:
    z, y, x = shape
    return View((z, y, x), SPACING, 9, planes=planes, projection=projection)


def test_labels_volumes_and_centroids(balls: tuple[Path, Shape, Shape]) -> None:
    folder, large, small = balls
    found = compose([place(large, 0, 6, 5, 5), place(small, 4, 6, 5, 12)], view(24, 30, 40), folder)
    assert np.unique(found.labels_zyx).tolist() == [0, 1, 5]
    assert [cell.number for cell in found.seen] == [0, 4]
    for cell, radius, x in zip(found.seen, (3.0, 1.5), (5.0, 12.0), strict=True):
        assert cell.n_voxels == (found.labels_zyx == cell.number + 1).sum()
        assert cell.n_voxels * 0.125 == pytest.approx(4 / 3 * np.pi * radius**3, rel=0.25)
        assert cell.centroid_zyx_um == pytest.approx((6, 5, x), abs=1e-6)
    assert found.n_shared == 0


def test_shared_voxels_would_be_counted(balls: tuple[Path, Shape, Shape]) -> None:
    folder, large, small = balls
    found = compose([place(large, 0, 6, 5, 5), place(small, 1, 6, 5, 5)], view(24, 30, 40), folder)
    assert found.n_shared == (found.labels_zyx == 2).sum() > 50


@pytest.mark.parametrize(("x_um", "share"), [(0.0, 0.5), (-2.3, 0.02), (-2.8, 0.0), (-4.0, 0.0)])
def test_slivers_at_the_border_are_not_shown(x_um: float, share: float, balls: tuple[Path, Shape, Shape]) -> None:
    folder, large, _ = balls
    found = compose([place(large, 0, 6, 5, x_um)], view(24, 30, 40), folder)
    whole = compose([place(large, 0, 6, 5, 6)], view(24, 30, 40), folder).seen[0].n_voxels
    n = found.seen[0].n_voxels if found.seen else 0
    assert n / whole == pytest.approx(share, abs=0.03)
    assert (n > 0) == (share > 0)
    assert (found.labels_zyx > 0).sum() == n


@pytest.mark.parametrize("planes", [2, 3, 5])
def test_planes_left_out_are_those_of_the_whole_frame(planes: int, balls: tuple[Path, Shape, Shape]) -> None:
    folder, large, small = balls
    cells = [place(large, 0, 3.1, 5, 5), place(small, 1, 9.3, 5, 6)]
    whole = compose(cells, view(24, 30, 40), folder)
    some = compose(cells, view(24, 30, 40, planes=planes), folder)
    assert np.array_equal(some.labels_zyx, whole.labels_zyx[planes // 2 :: planes])
    assert view(24, 30, 40, planes=planes).seen_shape_zyx == some.labels_zyx.shape
    for cell in some.seen:
        places = (np.argwhere(some.labels_zyx == cell.number + 1).mean(axis=0) + 0.5) * (0.5 * planes, 0.5, 0.5)
        assert cell.centroid_zyx_um == pytest.approx(places)


def test_a_pixel_of_a_projection_has_the_label_of_the_thickest(balls: tuple[Path, Shape, Shape]) -> None:
    folder, large, small = balls
    cells = [place(small, 0, 2, 8, 8), place(large, 1, 8, 8, 8), place(small, 2, 2, 8, 10.8)]
    found = compose(cells, view(24, 32, 32, projection=True), folder)
    assert found.projected_yx is not None
    thickness = np.stack([(found.labels_zyx == label).sum(axis=0) for label in (1, 2, 3)])
    expected = np.where(thickness.any(axis=0), thickness.argmax(axis=0) + 1, 0)
    assert np.array_equal(found.projected_yx, expected)
    assert [cell.number for cell in found.seen] == [1, 2]  # the first is hidden
    assert [cell.n_voxels for cell in found.seen] == [(expected == label).sum() for label in (2, 3)]

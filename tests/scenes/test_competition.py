"""Competition for space: numbers of voxels, borders between equals, loose pieces and crowds, on fields made by hand."""

import numpy as np
import pytest

from cytoform.errors import InputError
from cytoform.scenes.competition import Competition, Competitor, pairs_of_boxes


def disc(number: int, middle_yx: tuple[float, float], radius: float, *, size: int = 40) -> Competitor:
    """A disc on the whole of a square scene with pixels of 1 µm."""
    y, x = np.indices((size, size))
    sdf_um = (np.hypot(y - middle_yx[0], x - middle_yx[1]) - radius).astype(np.float32)
    n_voxels = int((sdf_um <= 0).sum())
    return Competitor(number, (0, 0), sdf_um, n_voxels, n_voxels)


def test_equal_discs_have_a_straight_border_halfway() -> None:
    one, two = disc(0, (20.2, 15), 8), disc(1, (20.2, 26), 8)
    (first, field), (second, _) = Competition([one, two]).settled(0)
    assert not (first & second).any()
    assert not first[:, 21:].any()
    assert not second[:, :20].any()
    assert first.sum() == pytest.approx(one.n_voxels, rel=0.02)
    assert second.sum() == pytest.approx(two.n_voxels, rel=0.02)
    # The sign of the field says which voxels are the cell's.
    np.testing.assert_array_equal(field <= 0, first)


@pytest.mark.parametrize("deepest_um", [-9.0, -1.5])
def test_ties_are_broken(deepest_um: float) -> None:
    """Mirror images with a border on a column of pixels, and fields that end at a depth, where both cells are as deep."""
    cells = [disc(0, (20, 16), 8), disc(1, (20, 24), 8)]
    for cell in cells:
        cell.sdf_um = np.maximum(cell.sdf_um, np.float32(deepest_um))
    regions = [mine for mine, _ in Competition(cells).settled(0)]
    assert not (regions[0] & regions[1]).any()
    for cell, mine in zip(cells, regions, strict=True):
        assert mine.sum() == pytest.approx(cell.n_voxels, rel=0.03)
        assert not cell.fragments(mine).any()


def test_a_gap_is_kept_and_sizes_too() -> None:
    cells = [disc(0, (20.2, 14.1), 8), disc(1, (19.9, 26.2), 8)]
    (first, _), (second, _) = Competition(cells, gap_um=2.0).settled(0)
    distances = [np.hypot(*(a - b)) for a in np.argwhere(first) for b in np.argwhere(second)[::7]]
    assert min(distances) >= 2
    assert first.sum() == pytest.approx(cells[0].n_voxels, rel=0.03)


def test_cells_that_cover_leave_no_voxel() -> None:
    cells = [disc(0, (20.2, 8.3), 8), disc(1, (19.8, 30.1), 8)]
    for cell in cells:
        cell.n_voxels = cell.n_whole = 800
    (first, _), (second, _) = Competition(cells, covers=True).settled(0)
    assert (first | second).all()
    assert not (first & second).any()


def test_a_loose_piece_is_lost_and_its_size_found_elsewhere() -> None:
    """A rod that a disc cuts in two keeps one half, which grows."""
    y, x = np.indices((40, 40))
    along = np.clip((x - 20) + 0.1 * (y - 20), -14, 14)
    rod = (np.hypot(x - 20 - along, y - 20 - 0.1 * along) - 3).astype(np.float32)
    n_rod = int((rod <= 0).sum())
    (mine, _), _ = Competition([Competitor(0, (0, 0), rod, n_rod, n_rod), disc(1, (20.3, 24.2), 6)]).settled(0)
    from scipy.ndimage import label

    assert label(mine)[1] == 1
    assert mine.sum() == pytest.approx(n_rod, rel=0.03)


def test_a_crowd_without_room_is_refused() -> None:
    cells = [disc(n, (6, 6), 5, size=12) for n in range(3)]
    with pytest.raises(InputError, match=r"in frame 4 a cell of .* finds room for"):
        Competition(cells).settled(4)


def test_pairs_are_boxes_that_overlap_each_once() -> None:
    lows, highs = [(0, 0), (3, 3), (5, 0)], [(4, 4), (6, 6), (7, 3)]
    assert pairs_of_boxes(lows, highs) == [(0, 1)]
    assert pairs_of_boxes([], []) == []

"""Holes and specks: what is filled, what is dropped, what never is."""

import numpy as np

from cytoform.shapes.cleaning import clean_mask


def cell() -> np.ndarray:
    labels = np.zeros((20, 20, 40), np.uint16)
    labels[3:13, 3:13, 3:13] = 5
    return labels


def test_a_clean_cell_is_left_alone() -> None:
    clean = clean_mask(cell(), (5,))
    assert np.array_equal(clean.mask, cell() == 5)
    assert (clean.n_holes, clean.n_specks) == (0, 0)


def test_enclosed_holes_are_filled_and_counted() -> None:
    labels = cell()
    labels[5, 5, 5] = labels[8:10, 8, 8] = 0
    labels[3, 8, 8] = 0  # a dent, open to the outside
    clean = clean_mask(labels, (5,))
    assert clean.n_holes == 2
    assert clean.mask.sum() == 10**3 - 1


def test_specks_are_dropped_and_counted() -> None:
    labels = cell()
    labels[15, 15, 15] = labels[17, 17, 17:20] = 5
    labels[2, 2, 2] = 5  # touches the cell by a corner: part of it
    clean = clean_mask(labels, (5,))
    assert clean.n_specks == 2
    assert clean.mask.sum() == 10**3 + 1


def test_a_fragment_of_a_hundredth_is_kept() -> None:
    labels = cell()
    labels[15, 15, 15:26] = 5
    assert clean_mask(labels, (5,)).n_specks == 0


def test_the_smallest_daughter_is_no_speck() -> None:
    """A daughter of one voxel beside one of a thousand: labels are judged each by itself."""
    labels = cell()
    labels[16, 16, 30] = 9
    clean = clean_mask(labels, (5, 9))
    assert clean.mask[16, 16, 30]
    assert clean.n_specks == 0


def test_other_cells_are_not_touched_and_not_taken() -> None:
    labels = cell()
    labels[5:8, 5:8, 5:8] = 7  # a cell within a cell, as in an engulfed one: inside of the outer one's surface
    labels[14:18, 14:18, 20:30] = 8
    clean = clean_mask(labels, (5,))
    assert not clean.mask[14:18].any()
    assert clean.n_holes == 1

"""Jaccard index and Dice coefficient."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from cytoform.assess.measures.masks import dice_of, jaccard

pairs = array_shapes(min_dims=3, max_dims=3, max_side=5).flatmap(
    lambda shape: st.tuples(arrays(bool, shape), arrays(bool, shape))
)


def voxels(mask: np.ndarray) -> set[tuple[int, ...]]:
    return {tuple(int(i) for i in index) for index in np.argwhere(mask)}


@given(pairs)
def test_agrees_with_sets_of_voxels(masks: tuple[np.ndarray, np.ndarray]) -> None:
    a, b = voxels(masks[0]), voxels(masks[1])
    assert jaccard(*masks) == (len(a & b) / len(a | b) if a | b else 1.0)
    assert dice_of(jaccard(*masks)) == pytest.approx(2 * len(a & b) / (len(a) + len(b)) if a or b else 1.0)


@given(pairs)
def test_is_symmetric_and_between_0_and_1(masks: tuple[np.ndarray, np.ndarray]) -> None:
    a, b = masks
    assert jaccard(a, b) == jaccard(b, a)
    assert 0 <= jaccard(a, b) <= 1
    assert (jaccard(a, b) == 1) == bool((a == b).all())
    assert dice_of(jaccard(a, b)) >= jaccard(a, b)


def test_two_empty_frames_agree_and_one_does_not() -> None:
    none, some = np.zeros((2, 3, 3), bool), np.ones((2, 3, 3), bool)
    assert jaccard(none, none) == 1
    assert jaccard(none, some) == 0

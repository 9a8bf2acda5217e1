"""Instances become foreground and depth, and instances again."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cytoform.assess.segmenter.objects import ObjectSizes, labels_from, relative_depth


def discs(centres: list[tuple[int, int]], radius: float, shape: tuple[int, int] = (96, 96)) -> np.ndarray:
    """Discs labelled from 1; each pixel is of the nearest, so that those that overlap touch."""
    y, x = np.indices(shape)
    away = np.stack([np.hypot(y - cy, x - cx) for cy, cx in centres])
    return np.where(away.min(axis=0) <= radius, away.argmin(axis=0) + 1, 0).astype(np.uint16)


def test_sizes_of_discs() -> None:
    sizes = ObjectSizes.of([discs([(20, 20), (60, 60)], 10.0), np.zeros((9, 9), np.uint16)])
    assert sizes is not None
    assert sizes.diameter_px == pytest.approx(20.5, abs=0.6)
    assert sizes.least_area_px == pytest.approx(np.pi * 10.2**2 / 2, rel=0.05)
    assert ObjectSizes.of([np.zeros((9, 9), np.uint16)]) is None


def test_depth_is_one_in_each_middle_and_0_outside() -> None:
    labels = discs([(20, 20), (60, 60)], 10.0)
    labels[60:62, 5:15] = 3
    depth = relative_depth(labels)
    assert depth.dtype == np.float32
    assert (depth[labels == 0] == 0).all()
    assert [depth[labels == k].max() for k in (1, 2, 3)] == [1.0, 1.0, 1.0]
    assert depth[20, 25] == pytest.approx(0.5, abs=0.08)


@settings(max_examples=20, deadline=None)
@given(angle=st.floats(0, np.pi), apart=st.floats(1.2, 1.9), radius=st.floats(7, 14))
def test_touching_discs_come_back(angle: float, apart: float, radius: float) -> None:
    off = apart * radius / 2 * np.array([np.sin(angle), np.cos(angle)])
    labels = discs([tuple(np.round(48 + off).astype(int)), tuple(np.round(48 - off).astype(int))], radius)
    depth = relative_depth(labels)
    found = labels_from(labels > 0, depth, seeds=depth > 0.5, least_area_px=20)
    assert found.max() == 2
    assert ((found > 0) == (labels > 0)).all()
    # The same two, whatever their numbers.
    assert np.mean(found == labels) > 0.97 or np.mean(np.where(found, 3 - found, 0) == labels) > 0.97


def test_pieces_without_seed_are_kept_and_specks_are_not() -> None:
    inside = np.zeros((40, 40), bool)
    inside[5:12, 5:12] = inside[20:30, 20:30] = inside[35, 35] = True
    depth = np.where(inside, 0.2, 0.0).astype(np.float32)
    found = labels_from(inside, depth, seeds=np.zeros_like(inside), least_area_px=4)
    assert sorted(np.bincount(found.ravel())[1:]) == [49, 100]
    nothing = labels_from(np.zeros_like(inside), depth, seeds=inside, least_area_px=4)
    assert not nothing.any()

"""Histogram distances against SciPy's Wasserstein distance of the very pixels."""

import numpy as np
import pytest
from fields import frames_of
from scipy.stats import wasserstein_distance

from cytoform.assess.images.frames import ImageFrame
from cytoform.assess.images.histograms import Bins, Histograms, histogram_distance

A, B = frames_of(3), frames_of(2, seed=1)


def distance(a: list[ImageFrame], b: list[ImageFrame], part: str) -> float:
    bins = Bins.over([a, b])
    sides = [Histograms.of(frames, bins).pooled(part, np.ones(len(frames))) for frames in (a, b)]
    return histogram_distance(*sides, bins.width)


def pixels(frames: list[ImageFrame], part: str) -> np.ndarray:
    return np.concatenate([f.image_yx[(f.labels_yx > 0) == (part == "foreground")] for f in frames]).astype(float)


@pytest.mark.parametrize("part", ["foreground", "background"])
def test_whole_numbers_are_exact(part: str) -> None:
    assert distance(A, B, part) == pytest.approx(wasserstein_distance(pixels(A, part), pixels(B, part)), rel=1e-9)


def test_fractions_are_binned() -> None:
    a, b = ([ImageFrame(f.image_yx / 1000, f.labels_yx, f.movie, f.number) for f in frames] for frames in (A, B))
    expected = wasserstein_distance(pixels(a, "foreground"), pixels(b, "foreground"))
    assert distance(a, b, "foreground") == pytest.approx(expected, abs=0.0003)


def test_brighter_cells_move_the_foreground_only() -> None:
    brighter = [ImageFrame(f.image_yx + 30 * (f.labels_yx > 0), f.labels_yx, f.movie, f.number) for f in A]
    assert distance(A, brighter, "foreground") == pytest.approx(30)
    assert distance(A, brighter, "background") == 0


def test_weights_are_how_often_a_frame_counts() -> None:
    found = Histograms.of(A, Bins.over([A]))
    twice = Histograms.of([A[0], A[2], A[2]], found.bins)
    assert found.pooled("foreground", np.array([1.0, 0, 2])) == pytest.approx(twice.pooled("foreground", np.ones(3)))
    assert np.isnan(found.pooled("foreground", np.zeros(3))).all()


def test_spread_is_the_standard_deviation() -> None:
    found = Histograms.of(A, Bins.over([A]))
    assert found.spread("foreground") == pytest.approx(pixels(A, "foreground").std(), rel=1e-6)

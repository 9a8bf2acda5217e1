"""Brightness of cells: normal scores of real ones, and draws that belong to a cell."""

import numpy as np
import pytest
from scipy.stats import kstest

from cytoform.imaging.networks.brightness import (
    BRIGHTEST,
    brightness_channel,
    mean_values,
    normal_scores,
    random_scores,
)

LABELS = np.array([[0, 1, 1], [3, 3, 0]], np.uint16)


def test_means_by_hand() -> None:
    image = np.array([[9, 1, 2], [4, 8, 9]], np.float32)
    np.testing.assert_array_equal(mean_values(image, LABELS), [np.nan, 1.5, np.nan, 6])


def test_scores_are_normal_and_keep_the_order() -> None:
    means = np.random.default_rng(0).exponential(size=2000)
    first, second = normal_scores([np.append(np.nan, means[:300]), np.append(np.nan, means[300:])])
    scores = np.concatenate([first[1:], second[1:]])
    assert first[0] == second[0] == 0
    assert (np.argsort(scores, kind="stable") == np.argsort(means, kind="stable"))[5:-5].all()
    assert kstest(scores, "norm").statistic < 0.01
    assert np.abs(scores).max() <= BRIGHTEST


def test_cells_that_are_all_alike_are_average() -> None:
    assert normal_scores([np.array([np.nan, 2.0, 2.0])])[0].tolist() == pytest.approx([0, 0, 0])


def test_draws_are_the_cells_own() -> None:
    scores = random_scores(LABELS, seed=1)
    assert scores[0] == scores[2] == 0
    assert scores[1] != scores[3]
    other = np.full((1, 1), 3, np.uint16)  # alone, in another frame
    assert random_scores(other, seed=1)[3] == scores[3]
    assert random_scores(other, seed=2)[3] != scores[3]
    many = random_scores(np.arange(1, 3000), seed=0)[1:]
    assert kstest(many, "norm").pvalue > 0.01
    assert random_scores(np.zeros((2, 2), np.uint16), seed=0).tolist() == [0]
    np.testing.assert_allclose(brightness_channel(scores, LABELS)[0, 0], [0, scores[1], scores[1]], rtol=1e-6)

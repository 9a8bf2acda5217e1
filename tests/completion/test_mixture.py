"""The choice: the right way where one is right, the baseline where none is better, and an honest expectation."""

from collections.abc import Callable

import numpy as np
import pytest

from cytoform.completion.mixture import Example, Mixture, choose
from cytoform.completion.uncertainty import calibrate

WAYS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "mean": lambda truth: truth + 1,
    "good": lambda truth: truth,
    "bad": lambda truth: truth - 2.3,
}


def disc(radius: float) -> np.ndarray:
    y, x = np.indices((40, 40))
    return (np.hypot(y - 20, x - 20) - radius).astype(np.float32)


def example(
    ways: dict[str, Callable[[np.ndarray], np.ndarray]], radius: float, noise: float = 0, width: float = 2
) -> Example:
    truth = disc(radius)
    shift = np.float32(np.random.default_rng(int(radius * 10)).normal(0, noise)) if noise else np.float32(0)
    values = [np.float32(way(truth)) for way in ways.values()]
    return Example.of(values, truth + shift, before=truth - 2, after=truth + 2, nearest=truth + 2, width=width)


def test_the_right_way_is_chosen_and_its_score_told() -> None:
    choice = choose([example(WAYS, radius) for radius in (8, 9, 10, 11, 12)], WAYS)
    assert choice.mixture == Mixture("mean", {"good": 1.0})
    assert str(choice.mixture) == "good"
    assert choice.jaccard == 1
    assert choice.jaccard_baseline is not None
    assert choice.jaccard_nearest is not None
    assert choice.jaccard_nearest < choice.jaccard_baseline < 1


def test_the_baseline_is_kept_where_others_are_worse() -> None:
    ways = {"mean": WAYS["good"], "bad": WAYS["bad"], "worse": WAYS["bad"]}
    choice = choose([example(ways, radius, noise=0.3) for radius in (8, 9, 10, 11)], ways)
    assert choice.mixture.shares == {}
    assert choice.jaccard == choice.jaccard_baseline


def test_chosen_on_hidden_frames_it_is_never_worse_than_the_mean_on_them() -> None:
    rng = np.random.default_rng(3)
    for _ in range(20):
        ways = {
            name: (lambda truth, shift=shift: truth + shift)
            for name, shift in zip("abc", rng.normal(0, 2, 3), strict=True)
        }
        examples = [example(ways, radius, noise=1) for radius in (8, 9.5, 11, 12.5)]
        mixture = choose(examples, ways).mixture
        score, base = (
            np.mean([each.jaccard(weights @ each.values) for each in examples])
            for weights in (mixture.weights(ways), Mixture("a", {}).weights(ways))
        )
        assert score >= base


def test_without_hidden_frames_it_is_the_baseline() -> None:
    choice = choose([], WAYS)
    assert (choice.mixture.shares, choice.n_hidden, choice.jaccard) == ({}, 0, None)
    assert calibrate([], choice.mixture.weights(WAYS)).expected(1.0, share=0.5, width=1) is None


def test_the_mixture_of_fields_has_these_weights() -> None:
    mixture = Mixture("mean", {"good": 0.5, "bad": 0.25})
    assert mixture.weights(WAYS) == pytest.approx([0.25, 0.5, 0.25])
    assert mixture.field(WAYS, disc(9)) == pytest.approx(disc(9) + 0.25 - 0.575, abs=1e-5)
    assert str(mixture) == "0.25 mean + 0.5 good + 0.25 bad"


def test_the_expected_error_is_the_true_one_on_average() -> None:
    examples = [example(WAYS, radius, noise=0.5) for radius in np.arange(8, 14, 0.25)]
    weights = np.array([0, 1, 0], np.float32)
    calibration = calibrate(examples, weights)
    true = [abs(float(np.median(each.truth - each.values[1]))) for each in examples]
    assert calibration.expected(4.0, share=0.5, width=2) == pytest.approx(np.mean(true), rel=0.15)
    assert calibration.expected(4.0, share=0.1, width=2) == pytest.approx(0.6 * np.mean(true), rel=0.15)


def test_the_expected_error_grows_with_the_gap_as_that_of_hidden_frames_does() -> None:
    narrow, wide = (
        [example(WAYS, radius, noise=noise, width=width) for radius in np.arange(8, 14, 0.25)]
        for noise, width in ((0.3, 2), (0.42, 4))
    )
    calibration = calibrate(narrow, np.array([0, 1, 0], np.float32), wide)
    assert calibration.power_wider == pytest.approx(0.5, abs=0.1)
    half, whole, double = (calibration.expected(1.0, share=0.5, width=width) for width in (1, 2, 4))
    assert None not in (half, whole, double)
    assert double / whole == pytest.approx(2**0.5, rel=0.1)
    assert whole / half == pytest.approx(2**0.25, rel=0.1)  # between narrower gaps by half of the power
    assert calibrate(narrow, np.array([0, 1, 0], np.float32), power=1).expected(1.0, share=0.5, width=1) == whole / 2

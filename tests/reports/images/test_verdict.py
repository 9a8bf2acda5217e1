"""Sentences and grades by the rules that the report states."""

import numpy as np
import pytest

from cytoform.assess.images.compare import IMAGE_MEASURES, ImageComparison
from cytoform.assess.images.frames import ImageFrame
from cytoform.assess.images.usefulness import Usefulness, UsefulnessComparison
from cytoform.assess.statistics.intervals import Estimate
from cytoform.reports.images.verdict import Judged, verdict_of

USUAL = {
    "histogram_foreground": 0.14,
    "histogram_background": 0.13,
    "spectrum_db": 0.8,
    "noise_ratio": 1.03,
    "feature_distance": 2.0,
    "mean_change": 1.0,
    "texture_change": 1.0,
    "fooling_histogram": 0.95,
    "fooling_spectrum": 0.95,
    "fooling_both": 0.9,
    "ssim": np.nan,
    "ssim_inside": np.nan,
}


def comparison(label: str, **values: float) -> ImageComparison:
    figures = {name: Estimate((USUAL | values)[name], np.nan, np.nan) for name in IMAGE_MEASURES}
    return ImageComparison(label, figures, {name: np.zeros(1) for name in IMAGE_MEASURES}, 100, {}, 0)


def grades(usefulness: UsefulnessComparison | None = None, **values: float) -> list[str]:
    judged = Judged(comparison("New", **values), comparison("Real, for training"), usefulness)
    return [finding.grade for finding in verdict_of(judged).findings]


def learned(seg: float, segmenter: str = "unet") -> UsefulnessComparison:
    frames = [ImageFrame(np.zeros((4, 4), np.uint8), np.zeros((4, 4), np.uint8), "01", 0)]
    ten = np.array([10.0])
    each = [
        Usefulness(name, 10 * np.array([value]), ten, ten / 10, ten, ten)
        for name, value in (("Real", 0.8), ("New", seg))
    ]
    return UsefulnessComparison.of(segmenter, each, frames, np.random.default_rng(0))


def test_as_good_as_real() -> None:
    assert grades() == ["good", "good", "good", "good", "good", "good", "open"]


@pytest.mark.parametrize(
    ("name", "mixed", "poor", "at"),
    [
        ("histogram_background", 0.3, 0.5, 0),
        ("spectrum_db", 2.0, 3.5, 1),
        ("noise_ratio", 1.2, 1.4, 2),
        ("feature_distance", 10.0, 20.0, 3),
        ("fooling_both", 0.5, 0.3, 4),
        ("texture_change", 2.0, 3.0, 5),
        ("texture_change", 0.5, 0.3, 5),  # steadier than real is no better
        ("mean_change", 0.5, 0.0, 5),
    ],
)
def test_limits(name: str, mixed: float, poor: float, at: int) -> None:
    assert grades(**{name: mixed})[at] == "mixed"
    assert grades(**{name: poor})[at] == "poor"


def test_undefined_figures_leave_sentences_open() -> None:
    nothing = dict.fromkeys(
        ("spectrum_db", "noise_ratio", "feature_distance", "fooling_both", "texture_change"), np.nan
    )
    assert grades(**nothing)[1:6] == ["open"] * 5


@pytest.mark.parametrize(("seg", "grade"), [(0.73, "good"), (0.7, "mixed"), (0.4, "poor")])
def test_learning(seg: float, grade: str) -> None:
    assert grades(learned(seg))[-1] == grade
    assert grades(learned(seg, "otsu"))[-1] == "open"


def test_real_images_too_few_to_compare_are_told() -> None:
    """Limits are then those of what is negligible."""
    unknown = comparison("Real", **dict.fromkeys(IMAGE_MEASURES, np.nan))
    verdict = verdict_of(Judged(comparison("New"), unknown, None))
    text = " ".join(finding.text for finding in verdict.findings)
    assert "unknown" in text
    assert "nan" not in text.split()
    assert verdict.findings[1].grade == "good"

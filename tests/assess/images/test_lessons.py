"""Scores over frames, and against those of real pairs."""

import numpy as np
import pytest

from cytoform.assess.images.frames import Frame
from cytoform.assess.images.lessons import Lesson, Lessons

NOTHING = np.zeros((4, 4), np.uint8)
FRAMES = [Frame(NOTHING, NOTHING, "01", number) for number in range(3)]


def lesson(label: str, jaccard: float) -> Lesson:
    n = np.array([10.0, 20, 0])
    return Lesson(label, jaccard * n, n, np.array([0.5, 0.7, 0.9]), 0.5 * n, n + 10)


def test_every_cell_counts_the_same() -> None:
    found = Lessons.of("unet", [lesson("Real", 0.8), lesson("New", 0.6)], FRAMES, np.random.default_rng(0))
    assert found.estimates[0]["seg"].value == pytest.approx(0.8)
    assert found.estimates[0]["foreground"].value == pytest.approx(0.7)
    assert found.estimates[0]["f1"].value == pytest.approx(2 * 15 / (30 + 60))
    assert found.shares[0].value == 1
    share = found.shares[1]
    assert (share.value, share.low, share.high) == pytest.approx((0.75, 0.75, 0.75))
    entry = found.to_json()
    assert entry["New"]["seg"]["per_frame"][:2] == pytest.approx([0.6, 0.6])
    assert np.isnan(entry["New"]["seg"]["per_frame"][2])


def test_nothing_learned_from_real_pairs() -> None:
    found = Lessons.of("unet", [lesson("Real", 0.0), lesson("New", 0.6)], FRAMES, np.random.default_rng(0))
    assert np.isnan(found.shares[1].value)

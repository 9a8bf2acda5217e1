"""Scores over frames, and against those of real pairs."""

import numpy as np
import pytest

from cytoform.assess.images.frames import ImageFrame
from cytoform.assess.images.usefulness import Usefulness, UsefulnessComparison

NOTHING = np.zeros((4, 4), np.uint8)
FRAMES = [ImageFrame(NOTHING, NOTHING, "01", number) for number in range(3)]


def usefulness(label: str, jaccard: float) -> Usefulness:
    n = np.array([10.0, 20, 0])
    return Usefulness(label, jaccard * n, n, np.array([0.5, 0.7, 0.9]), 0.5 * n, n + 10)


def test_every_cell_counts_the_same() -> None:
    found = UsefulnessComparison.of(
        "unet", [usefulness("Real", 0.8), usefulness("New", 0.6)], FRAMES, np.random.default_rng(0)
    )
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
    found = UsefulnessComparison.of(
        "unet", [usefulness("Real", 0.0), usefulness("New", 0.6)], FRAMES, np.random.default_rng(0)
    )
    assert np.isnan(found.shares[1].value)

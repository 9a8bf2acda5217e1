"""SEG as py-ctcmetrics computes it, and cases that one counts by hand."""

from pathlib import Path

import numpy as np
import pytest
import tifffile

from cytoform.assess.segmenter.segmentation_scores import SegmentationScores, score_frame


def blobs(rng: np.random.Generator, n: int) -> np.ndarray:
    labels = np.zeros((64, 64), np.uint16)
    for k in range(1, n + 1):
        y, x = rng.integers(0, 52, 2)
        labels[y : y + rng.integers(3, 12), x : x + rng.integers(3, 12)] = k
    return labels


def test_by_hand() -> None:
    reference = np.zeros((4, 10), int)
    reference[:, :4], reference[:, 6:] = 5, 9
    found = np.zeros_like(reference)
    found[:, 1:4] = 2  # 12 of 16 pixels
    found[:, 8:] = 1  # just half, which is no match, but a Jaccard index of 0.5
    scores = score_frame(reference, found)
    assert scores.objects.tolist() == [0.75, 0.0]
    assert scores.foreground == pytest.approx(20 / 32)
    assert (scores.matched, scores.found, scores.f1) == (2, 2, 1.0)
    assert scores.seg == 0.375


def test_extremes() -> None:
    labels = blobs(np.random.default_rng(0), 5)
    nothing = np.zeros_like(labels)
    same, missed, false, empty = (
        score_frame(a, b) for a, b in ((labels, labels), (labels, nothing), (nothing, labels), (nothing, nothing))
    )
    assert (same.seg, same.foreground, same.f1) == (1, 1, 1)
    assert (missed.seg, missed.foreground, missed.f1) == (0, 0, 0)
    assert np.isnan(false.seg)
    assert (false.foreground, false.f1) == (0, 0)
    assert (empty.foreground, empty.f1) == (1, 1)
    pooled = SegmentationScores.of([same, missed, false, empty])
    n = len(same.objects)
    assert (pooled.seg, pooled.foreground, pooled.f1) == (0.5, 0.5, 2 * n / (4 * n))


def test_labels_are_only_names() -> None:
    rng = np.random.default_rng(1)
    labels, found = blobs(rng, 8), blobs(rng, 8)
    names = np.concatenate([[0], rng.permutation(60000)[:8] + 1])
    assert score_frame(labels, found).seg == score_frame(names[labels], found).seg
    assert score_frame(labels, found).f1 == score_frame(labels, names[found]).f1


def test_seg_is_that_of_py_ctcmetrics(tmp_path: Path) -> None:
    from ctc_metrics.metrics import seg
    from ctc_metrics.utils.representations import match

    rng = np.random.default_rng(2)
    matches, ours = [], []
    for _ in range(4):
        reference = blobs(rng, 6)
        found = np.roll(reference, rng.integers(0, 3, 2), axis=(0, 1))
        for name, labels in (("reference", reference), ("found", found)):
            tifffile.imwrite(tmp_path / f"{name}.tif", labels)
        matches.append(match(str(tmp_path / "reference.tif"), str(tmp_path / "found.tif")))
        ours.append(score_frame(reference, found))
    theirs = seg([each[0] for each in matches], [each[4] for each in matches])
    assert 0.1 < theirs < 0.95
    assert SegmentationScores.of(ours).seg == pytest.approx(theirs, abs=1e-9)

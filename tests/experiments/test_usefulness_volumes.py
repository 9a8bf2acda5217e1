"""Usefulness in 3D: boxes with their targets, a short training, and the whole on two real volumes."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import usefulness_volumes
from cytoform.assess.segmenter.segmentation_scores import score_frame
from cytoform.errors import InputError
from experiment import SHARED
from usefulness_arms import set_down, whole_cells
from usefulness_volumes import (
    CONTROL,
    CROP,
    CROWD,
    LEARNED,
    REAL,
    SIZE_ZYX,
    SPACING_UM,
    TESTED,
    Job,
    Scored,
    crop,
    embryo,
    rows,
    run_job,
    segmented,
    sides,
    trained,
)


def balls(*middles_zyx: tuple[int, int, int], shape: tuple[int, int, int] = (24, 80, 80)) -> np.ndarray:
    """Balls of 6 µm radius on the coarse grid of the experiment."""
    labels = np.zeros(shape, np.int32)
    places = np.stack(np.indices(shape), axis=-1) * SPACING_UM
    for n, middle in enumerate(middles_zyx, start=1):
        labels[np.linalg.norm(places - np.array(middle) * SPACING_UM, axis=-1) <= 6] = n
    return labels


def test_a_box_has_the_depth_in_micrometres() -> None:
    labels = balls((12, 40, 40))
    image, targets = crop((labels * 1.0, labels), np.random.default_rng(1))
    assert image.shape == CROP
    inside, depth = targets
    assert inside.any()
    assert set(np.unique(inside)) <= {0, 1}
    assert depth[inside == 0].max() == 0
    assert depth.max() == pytest.approx(1)
    # A ball is as deep across three planes of 2 µm as across seven pixels of 0.83 µm.
    z, y, x = np.unravel_index(depth.argmax(), depth.shape)
    assert depth[z + 1, y, x] == pytest.approx(depth[z, y + 2, x], abs=0.15)


def test_a_small_volume_is_padded() -> None:
    labels = balls((4, 10, 10), shape=(8, 20, 20))
    image, targets = crop((labels * 1.0, labels), np.random.default_rng(0))
    assert image.shape == targets.shape[1:] == CROP


@pytest.mark.slow
def test_a_short_training_finds_balls() -> None:
    labels = balls((12, 20, 20), (12, 55, 55))
    volume = (labels > 0) * 1.0 - 0.1, labels
    network = trained([volume], [], 120, 0)
    other = balls((10, 30, 25), (14, 60, 60))
    found = segmented(network, (other > 0) * 1.0 - 0.1, 50)
    assert found.shape == other.shape
    scores = score_frame(other, found)
    assert scores.foreground > 0.7
    assert scores.objects.max() > 0.7  # so few steps leave one of the two in pieces


def test_learned_and_tested_nuclei_are_different_ones() -> None:
    assert set(LEARNED).isdisjoint(TESTED)
    if not SHARED.exists():
        pytest.skip(f"{SHARED} is missing")
    assert set(np.unique(embryo(SHARED, 0, LEARNED))) == {0, *LEARNED}


def test_scores_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(usefulness_volumes, "embryo", lambda shared, frame, nuclei: balls((12, 20, 20), (12, 55, 55)))
    job = Job(1, 2, REAL, 0, 2, tmp_path, tmp_path)
    first = run_job(job)
    assert 0 <= first.SEG <= 1
    monkeypatch.setattr(usefulness_volumes, "trained", None)
    assert run_job(job) == first
    with pytest.raises(InputError, match="other settings"):
        run_job(replace(job, steps=3))


def test_the_control_has_the_real_shapes_and_no_other() -> None:
    known = balls((12, 20, 20))
    volume = set_down(whole_cells(known), SIZE_ZYX, CROWD, np.random.default_rng(0))
    sizes = np.bincount(volume.ravel())[1:]
    assert len(sizes) == CROWD
    assert set(sizes) == {np.count_nonzero(known)}


def test_the_control_learns_from_the_same_nuclei_as_real_pairs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(usefulness_volumes, "embryo", lambda shared, frame, nuclei: balls((12, 20, 20 + frame)))
    alone, nothing = sides(Job(1, 2, REAL, 5, 2, tmp_path, tmp_path))
    real, again = sides(Job(1, 2, CONTROL, 5, 2, tmp_path, tmp_path))
    assert nothing == []
    assert [labels.tolist() for _, labels in real] == [labels.tolist() for _, labels in alone]
    assert len(again) == 6


def test_rows_have_the_gain_beyond_real_alone(tmp_path: Path) -> None:
    scored = {
        Job(1, 2, arm, seed, 2, tmp_path, tmp_path): Scored(SEG=0.5 + 0.1 * (arm == CONTROL), F1=1.0, steps=2, scene="")
        for arm in (REAL, CONTROL)
        for seed in range(2)
    }
    assert rows(scored) == [
        ("1", "2", REAL, "0.500 ± 0.000", "1.000 ± 0.000", ""),
        ("1", "2", CONTROL, "0.600 ± 0.000", "1.000 ± 0.000", "+0.100 (+0.100 to +0.100)"),
    ]

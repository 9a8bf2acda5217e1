"""The small segmenter learns discs within seconds, for any type and size of image, and always the same way."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from glowing import glowing_discs

from cytoform.assess.segmenter.segmenter import (
    SEGMENTERS,
    Mixed,
    NetworkSegmenter,
    score,
    train_otsu,
    train_segmenter,
)
from cytoform.errors import InputError
from cytoform.movies.pairs.pairs import open_pairs

TRAINING, TEST = glowing_discs(4, size=80), glowing_discs(2, size=80, seed=1)
STEPS = 120


@pytest.fixture(scope="module")
def learned() -> NetworkSegmenter:
    return train_segmenter(TRAINING, steps=STEPS, seed=3)


def test_learns_discs(learned: NetworkSegmenter) -> None:
    found = score(learned, TEST)
    assert found.foreground > 0.85
    assert found.seg > 0.75
    assert found.f1 > 0.85
    assert len(found.frames) == 2


def test_otsu_suffices_for_discs() -> None:
    """All are found; a threshold of logarithms takes in some of the blur around them."""
    found = score(train_otsu(TRAINING), TEST)
    assert found.foreground > 0.78
    assert found.seg > 0.78
    assert found.f1 == 1


def test_otsu_finds_dim_objects_beside_bright_ones() -> None:
    (plane,) = glowing_discs(1, size=80)
    image = plane.image_yx.astype(float)
    image[plane.labels_yx == plane.labels_yx.max()] *= 20
    found = score(train_otsu(TRAINING), [replace(plane, image_yx=image)])
    assert found.f1 == 1


def test_same_seed_same_bits(learned: NetworkSegmenter) -> None:
    again = train_segmenter(TRAINING, steps=STEPS, seed=3)
    for a, b in zip(learned.network.parameters(), again.network.parameters(), strict=True):
        assert (a == b).all()
    other = train_segmenter(TRAINING, steps=1, seed=4)
    assert any((a != b).any() for a, b in zip(learned.network.parameters(), other.network.parameters(), strict=True))
    assert (learned.labels(TEST[0].image_yx) == again.labels(TEST[0].image_yx)).all()


def test_crops_are_mixed_as_asked_for(learned: NetworkSegmenter) -> None:
    """None of the others: the same bits as without them. All of them: as if learned from them alone."""
    seen: list[float] = []

    def share(progress: float) -> float:
        seen.append(progress)
        return 1.0

    empty = [replace(plane, labels_yx=np.zeros_like(plane.labels_yx)) for plane in TRAINING]
    mixed = train_segmenter(empty, steps=STEPS, seed=3, sizes=learned.sizes, mixed=Mixed(TRAINING, share))
    assert score(mixed, TEST).seg > 0.75
    assert seen == pytest.approx(np.arange(STEPS) / STEPS)
    unmixed = train_segmenter(TRAINING, steps=3, seed=3)
    same = train_segmenter(TRAINING, steps=3, seed=3, mixed=Mixed((), lambda _: 1.0))
    for a, b in zip(unmixed.network.parameters(), same.network.parameters(), strict=True):
        assert (a == b).all()


@pytest.mark.parametrize("name", SEGMENTERS)
def test_any_type_offset_and_size(name: str, learned: NetworkSegmenter) -> None:
    segmenter = learned if name == "unet" else train_otsu(TRAINING)
    image = TEST[0].image_yx
    expected = segmenter.labels(image)
    for same in (image.astype(np.uint8), image.astype(np.float32) * 0.01 - 3, image * 100 + 1000):
        assert np.mean((segmenter.labels(same) > 0) == (expected > 0)) > 0.999
    for shape in ((37, 80), (7, 3), (1, 1)):
        found = segmenter.labels(image[: shape[0], : shape[1]])
        assert found.shape == shape
        assert found.dtype == np.int32
    assert not segmenter.labels(np.full((40, 40), 7, np.uint8)).any()


def test_large_objects_are_seen_smaller() -> None:
    planes = glowing_discs(2, size=300, radius=40.0)
    segmenter = train_segmenter(planes, steps=1)
    assert segmenter.shrink == 2
    assert segmenter.labels(planes[0].image_yx[:, :299]).shape == (300, 299)


def test_progress_is_told_and_the_generator_of_torch_is_left_alone() -> None:
    import torch

    torch.manual_seed(1)
    state, threads, told = torch.random.get_rng_state(), torch.get_num_threads(), []
    train_segmenter(TRAINING, steps=2, done=lambda: told.append(1))
    assert len(told) == 2
    assert (torch.random.get_rng_state() == state).all()
    assert torch.get_num_threads() == threads


def test_nothing_to_learn() -> None:
    empty = [replace(plane, labels_yx=np.zeros_like(plane.labels_yx)) for plane in TRAINING]
    dark = [replace(plane, image_yx=np.zeros_like(plane.image_yx)) for plane in TRAINING]
    for planes in (empty, []):
        for train in SEGMENTERS.values():
            with pytest.raises(InputError, match="no labelled cell"):
                train(planes)
    with pytest.raises(InputError, match="one intensity"):
        train_segmenter(dark, steps=1)


@pytest.mark.long
@pytest.mark.real
def test_real_nuclei(real_data: Path) -> None:
    """Frames left out of the training; half the usual steps."""
    pairs = open_pairs([real_data / "fluo_hela_nuclei"])
    found = score(train_segmenter(pairs.frames(0, 9), steps=300), pairs.frames(10, 13))
    assert found.seg > 0.7

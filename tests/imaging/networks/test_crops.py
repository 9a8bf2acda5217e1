"""Crops: of image and channels alike, in all lawful turns."""

from pathlib import Path

import numpy as np
import pytest
from paired import grey, two_cells, write_pairs

from cytoform.errors import InputError
from cytoform.imaging.networks.batches import allowed_symmetries
from cytoform.movies.pairs.crops import SQUARE_SYMMETRIES, check_crop_size, draw_crop
from cytoform.movies.pairs.pairs import open_pairs

IMAGE = np.arange(40 * 48, dtype=np.uint16).reshape(40, 48)
CHANNELS = np.stack([IMAGE, -IMAGE.astype(np.int64)]).astype(np.float32)


def test_image_and_channels_stay_together() -> None:
    rng = np.random.default_rng(0)
    crops = [draw_crop(IMAGE, CHANNELS, size_px=16, rng=rng) for _ in range(200)]
    for crop in crops:
        assert crop.image_yx.shape == (16, 16)
        assert crop.conditions.shape == (2, 16, 16)
        assert np.array_equal(crop.image_yx, crop.conditions[0])
        assert crop.image_yx.flags.c_contiguous
    # Every turn occurs: by how a step along x changes the number of a pixel.
    steps = {
        (int(c.image_yx[0, 1]) - int(c.image_yx[0, 0]), int(c.image_yx[1, 0]) - int(c.image_yx[0, 0])) for c in crops
    }
    assert steps == {(a, b) for a, b in [(1, 48), (1, -48), (-1, 48), (-1, -48)]} | {
        (b, a) for a, b in [(1, 48), (1, -48), (-1, 48), (-1, -48)]
    }


def test_crops_reach_every_pixel_and_follow_the_generator() -> None:
    seen = np.zeros(IMAGE.size, bool)
    for seed in range(300):
        crop = draw_crop(IMAGE, CHANNELS, size_px=39, rng=np.random.default_rng(seed))
        seen[crop.image_yx.ravel()] = True
    assert seen.all()
    again = draw_crop(IMAGE, CHANNELS, size_px=39, rng=np.random.default_rng(299))
    assert np.array_equal(again.image_yx, crop.image_yx)


def test_a_crop_of_the_whole_and_one_too_large() -> None:
    square = draw_crop(
        IMAGE[:, :40], CHANNELS[..., :40], size_px=40, rng=np.random.default_rng(0), symmetries=SQUARE_SYMMETRIES[:1]
    )
    assert np.array_equal(square.image_yx, IMAGE[:, :40])
    with pytest.raises(InputError, match=r"a\.tif: 40×48 pixels, smaller than a crop of 41; take crops of 40 or less"):
        check_crop_size(41, IMAGE.shape, "a.tif")
    with pytest.raises(InputError, match="smaller than a crop of 64"):
        draw_crop(IMAGE, CHANNELS, size_px=64, rng=np.random.default_rng(0))


@pytest.mark.parametrize("turn", SQUARE_SYMMETRIES)
def test_directions_turn_with_the_image(turn) -> None:
    y, x = np.mgrid[:9, :9].astype(float)
    turned = np.gradient(turn(2 * y + 5 * x))
    assert np.allclose([axis[4, 4] for axis in turned], turn.direction(np.array([2.0, 5.0])))


@pytest.mark.parametrize(
    ("light_yx", "allowed"),
    [((0, 0), 8), ((0, 1), 2), ((1, 0), 2), ((1, 1), 2)],  # from a side: the identity and one mirroring
)
def test_light_from_a_side_allows_only_what_keeps_the_side(light_yx, allowed: int, tmp_path: Path) -> None:
    y, x = np.mgrid[:40, :48]
    labels = two_cells()
    images = []
    for frame in range(4):
        image = grey(labels, seed=frame).astype(float)
        for label in (3, 7):
            inside = labels == label
            image[inside] += 12 * (light_yx[0] * (y - y[inside].mean()) + light_yx[1] * (x - x[inside].mean()))[inside]
        images.append(image.clip(0).astype(np.uint16))
    pairs = open_pairs([write_pairs(tmp_path, images, [labels] * 4)])
    symmetries = allowed_symmetries(pairs)
    assert len(symmetries) == allowed
    assert symmetries[0] == SQUARE_SYMMETRIES[0]
    for turn in symmetries:
        assert np.allclose(turn.direction(np.array(light_yx, float)), light_yx)


def test_pixels_that_are_not_square_are_not_turned_by_a_quarter(tmp_path: Path) -> None:
    images = [grey(two_cells(), seed=frame) for frame in range(4)]
    pairs = open_pairs([write_pairs(tmp_path, images, [two_cells()] * 4)], spacing_zyx_um=(1.0, 0.5, 0.2))
    assert {turn.quarters for turn in allowed_symmetries(pairs)} == {0, 2}


@pytest.mark.parametrize(("smeared", "quarters"), [(False, {0, 1, 2, 3}), (True, {0, 2})])
def test_noise_smeared_along_rows_is_not_turned_by_a_quarter(smeared: bool, quarters: set[int], tmp_path: Path) -> None:
    images = [grey(two_cells(), seed=frame).astype(float) for frame in range(4)]
    if smeared:
        images = [(image + np.roll(image, 1, axis=1)) / 2 for image in images]
    pairs = open_pairs([write_pairs(tmp_path, [image.astype(np.uint16) for image in images], [two_cells()] * 4)])
    assert {turn.quarters for turn in allowed_symmetries(pairs)} == quarters


@pytest.mark.real
@pytest.mark.parametrize(
    ("name", "n_turns"),
    [("dic_hela", 8), ("fluo_hela_nuclei", 4)],  # the camera of the second smears along rows
)
def test_turns_of_the_real_sets(name: str, n_turns: int, real_data: Path) -> None:
    assert len(allowed_symmetries(open_pairs([real_data / name]).frames(0, 3))) == n_turns

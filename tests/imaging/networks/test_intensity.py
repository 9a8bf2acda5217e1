"""The learned grey scale and its inverse."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cytoform.errors import InputError
from cytoform.imaging.networks.intensity import IntensityScale
from cytoform.movies.pairs.pairs import MaskedImage, open_pairs


def planes(*images: np.ndarray) -> list[MaskedImage]:
    return [MaskedImage(image, (image > 0).astype(np.uint16), "m", frame, None) for frame, image in enumerate(images)]


@settings(max_examples=40, deadline=None)
@given(
    low=st.integers(0, 60_000),
    span=st.integers(4, 5_000),
    skew=st.floats(0.2, 6),
    seed=st.integers(0, 99),
    dtype=st.sampled_from(["uint8", "uint16"]),
)
def test_whole_numbers_come_back(low: int, span: int, skew: float, seed: int, dtype: str) -> None:
    top = np.iinfo(dtype).max
    values = low % top + np.random.default_rng(seed).random((60, 60)) ** skew * span
    image = values.clip(0, top).astype(dtype)
    if image.min() == image.max():
        return
    scale = IntensityScale.learn(planes(image))
    unit = scale.to_unit(image)
    assert unit.dtype == np.float32
    assert np.abs(unit).max() <= 1
    back = scale.from_unit(unit)
    assert back.dtype == image.dtype
    assert np.array_equal(back, image)
    assert np.array_equal(IntensityScale.from_dict(json.loads(json.dumps(scale.to_dict()))).to_unit(image), unit)


def test_float_images_come_back() -> None:
    image = np.random.default_rng(0).exponential(0.02, (80, 80)).astype(np.float32)
    scale = IntensityScale.learn(planes(image))
    back = scale.from_unit(scale.to_unit(image))
    assert back.dtype == np.float32
    assert np.allclose(back, image, rtol=1e-3, atol=1e-5)


def test_background_noise_of_sparse_fluorescence_is_visible() -> None:
    rng = np.random.default_rng(0)
    image = rng.normal(33_000, 15, (200, 200))
    image[:20, :20] += 3_500  # one pixel in a hundred
    unit = IntensityScale.learn(planes(image.astype(np.uint16))).to_unit(image.astype(np.uint16))
    assert unit[50:].std() > 0.03  # 0.008 on a straight line from the lowest to the highest
    assert unit[:20, :20].mean() > 0.8


def test_values_spread_evenly_stay_close_to_linear() -> None:
    image = np.random.default_rng(0).uniform(50, 200, (100, 100)).astype(np.uint8)
    unit = IntensityScale.learn(planes(image)).to_unit(np.arange(50, 200, dtype=np.uint8))
    straight = np.linspace(unit[0], unit[-1], len(unit))
    assert np.abs(unit - straight).max() < 0.1


def test_few_hot_pixels_do_not_set_the_scale() -> None:
    image = np.random.default_rng(0).normal(1_000, 50, (1500, 1500)).astype(np.uint16)
    image[0, 0] = 65_535
    scale = IntensityScale.learn(planes(image))
    wrong = scale.from_unit(scale.to_unit(image)) != image
    assert wrong.sum() == 1
    assert scale.from_unit(np.ones(1, np.float32))[0] < 2_000


def test_output_stays_in_the_type() -> None:
    scale = IntensityScale.learn(planes(np.array([[0, 3], [250, 255]], np.uint8)))
    assert scale.from_unit(np.array([-1, 1, -5, 5], np.float32)).tolist() == [0, 255, 0, 255]


def test_all_planes_are_learned_from() -> None:
    dark, bright = np.full((50, 50), 10, np.uint8), np.full((50, 50), 200, np.uint8)
    scale = IntensityScale.learn(planes(dark, bright))
    assert np.array_equal(scale.from_unit(scale.to_unit(bright)), bright)


def test_one_grey_value_is_refused() -> None:
    with pytest.raises(InputError, match="all grey values of the images are 7"):
        IntensityScale.learn(planes(np.full((4, 4), 7, np.uint8)))


@pytest.mark.parametrize(
    "damage", [{"width": 0.0}, {"low": 9.0}, {"dtype": "int64"}, {"centre": float("nan")}, {"high": "x"}]
)
def test_a_damaged_scale_is_refused(damage: dict) -> None:
    good = IntensityScale(1.0, 2.0, -1.0, 1.0, "uint8").to_dict()
    with pytest.raises(InputError, match="damaged"):
        IntensityScale.from_dict(good | damage)


@pytest.mark.real
@pytest.mark.parametrize(("name", "last"), [("dic_hela", 9), ("fluo_hela_nuclei", 3)])
def test_real_images_come_back(name: str, last: int, real_data: Path) -> None:
    pairs = open_pairs([real_data / name])
    scale = IntensityScale.learn(pairs.frames(0, last))
    unseen = pairs[last + 1]
    unit = scale.to_unit(unseen.image_yx)
    wrong = scale.from_unit(unit) != unseen.image_yx
    assert wrong.mean() < 1e-5
    assert not wrong[np.abs(unit) < 1].any()
    assert unit[unseen.labels_yx == 0].std() > 0.05

"""Real images pass for real about as often as promised, and noise, blur and wrong contrast do not."""

import numpy as np
import pytest
from fields import frames_of
from scipy.ndimage import gaussian_filter

from cytoform.assess.images.fooling import TESTS, CropStatistics, Fooling, fooling
from cytoform.assess.images.frames import ImageFrame, crops_of_all

RNG = np.random.default_rng(0)
REAL = [frame for seed in range(4) for frame in frames_of(1, seed=seed, size=384, movie=str(seed))]
OTHERS = [frame for seed in range(10, 14) for frame in frames_of(1, seed=seed, size=384, movie=str(seed))]


def looks(frames: list[ImageFrame]) -> CropStatistics:
    return CropStatistics.of(crops_of_all(frames, 64, np.random.default_rng(0)))


def changed(image: object) -> list[ImageFrame]:
    return [ImageFrame(image(f), f.labels_yx, f.movie, f.number) for f in OTHERS]


def rates(found: Fooling | None) -> dict[str, float]:
    assert found is not None
    return {test: found.rate(test, np.ones(4)) for test in TESTS}


def test_other_real_images_fool() -> None:
    """Squares of other fields of view: 95 %, up to the chance of 144 squares."""
    for rate in rates(fooling(looks(REAL), looks(OTHERS))).values():
        assert 0.85 <= rate <= 1


def test_real_against_itself_is_95_percent() -> None:
    for rate in rates(fooling(looks(REAL), looks(REAL))).values():
        assert rate == pytest.approx(0.95, abs=0.015)


def test_white_noise_does_not_fool() -> None:
    found = rates(fooling(looks(REAL), looks(changed(lambda f: RNG.permuted(f.image_yx)))))
    assert max(found.values()) < 0.02


def test_cells_of_white_noise_fool_the_histogram_in_the_main() -> None:
    def shuffled(frame: ImageFrame) -> np.ndarray:
        image, inside = frame.image_yx.copy(), frame.labels_yx > 0
        for part in (inside, ~inside):
            image[part] = RNG.permutation(image[part])
        return image

    found = rates(fooling(looks(REAL), looks(changed(shuffled))))
    assert found["histogram"] > 0.8
    assert max(found["spectrum"], found["both"]) < 0.4


def test_a_blurred_copy_does_not_fool() -> None:
    found = rates(fooling(looks(REAL), looks(changed(lambda f: gaussian_filter(f.image_yx.astype(float), 1.5)))))
    assert max(found["spectrum"], found["both"]) < 0.02


def test_wrong_brightness_does_not_fool() -> None:
    found = rates(fooling(looks(REAL), looks(changed(lambda f: f.image_yx + 150.0))))
    assert max(found["histogram"], found["both"]) < 0.05
    assert found["spectrum"] > 0.8


def test_a_copy_is_not_its_own_proof() -> None:
    """An image that repeats real squares in their places is compared with other places only, as real ones are."""
    one, two = (fooling(looks(REAL[:2]), looks(frames)) for frames in (REAL[:2], REAL[:2] + REAL[:2]))
    assert one is not None
    assert two is not None
    assert one.rate("both", np.ones(2)) == pytest.approx(two.rate("both", np.ones(4)), abs=0.02)


def test_how_much_of_a_square_cells_take_does_not_count() -> None:
    sparse = []
    for frame in OTHERS:
        kept = np.isin(frame.labels_yx, np.unique(frame.labels_yx)[1::2])
        background = RNG.normal(100, 12, kept.shape)
        sparse.append(
            ImageFrame(np.where(kept, frame.image_yx, background), np.where(kept, frame.labels_yx, 0), "s", 0)
        )
    assert rates(fooling(looks(REAL), looks(sparse)))["histogram"] > 0.8


def test_too_few_squares_tell_nothing() -> None:
    few = crops_of_all(REAL[:1], 64, RNG).drawn(5, RNG)
    assert fooling(CropStatistics.of(few), looks(OTHERS)) is None

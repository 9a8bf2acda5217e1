"""Sets of images against real ones."""

from dataclasses import replace

import numpy as np
import pytest
from fields import frames_of
from scipy.ndimage import gaussian_filter

from cytoform.assess.images import bootstrap
from cytoform.assess.images.compare import IMAGE_MEASURES, ImageComparison, compare
from cytoform.assess.images.frames import ImageFrame
from cytoform.assess.images.sets import ImageSet, MeasurementSettings
from cytoform.errors import InputError

REAL, OTHER = frames_of(4), frames_of(3, seed=1, movie="02")


@pytest.fixture(autouse=True)
def few_replicates(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap, "REPLICATES", 30)


def compared(other: list[ImageFrame], real: list[ImageFrame] = REAL) -> ImageComparison:
    settings, rng = MeasurementSettings.of(real, [other]), np.random.default_rng(0)
    return compare(ImageSet.of("real", real, settings, rng), ImageSet.of("other", other, settings, rng), rng)


def test_a_set_against_itself() -> None:
    found = compared(REAL)
    assert found.figures.keys() == IMAGE_MEASURES.keys()
    values = {name: figure.value for name, figure in found.figures.items()}
    assert values["histogram_foreground"] == values["histogram_background"] == values["spectrum_db"] == 0
    assert values["feature_distance"] == pytest.approx(0, abs=1e-6)
    for name in ("noise_ratio", "mean_change", "texture_change", "ssim", "ssim_inside"):
        assert values[name] == pytest.approx(1), name
    assert found.shared_masks == 4


def test_other_images_of_the_same_kind_and_blurred_ones() -> None:
    other = compared(OTHER)
    blurred = compared([replace(f, image_yx=gaussian_filter(f.image_yx.astype(float), 1.5)) for f in OTHER])
    for name in ("spectrum_db", "noise_ratio", "feature_distance"):
        a, b = other.figures[name], blurred.figures[name]
        assert a.high < b.low, name
        assert b.low <= b.value <= b.high
    assert blurred.figures["fooling_both"].value < 0.05
    assert other.figures["fooling_both"].value > 0.7
    assert np.isnan(other.figures["ssim"].value)
    assert other.shared_masks == 0
    # Their noise alone makes the texture of these cells flicker.
    assert blurred.figures["texture_change"].value < 0.8


def test_frames_have_figures_of_their_own() -> None:
    dark = replace(OTHER[1], image_yx=OTHER[1].image_yx // 2)
    found = compared([OTHER[0], dark, OTHER[2]])
    assert all(len(values) == 3 for values in found.per_frame.values())
    assert found.per_frame["histogram_foreground"].argmax() == 1
    entry = found.to_json()
    assert entry["figures"]["spectrum_db"]["unit"] == "dB"
    assert len(entry["figures"]["spectrum_db"]["per_frame"]) == 3
    assert entry["squares"] == 48


def test_same_seed_same_figures() -> None:
    a, b = compared(OTHER), compared(OTHER)
    assert repr(a.figures) == repr(b.figures)  # NaN differs from itself


def test_sizes_may_differ_down_to_32_pixels() -> None:
    small = [replace(f, image_yx=f.image_yx[:40, :70], labels_yx=f.labels_yx[:40, :70]) for f in OTHER]
    assert np.isfinite(compared(small).figures["spectrum_db"].value)


def test_faults() -> None:
    tiny = [replace(f, image_yx=f.image_yx[:30], labels_yx=f.labels_yx[:30]) for f in OTHER]
    flat = [OTHER[0], replace(OTHER[1], image_yx=np.full_like(OTHER[1].image_yx, 7))]
    empty = [replace(f, labels_yx=np.zeros_like(f.labels_yx)) for f in OTHER]
    for frames, words in (
        (tiny, "02, frame 0: an image of 30 pixels"),
        (flat, "02, frame 1: all pixels have one intensity"),
        (empty, "no square"),
    ):
        with pytest.raises(InputError, match=words):
            compared(frames)

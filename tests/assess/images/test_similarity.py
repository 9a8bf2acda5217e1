"""SSIM where masks are shared, and only there."""

import numpy as np
import pytest
from fields import frames_of

from cytoform.assess.images.frames import ImageFrame
from cytoform.assess.images.similarity import partners, same_masks, similarities, structural_similarity

REAL = frames_of(2, size=128)


def test_equal_images_are_alike_and_noise_is_not() -> None:
    assert structural_similarity(REAL[0], REAL[0]) == pytest.approx((1, 1))
    rng = np.random.default_rng(0)
    noise = ImageFrame(rng.permuted(REAL[0].image_yx), REAL[0].labels_yx, "01", 0)
    whole, inside = structural_similarity(REAL[0], noise)
    assert max(whole, inside) < 0.3


def test_global_formula_on_a_constant_shift() -> None:
    """Where images differ by a constant only, SSIM is the term of luminance (Wang et al. 2004, eq. 6)."""
    low, high = np.quantile(REAL[0].image_yx, [0.001, 0.999])
    flat, higher = (ImageFrame(np.full((128, 128), v), REAL[0].labels_yx, "01", 0) for v in (200.0, 260.0))
    c1 = (0.01 * 1.0) ** 2  # a flat image has no range, which counts as 1
    expected = (2 * 200 * 260 + c1) / (200**2 + 260**2 + c1)
    assert structural_similarity(flat, higher)[0] == pytest.approx(expected, rel=1e-6)
    assert high > low


def test_partners_share_masks() -> None:
    elsewhere = frames_of(2, size=128, seed=5, movie="07")
    renamed = [ImageFrame(f.image_yx, f.labels_yx + 100 * (f.labels_yx > 0), "gen", f.number) for f in REAL]
    assert partners(REAL, renamed) == [(0, 0), (1, 1)]
    assert partners(REAL, list(reversed(REAL))) == [(0, 1), (1, 0)]
    assert partners(REAL, elsewhere) == []
    assert similarities(REAL, elsewhere, []).shape == (0, 2)
    smaller = ImageFrame(REAL[0].image_yx[:64], REAL[0].labels_yx[:64], "01", 0)
    assert not same_masks(REAL[0], smaller)

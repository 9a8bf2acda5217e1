"""Flicker of discs that move and change as one says."""

import numpy as np
import pytest

from cytoform.assess.images.flicker import flicker
from cytoform.assess.images.frames import ImageFrame

SIZE, RADIUS = 96, 12
RNG = np.random.default_rng(0)
TEXTURE = RNG.normal(0, 10, (2, 4 * RADIUS, 4 * RADIUS))


def disc(
    number: int, at: tuple[int, int] = (40, 40), *, light: float = 100.0, texture: np.ndarray = TEXTURE[0], **other: int
) -> ImageFrame:
    """A frame with one disc, whose texture moves with it."""
    y, x = np.indices((SIZE, SIZE))
    radius = other.get("radius", RADIUS)
    labels = (np.hypot(y - at[0], x - at[1]) <= radius).astype(np.uint16) * other.get("label", 1)
    half = len(texture) // 2
    pattern = np.zeros((SIZE + 4 * half, SIZE + 4 * half))
    pattern[at[0] + half : at[0] + 3 * half, at[1] + half : at[1] + 3 * half] = texture
    image = np.where(labels, light + pattern[2 * half : 2 * half + SIZE, 2 * half : 2 * half + SIZE], 10.0)
    return ImageFrame(image.astype(np.float32), labels, "01", number)


def test_a_disc_that_only_moves_does_not_flicker() -> None:
    found = flicker([disc(0), disc(1, (43, 38)), disc(2, (43, 38))])
    assert found.frame.tolist() == [0, 1]
    assert found.mean_change == pytest.approx(0, abs=1e-4)
    assert found.texture_change == pytest.approx(0, abs=1e-4)


def test_brightness_and_texture_are_told_apart() -> None:
    brighter = flicker([disc(0), disc(1, light=107.0)])
    assert brighter.mean_change == pytest.approx([7], abs=1e-4)
    assert brighter.texture_change == pytest.approx([0], abs=1e-4)
    other = flicker([disc(0), disc(1, (50, 30), texture=TEXTURE[1])])
    assert other.texture_change == pytest.approx([1], abs=0.1)


@pytest.mark.parametrize("share", [0.3, 0.7])
def test_texture_that_is_shared_in_part(share: float) -> None:
    """With a correlation r of what is there before and after the change is √(1 - r)."""
    mixed = share * TEXTURE[0] + np.sqrt(1 - share**2) * TEXTURE[1]
    found = flicker([disc(0), disc(1, texture=mixed)])
    assert found.texture_change == pytest.approx([np.sqrt(1 - share)], abs=0.06)


def test_only_the_same_cell_in_the_next_frame_counts() -> None:
    assert len(flicker([disc(0), disc(2)]).frame) == 0
    assert len(flicker([disc(0), disc(1, label=2)]).frame) == 0
    assert len(flicker([disc(0), disc(1, (75, 75))]).frame) == 0  # jumped
    assert len(flicker([disc(0), disc(1, radius=18)]).frame) == 0  # grew
    assert len(flicker([disc(0, (10, 40)), disc(1, (10, 40))]).frame) == 0  # cut
    assert len(flicker([disc(0), ImageFrame(disc(1).image_yx, disc(1).labels_yx, "02", 1)]).frame) == 0
    assert flicker([disc(1), disc(0)]).frame.tolist() == [1]  # in the order of their numbers


def test_pooled() -> None:
    found = flicker([disc(0), disc(1, light=102.0), disc(2, light=108.0)])
    assert found.pooled("mean_change", np.ones(3)) == pytest.approx(4, abs=1e-4)
    assert found.pooled("mean_change", np.array([0.0, 1, 1])) == pytest.approx(6, abs=1e-4)
    assert np.isnan(found.pooled("mean_change", np.array([0.0, 0, 1])))

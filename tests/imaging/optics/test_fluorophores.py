"""Where the fluorophores are: volumes, areas, and looks that belong to the cell."""

import numpy as np
import pytest

from cytoform.imaging.optics.fluorophores import brightness, density
from cytoform.imaging.optics.parameters import Fluorophores

UNIFORM = Fluorophores(distribution="uniform", brightness_variation=0)


def ball(radius_um: float, spacing: tuple[float, float, float], *, label: int = 1) -> np.ndarray:
    """A ball in the middle of a box with some room."""
    shape = [2 * int(radius_um / step + 4) + 1 for step in spacing]
    axes = np.meshgrid(*((np.arange(n) - n // 2) * step for n, step in zip(shape, spacing, strict=True)), indexing="ij")
    return ((sum(axis**2 for axis in axes) <= radius_um**2) * label).astype(np.uint16)


def total_um3(labels: np.ndarray, stain: Fluorophores, spacing: tuple[float, float, float]) -> float:
    return float(density(labels, stain, spacing_zyx_um=spacing, seed=0).sum() * np.prod(spacing))


@pytest.mark.parametrize("spacing", [(0.2, 0.2, 0.2), (1.0, 0.2, 0.2)])
@pytest.mark.parametrize("radius", [3.0, 5.0])
def test_a_uniform_ball_holds_its_volume(radius: float, spacing: tuple[float, float, float]) -> None:
    assert total_um3(ball(radius, spacing), UNIFORM, spacing) == pytest.approx(4 / 3 * np.pi * radius**3, rel=0.04)


@pytest.mark.parametrize("spacing", [(0.25, 0.25, 0.25), (0.5, 0.2, 0.2), (1.0, 0.2, 0.2)])
@pytest.mark.parametrize("radius", [3.0, 5.0])
@pytest.mark.parametrize("thickness", [0.1, 0.5, 1.0])
def test_a_membrane_holds_the_volume_of_its_shell(
    thickness: float, radius: float, spacing: tuple[float, float, float]
) -> None:
    """Thinner than a voxel or thicker: the volume between two balls, for thin ones the area times the thickness."""
    stain = UNIFORM.model_copy(update={"distribution": "membrane", "membrane_thickness_um": thickness})
    shell = 4 / 3 * np.pi * (radius**3 - (radius - thickness) ** 3)
    assert total_um3(ball(radius, spacing), stain, spacing) == pytest.approx(shell, rel=0.08)


def test_cells_that_touch_have_a_membrane_each() -> None:
    labels = np.ones((20, 20, 20), np.uint16)
    labels[:, :, 10:] = 2
    stain = UNIFORM.model_copy(update={"distribution": "membrane", "membrane_thickness_um": 2.0})
    shells = density(labels, stain, spacing_zyx_um=(1.0, 1.0, 1.0), seed=0)
    assert shells[10, 10, 9] > 0.5
    assert shells[10, 10, 10] > 0.5
    assert shells[10, 10, 4] < 0.05
    assert shells[10, 10, 0] < 0.05  # the frame cuts the cell, it does not end it


def test_brightness_is_log_normal_with_mean_one_and_belongs_to_the_label() -> None:
    labels = np.arange(1, 5001, dtype=np.uint16).reshape(1, 50, 100)
    factors = brightness(labels, 0.5, seed=1)
    assert factors.mean() == pytest.approx(1, abs=0.02)
    assert factors.std() == pytest.approx(0.5, rel=0.05)
    assert np.log(factors).std() == pytest.approx(np.sqrt(np.log(1.25)), rel=0.03)
    alone = np.full((1, 2, 2), 77, np.uint16)
    assert brightness(alone, 0.5, seed=1)[0, 0, 0] == factors.ravel()[76]
    assert brightness(alone, 0.5, seed=2)[0, 0, 0] != factors.ravel()[76]


def test_texture_has_the_stated_contrast_and_correlation_and_moves_with_the_cell() -> None:
    stain = UNIFORM.model_copy(
        update={"distribution": "textured", "texture_contrast": 0.3, "texture_correlation_um": 1.0}
    )
    labels = np.zeros((1, 300, 420), np.uint16)
    labels[0, 20:280, 20:280] = 5
    moved = np.roll(labels, (7, 31), axis=(1, 2))
    here, there = (density(m, stain, spacing_zyx_um=(1.0, 0.25, 0.25), seed=0) for m in (labels, moved))
    np.testing.assert_allclose(np.roll(here, (7, 31), axis=(1, 2)), there, atol=2e-3)
    inside = here[0, 20:280, 20:280]
    assert inside.mean() == pytest.approx(1, abs=0.03)
    assert inside.std() == pytest.approx(0.3, rel=0.1)
    centred = np.log(inside) - np.log(inside).mean()
    assert (centred[:, 4:] * centred[:, :-4]).mean() / centred.var() == pytest.approx(np.exp(-1), abs=0.1)
    assert (here[labels == 0] == 0).all()


def test_a_rim_makes_one_plane_as_thick_as_a_ball_seen_from_above() -> None:
    spacing = (1.0, 0.1, 0.1)
    disc = ball(5.0, spacing)
    middle = disc[len(disc) // 2][None]
    thickness = density(middle, UNIFORM.model_copy(update={"rim_um": 5.0}), spacing_zyx_um=spacing, seed=0)[0]
    y, x = (np.arange(n) - n // 2 for n in thickness.shape)
    radius = 0.1 * np.hypot(y[:, None], x)
    inside = radius < 4.8
    np.testing.assert_allclose(thickness[inside], np.sqrt(1 - (radius[inside] / 5) ** 2), atol=0.05)
    # A volume is round by itself.
    thick = density(disc, UNIFORM.model_copy(update={"rim_um": 5.0}), spacing_zyx_um=spacing, seed=0)
    assert set(np.unique(thick)) == {0, 1}

"""The point-spread function against what optics textbooks say of it, and blurring against direct convolution."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import convolve

from cytoform.errors import InputError
from cytoform.imaging.optics.parameters import Microscope
from cytoform.imaging.optics.point_spread import blurred, point_spread

AIR = Microscope(kind="widefield", numerical_aperture=0.4, immersion_index=1.0, emission_nm=600)
WATER = Microscope(kind="widefield", numerical_aperture=1.0, immersion_index=1.333, emission_nm=525, out_of_focus_um=3)
CONFOCAL = Microscope(numerical_aperture=1.0, out_of_focus_um=3)


def width(profile: np.ndarray, step_um: float) -> float:
    """Full width at half maximum, between samples by straight lines."""
    half = profile[len(profile) // 2 :] / profile.max()
    after = int(np.argmax(half < 0.5))
    return 2 * step_um * (after - (0.5 - half[after]) / (half[after - 1] - half[after]))


@pytest.mark.parametrize(("microscope", "pixel_um"), [(AIR, 0.05), (WATER, 0.03)])
def test_width_sideways_is_that_of_an_airy_disc(microscope: Microscope, pixel_um: float) -> None:
    spread = point_spread(microscope, spacing_zyx_um=(0.2, pixel_um, pixel_um), single_plane=True)[0]
    expected_um = 0.51 * microscope.emission_nm / 1000 / microscope.numerical_aperture
    middle = len(spread) // 2
    # The vectorial model is a little wider than the paraxial formula, the more so the larger the aperture.
    for profile in (spread[middle], spread[:, middle]):
        assert expected_um <= width(profile, pixel_um) <= 1.1 * expected_um


def test_width_along_z() -> None:
    spread = point_spread(WATER, spacing_zyx_um=(0.1, 0.1, 0.1))
    middle = spread.shape[1] // 2
    n, aperture = WATER.immersion_index, WATER.numerical_aperture
    expected_um = 0.88 * 0.525 / (n - np.sqrt(n**2 - aperture**2))
    assert width(spread[:, middle, middle], 0.1) == pytest.approx(expected_um, rel=0.1)


@pytest.mark.parametrize("microscope", [WATER, CONFOCAL])
@pytest.mark.parametrize("spacing", [(0.3, 0.1, 0.1), (1.0, 0.2, 0.2), (2.0, 0.65, 0.65)])
def test_it_sums_to_one_and_is_its_own_mirror_image(
    microscope: Microscope, spacing: tuple[float, float, float]
) -> None:
    spread = point_spread(microscope, spacing_zyx_um=spacing)
    assert spread.sum() == pytest.approx(1, abs=1e-5)
    assert all(n % 2 for n in spread.shape)
    assert spread.min() >= 0
    for axis in range(3):
        np.testing.assert_allclose(spread, np.flip(spread, axis), atol=1e-6)
    assert np.unravel_index(spread.argmax(), spread.shape) == tuple(n // 2 for n in spread.shape)


def test_coarse_voxels_average_the_fine_function() -> None:
    """Voxels larger than the function are allowed: what they hold is the sum of the fine ones in them."""
    fine = point_spread(AIR, spacing_zyx_um=(1.0, 0.1, 0.1), single_plane=True)[0]
    coarse = point_spread(AIR, spacing_zyx_um=(1.0, 0.9, 0.9), single_plane=True)[0]
    middle, centre = len(fine) // 2, len(coarse) // 2
    assert coarse[centre, centre] == pytest.approx(
        fine[middle - 4 : middle + 5, middle - 4 : middle + 5].sum(), rel=0.03
    )


def test_a_confocal_sections_and_a_widefield_does_not() -> None:
    wide, confocal = (
        point_spread(microscope, spacing_zyx_um=(0.5, 0.2, 0.2)).sum(axis=(1, 2)) for microscope in (WATER, CONFOCAL)
    )
    assert wide.max() < 1.1 * wide.min()  # in every plane the same light
    assert confocal[0] < 0.05 * confocal.max()


def test_a_wider_pinhole_takes_more_out_of_focus_light() -> None:
    shares = []
    for airy in (0.5, 1.0, 3.0):
        profile = point_spread(
            Microscope(numerical_aperture=1.0, pinhole_airy=airy), spacing_zyx_um=(0.5, 0.2, 0.2)
        ).sum(axis=(1, 2))
        shares.append(profile.max())
    assert shares == sorted(shares, reverse=True)


def test_extra_blur_adds_its_variance() -> None:
    def variance(blur_um: float) -> float:
        sharp = AIR.model_copy(update={"extra_blur_um": blur_um})
        profile = point_spread(sharp, spacing_zyx_um=(1.0, 0.2, 0.2), single_plane=True)[0].sum(axis=0)
        x = (np.arange(len(profile)) - len(profile) // 2) * 0.2
        return float((profile * x**2).sum())

    assert variance(1.0) - variance(0.0) == pytest.approx(1.0, rel=0.05)


def test_voxels_that_make_no_function_are_refused() -> None:
    with pytest.raises(InputError, match="square pixels"):
        point_spread(AIR, spacing_zyx_um=(1.0, 0.1, 0.2))
    with pytest.raises(InputError, match="choose a smaller microscope"):
        point_spread(WATER.model_copy(update={"out_of_focus_um": 50.0}), spacing_zyx_um=(0.05, 0.05, 0.05))


@settings(max_examples=20, deadline=None)
@given(
    shape=st.tuples(st.integers(1, 5), st.integers(2, 9), st.integers(2, 9)),
    reach=st.tuples(st.integers(0, 3), st.integers(0, 2), st.integers(0, 2)),
    seed=st.integers(0, 99),
)
def test_blurring_is_convolution(shape: tuple[int, ...], reach: tuple[int, ...], seed: int) -> None:
    rng = np.random.default_rng(seed)
    image = rng.random(shape, dtype=np.float32)
    corner = rng.random([n + 1 for n in reach], dtype=np.float32)
    kernel = corner
    for axis, n in enumerate(reach):  # a kernel that is its own mirror image
        kernel = np.concatenate([np.flip(kernel.take(range(1, n + 1), axis), axis), kernel], axis)
    # Directly: nothing above and below, mirrored at the sides.
    padded = np.pad(image, ((reach[0],) * 2, (0, 0), (0, 0)))
    padded = np.pad(padded, ((0, 0), (reach[1],) * 2, (reach[2],) * 2), mode="symmetric")
    direct = convolve(padded, kernel, mode="constant")
    inner = tuple(slice(n, n + size) for n, size in zip(reach, shape, strict=True))
    np.testing.assert_allclose(np.stack(list(blurred(image, kernel))), direct[inner], rtol=1e-4, atol=1e-4)

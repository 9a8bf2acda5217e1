"""Whole images: light that is proportional to what emits it, frames that need no other, faults in one line."""

import numpy as np
import pytest

from cytoform.errors import InputError
from cytoform.imaging.optics import Optics, OpticsParameters
from cytoform.imaging.optics.optics import expose, grey_type
from cytoform.imaging.optics.parameters import CameraParameters
from cytoform.imaging.optics.point_spread import point_spread

SPACING = (0.5, 0.25, 0.25)
IDEAL = CameraParameters(quantum_efficiency=1, gain_electrons_per_adu=1, offset_adu=0, read_noise_electrons=0)


def optics(**sections: dict[str, object]) -> Optics:
    """A microscope with some settings changed."""
    plain: dict[str, dict[str, object]] = {
        "fluorophores": {"distribution": "uniform", "brightness_variation": 0.0, "photons_per_pixel": 1000.0},
        "microscope": {"numerical_aperture": 1.0, "out_of_focus_um": 2.0},
        "background": {"photons_per_pixel": 0.0},
    }
    for name, values in sections.items():
        plain[name] = plain.get(name, {}) | values
    return Optics(OpticsParameters.model_validate(plain))


def ball(radius_um: float, shape: tuple[int, int, int] = (24, 48, 48)) -> np.ndarray:
    axes = np.meshgrid(*((np.arange(n) - n / 2) * step for n, step in zip(shape, SPACING, strict=True)), indexing="ij")
    return (sum(axis**2 for axis in axes) <= radius_um**2).astype(np.uint16)


def photons(texture: Optics, labels: np.ndarray) -> np.ndarray:
    return np.stack(list(texture.photons(labels, spacing_zyx_um=SPACING, seed=0)))


def test_a_single_bright_voxel_shows_the_point_spread_function() -> None:
    texture = optics()
    labels = np.zeros((15, 41, 41), np.uint16)
    labels[7, 20, 20] = 1
    image = photons(texture, labels) / 1000
    spread = point_spread(texture.parameters.microscope, spacing_zyx_um=SPACING)
    assert image.sum() == pytest.approx(1, rel=1e-3)
    inner = tuple(slice(m - n // 2, m + n // 2 + 1) for m, n in zip((7, 20, 20), spread.shape, strict=True))
    np.testing.assert_allclose(image[inner], spread, atol=1e-6)


def test_the_light_of_a_ball_is_proportional_to_its_volume() -> None:
    small, large = (photons(optics(), ball(radius)).sum() for radius in (2.0, 4.0))
    voxel_um3 = np.prod(SPACING)
    assert small == pytest.approx(1000 * 4 / 3 * np.pi * 2**3 / voxel_um3, rel=0.05)
    assert large / small == pytest.approx(8, rel=0.05)


def test_the_light_of_a_membrane_is_proportional_to_its_area() -> None:
    stained = optics(fluorophores={"distribution": "membrane", "membrane_thickness_um": 0.1})
    small, large = (photons(stained, ball(radius)).sum() for radius in (2.0, 4.0))
    assert large / small == pytest.approx(4, rel=0.1)
    assert large == pytest.approx(1000 * 4 * np.pi * 4**2 * 0.1 / np.prod(SPACING), rel=0.1)


def test_the_middle_of_a_large_cell_has_the_stated_photons_in_one_plane_and_in_many() -> None:
    flat = np.ones((1, 64, 64), np.uint16)
    assert photons(optics(), flat)[0, 32, 32] == pytest.approx(1000, rel=1e-3)
    assert photons(optics(), flat)[0, 0, 0] == pytest.approx(1000, rel=1e-3)  # the frame cuts it, it does not end it
    deep = np.ones((24, 32, 32), np.uint16)
    assert photons(optics(), deep)[12, 16, 16] == pytest.approx(1000, rel=1e-3)


def test_a_frame_needs_no_other_and_has_noise_of_its_own() -> None:
    texture = Optics()
    labels = ball(3.0)
    render = {"spacing_zyx_um": SPACING, "seed": 5}
    first = texture.render(labels, frame=0, **render)
    third = texture.render(labels, frame=2, **render)
    assert (Optics().render(labels, frame=2, **render) == third).all()
    assert (first != third).mean() > 0.5
    assert (texture.render(labels, frame=0, spacing_zyx_um=SPACING, seed=6) != first).mean() > 0.5
    # Apart from the noise it is the same image: of the noise, the same variance is between frames as within one.
    difference = first.astype(float) - third
    expected = np.stack(list(texture.photons(labels, **render)))
    camera = texture.parameters.camera
    variance = (
        expected * camera.quantum_efficiency + camera.read_noise_electrons**2
    ) / camera.gain_electrons_per_adu**2 + 1 / 12
    assert (difference**2).mean() == pytest.approx(2 * variance.mean(), rel=0.03)


def test_a_cell_takes_its_look_along() -> None:
    """Moved by whole voxels, everything about it moves; brightness and texture are those of its label."""
    texture = optics(fluorophores={"distribution": "textured", "brightness_variation": 0.5, "texture_contrast": 0.4})
    labels = 7 * ball(3.0)
    moved = np.roll(labels, (0, 5, -6), axis=(0, 1, 2))
    here, there = photons(texture, labels), photons(texture, moved)
    np.testing.assert_allclose(np.roll(here, (0, 5, -6), axis=(0, 1, 2)), there, atol=0.01 * here.max())


@pytest.mark.parametrize("kind", ["confocal", "widefield"])
def test_a_projection_is_the_maximum_of_the_volume(kind: str) -> None:
    texture = optics(microscope={"kind": kind}, background={"photons_per_pixel": 20.0})
    labels = ball(3.0)
    volume = texture.render(labels, spacing_zyx_um=SPACING, frame=3, seed=1)
    projected = texture.render(labels, spacing_zyx_um=SPACING, frame=3, seed=1, projection=True)
    assert volume.shape == labels.shape
    assert projected.shape == (1, *labels.shape[1:])
    assert (projected[0] == volume.max(axis=0)).all()


@pytest.mark.parametrize(("bits", "dtype"), [(8, np.uint8), (12, np.uint16)])
def test_it_saturates_at_the_bit_depth(bits: int, dtype: type) -> None:
    texture = optics(camera={"bit_depth": bits}, fluorophores={"photons_per_pixel": 1e5})
    image = texture.render(ball(3.0), spacing_zyx_um=SPACING, frame=0, seed=0)
    assert image.dtype == texture.dtype == dtype
    assert image.max() == 2**bits - 1


def test_haze_takes_its_share_from_the_sharp_image() -> None:
    labels = ball(3.0, (24, 96, 96))
    sharp, hazy = (
        photons(optics(background={"photons_per_pixel": 0.0, "haze_fraction": share, "haze_um": 2.0}), labels)
        for share in (0.0, 0.3)
    )
    assert hazy.sum() == pytest.approx(sharp.sum(), rel=0.01)
    assert hazy[12, 48, 48] < 0.8 * sharp[12, 48, 48]
    assert hazy[0, 48, 48] > sharp[0, 48, 48]


def test_an_empty_frame_is_background() -> None:
    image = Optics().render(np.zeros((3, 32, 32), np.uint16), spacing_zyx_um=SPACING, frame=0, seed=0)
    parameters = Optics().parameters
    electrons = parameters.background.photons_per_pixel * parameters.camera.quantum_efficiency
    expected = parameters.camera.offset_adu + electrons / parameters.camera.gain_electrons_per_adu
    assert image.mean() == pytest.approx(expected, abs=0.5)


@pytest.mark.parametrize(
    ("labels", "spacing", "message"),
    [
        (np.zeros((8, 8), np.uint16), SPACING, "unsigned integers"),
        (np.zeros((1, 8, 8), np.float32), SPACING, "float32"),
        (np.zeros((1, 0, 8), np.uint16), SPACING, "unsigned integers"),
        (np.zeros((1, 8, 8), np.uint16), (1.0, -1.0, 1.0), "three positive numbers"),
        (np.zeros((1, 8, 8), np.uint16), (1.0, 0.1, 0.2), "square pixels"),
    ],
)
def test_labels_that_make_no_image_are_refused(labels: np.ndarray, spacing: tuple, message: str) -> None:
    with pytest.raises(InputError, match=message) as fault:
        Optics().render(labels, spacing_zyx_um=spacing, frame=0, seed=0)
    assert "\n" not in str(fault.value)


def shot(photons: float, camera: CameraParameters, seed: int = 0) -> np.ndarray:
    return expose(np.full((300, 300), photons, np.float32), camera, np.random.default_rng(seed)).astype(float)


@pytest.mark.parametrize("photons", [0.5, 20, 4000])
def test_counts_have_a_variance_equal_to_their_mean(photons: float) -> None:
    counts = shot(photons, IDEAL)
    assert counts.mean() == pytest.approx(photons, rel=0.02)
    assert counts.var() == pytest.approx(photons, rel=0.03)


def test_read_noise_and_offset_are_as_stated() -> None:
    grey = shot(0, CameraParameters(offset_adu=100, gain_electrons_per_adu=0.25, read_noise_electrons=2.0))
    assert grey.mean() == pytest.approx(100, abs=0.1)
    assert grey.std() == pytest.approx(8.0, rel=0.02)


def test_gain_and_quantum_efficiency() -> None:
    grey = shot(
        1000, CameraParameters(quantum_efficiency=0.5, gain_electrons_per_adu=2.0, offset_adu=0, read_noise_electrons=0)
    )
    assert grey.mean() == pytest.approx(250, rel=0.01)
    assert grey.var() == pytest.approx(500 / 4, rel=0.03)  # of 500 electrons


@pytest.mark.parametrize(("bits", "dtype"), [(8, np.uint8), (12, np.uint16), (16, np.uint16)])
def test_an_exposure_saturates_at_the_bit_depth(bits: int, dtype: type) -> None:
    camera = IDEAL.model_copy(update={"bit_depth": bits})
    assert grey_type(camera) == dtype
    assert (shot(1e6, camera) == 2**bits - 1).all()


def test_a_smeared_readout_joins_pixels_of_a_row_only() -> None:
    grey = shot(1000, IDEAL.model_copy(update={"readout_smear_pixels": 0.7}))
    grey -= grey.mean()
    along, across = (
        (grey[:, 1:] * grey[:, :-1]).mean() / grey.var(),
        (grey[1:] * grey[:-1]).mean() / grey.var(),
    )
    assert along == pytest.approx(np.exp(-1 / (4 * 0.7**2)), abs=0.02)
    assert abs(across) < 0.02

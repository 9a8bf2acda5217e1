"""Calibration finds the parameters that images were made with, and refuses what it cannot use."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tifffile

from cytoform.errors import InputError
from cytoform.imaging.optics import Optics, OpticsParameters, read_parameters
from cytoform.imaging.optics.calibration import calibrate
from cytoform.movies.pairs.pairs import Pairs, open_pairs

SPACING = (1.0, 0.5, 0.5)
SHAPE_YX = (300, 420)
TRUTH = OpticsParameters.model_validate(
    {
        "fluorophores": {
            "photons_per_pixel": 400.0,
            "brightness_variation": 0.5,
            "texture_contrast": 0.25,
            "texture_correlation_um": 1.5,
            "rim_um": 3.0,
        },
        "microscope": {
            "kind": "widefield",
            "numerical_aperture": 0.5,
            "immersion_index": 1.0,
            "extra_blur_um": 0.4,
        },
        "background": {"photons_per_pixel": 80.0, "unevenness": 0.1, "unevenness_um": 60.0},
        "camera": {
            "quantum_efficiency": 0.7,
            "gain_electrons_per_adu": 0.6,
            "offset_adu": 150.0,
            "read_noise_electrons": 3.0,
            "readout_smear_pixels": 0.6,
        },
    }
)
# What images cannot tell is given.
GIVEN = OpticsParameters(
    microscope=TRUTH.microscope.model_copy(update={"extra_blur_um": 0.0}),
    camera=TRUTH.camera.model_copy(
        update={"gain_electrons_per_adu": 5.0, "offset_adu": 0.0, "readout_smear_pixels": 0.0}
    ),
)


def ellipses(shape_yx: tuple[int, int], seed: int) -> np.ndarray:
    """Nuclei of 8 to 12 pixels half length on a grid, shifted and turned at random."""
    rng = np.random.default_rng(seed)
    labels = np.zeros(shape_yx, np.uint16)
    y, x = np.indices(shape_yx)
    for number, (row, column) in enumerate(np.ndindex(shape_yx[0] // 60, shape_yx[1] // 60), start=1):
        cy, cx = np.array((row, column)) * 60 + 30 + rng.uniform(-6, 6, 2)
        angle, long, wide = rng.uniform(0, np.pi), rng.uniform(10, 13), rng.uniform(8, 10)
        along, across = (
            (y - cy) * np.cos(angle) + (x - cx) * np.sin(angle),
            (x - cx) * np.cos(angle) - (y - cy) * np.sin(angle),
        )
        labels[(along / long) ** 2 + (across / wide) ** 2 <= 1] = number
    return labels


def write_pairs(folder: Path, parameters: OpticsParameters, *, frames: int = 6) -> Path:
    """A Cell Tracking Challenge folder of images by the optics; labels are new in every frame, the field is the same."""
    (folder / "01").mkdir(parents=True)
    (folder / "01_ST" / "SEG").mkdir(parents=True)
    for frame in range(frames):
        labels = ellipses(SHAPE_YX, frame)
        labels = np.where(labels > 0, labels + 100 * frame, 0).astype(np.uint16)
        image = Optics(parameters).render(labels[None], spacing_zyx_um=SPACING, frame=frame, seed=3)[0]
        tifffile.imwrite(folder / "01" / f"t{frame:03}.tif", image)
        tifffile.imwrite(folder / "01_ST" / "SEG" / f"man_seg{frame:03}.tif", labels)
    return folder


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_pairs(tmp_path_factory.mktemp("pairs") / "set", TRUTH)


@pytest.fixture(scope="module")
def found(source: Path) -> OpticsParameters:
    return calibrate(open_pairs([source], spacing_zyx_um=SPACING), GIVEN)


def test_the_camera_is_found(found: OpticsParameters) -> None:
    assert found.camera.gain_electrons_per_adu == pytest.approx(0.6, rel=0.1)
    assert found.camera.readout_smear_pixels == pytest.approx(0.6, abs=0.04)
    assert found.camera.read_noise_electrons == 3.0
    assert found.camera.offset_adu == pytest.approx(150, abs=12)
    assert found.camera.bit_depth == 16


def test_the_light_is_found(found: OpticsParameters) -> None:
    assert found.fluorophores.photons_per_pixel == pytest.approx(400, rel=0.15)
    assert found.fluorophores.brightness_variation == pytest.approx(0.5, abs=0.1)
    assert found.background.photons_per_pixel == pytest.approx(80, rel=0.15)
    assert found.background.unevenness == pytest.approx(0.1, rel=0.25)
    assert 20 <= found.background.unevenness_um <= 120


def test_rim_blur_and_texture_are_found(found: OpticsParameters) -> None:
    assert found.fluorophores.rim_um == pytest.approx(3.0, rel=0.25)
    assert found.microscope.extra_blur_um == pytest.approx(0.4, abs=0.15)
    assert found.fluorophores.texture_contrast == pytest.approx(0.25, rel=0.25)
    assert found.fluorophores.texture_correlation_um == pytest.approx(1.5, rel=0.35)
    assert found.background.haze_fraction < 0.05


def test_what_is_given_stays(found: OpticsParameters) -> None:
    assert found.camera.quantum_efficiency == 0.7
    assert found.microscope.numerical_aperture == 0.5
    assert found.microscope.kind == "widefield"


def test_a_read_noise_that_the_background_does_not_have_is_lowered(source: Path) -> None:
    loud = GIVEN.model_copy(update={"camera": GIVEN.camera.model_copy(update={"read_noise_electrons": 500.0})})
    membrane = loud.model_copy(
        update={"fluorophores": loud.fluorophores.model_copy(update={"distribution": "membrane"})}
    )
    found = calibrate(open_pairs([source], spacing_zyx_um=SPACING), membrane)
    assert found.camera.read_noise_electrons == pytest.approx(np.sqrt(80 * 0.7 + 9), rel=0.1)
    assert found.background.photons_per_pixel == 0
    # Outline and texture are only fitted to cells that are full.
    assert found.fluorophores.rim_um == membrane.fluorophores.rim_um


def test_what_says_nothing_is_refused(source: Path) -> None:
    pairs = open_pairs([source], spacing_zyx_um=SPACING)
    for wrong, message in [
        (replace(pairs, spacing_zyx_um=None), "pass --voxel-size"),
        (replace(pairs, dtype=np.dtype(np.float32)), "float32"),
        (replace(pairs, read=lambda movie, frame: _without_cells(pairs, movie, frame)), "no cells in the masks"),
        (replace(pairs, read=lambda movie, frame: _dark(pairs, movie, frame)), "texture train"),
    ]:
        with pytest.raises(InputError, match=message) as fault:
            calibrate(wrong)
        assert "\n" not in str(fault.value)


def _without_cells(pairs: Pairs, movie: int, frame: int) -> tuple[np.ndarray, np.ndarray]:
    image, labels = pairs.read(movie, frame)
    return image, np.zeros_like(labels)


def _dark(pairs: Pairs, movie: int, frame: int) -> tuple[np.ndarray, np.ndarray]:
    """Cells darker than the background, as in phase contrast."""
    image, labels = pairs.read(movie, frame)
    return (2000 - image.astype(int)).clip(0).astype(np.uint16), labels


@pytest.mark.long
@pytest.mark.real
def test_real_nuclei(real_data: Path) -> None:
    """Fluo-N2DL-HeLa: one camera on all frames, whose offset is that of the challenge's signed files, 2^15."""
    pairs = open_pairs([real_data / "fluo_hela_nuclei"], spacing_zyx_um=(1.0, 0.645, 0.645)).frames(7, 9)
    found = calibrate(pairs, read_parameters("fluo-n2dl-hela"))
    preset = read_parameters("fluo-n2dl-hela")
    assert found.camera.offset_adu == pytest.approx(2**15, abs=150)
    assert found.camera.readout_smear_pixels == pytest.approx(preset.camera.readout_smear_pixels, abs=0.05)
    assert found.camera.gain_electrons_per_adu == pytest.approx(preset.camera.gain_electrons_per_adu, rel=0.3)
    assert found.fluorophores.photons_per_pixel == pytest.approx(preset.fluorophores.photons_per_pixel, rel=0.4)

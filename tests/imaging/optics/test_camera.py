"""A camera's noise against the statistics it is made of."""

import numpy as np
import pytest

from cytoform.imaging.optics.camera import exposed, grey_type
from cytoform.imaging.optics.parameters import Camera

IDEAL = Camera(quantum_efficiency=1, gain_electrons_per_adu=1, offset_adu=0, read_noise_electrons=0)


def shot(photons: float, camera: Camera, seed: int = 0) -> np.ndarray:
    return exposed(np.full((300, 300), photons, np.float32), camera, np.random.default_rng(seed)).astype(float)


@pytest.mark.parametrize("photons", [0.5, 20, 4000])
def test_counts_have_a_variance_equal_to_their_mean(photons: float) -> None:
    counts = shot(photons, IDEAL)
    assert counts.mean() == pytest.approx(photons, rel=0.02)
    assert counts.var() == pytest.approx(photons, rel=0.03)


def test_read_noise_and_offset_are_as_stated() -> None:
    grey = shot(0, Camera(offset_adu=100, gain_electrons_per_adu=0.25, read_noise_electrons=2.0))
    assert grey.mean() == pytest.approx(100, abs=0.1)
    assert grey.std() == pytest.approx(8.0, rel=0.02)


def test_gain_and_quantum_efficiency() -> None:
    grey = shot(1000, Camera(quantum_efficiency=0.5, gain_electrons_per_adu=2.0, offset_adu=0, read_noise_electrons=0))
    assert grey.mean() == pytest.approx(250, rel=0.01)
    assert grey.var() == pytest.approx(500 / 4, rel=0.03)  # of 500 electrons


@pytest.mark.parametrize(("bits", "dtype"), [(8, np.uint8), (12, np.uint16), (16, np.uint16)])
def test_it_saturates_at_the_bit_depth(bits: int, dtype: type) -> None:
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

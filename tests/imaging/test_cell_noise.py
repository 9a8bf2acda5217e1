"""Noise fixed in a cell's own coordinates: it moves with the cell, has unit variance, and knows nothing else."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cytoform.imaging.cell_noise import cell_noise

SPACING = (1.0, 0.25, 0.5)


def ellipsoid(shape: tuple[int, int, int], centre: tuple[float, float, float], radii: tuple[float, ...]) -> np.ndarray:
    axes = np.ogrid[tuple(slice(0, n) for n in shape)]
    return sum(((axis - c) / r) ** 2 for axis, c, r in zip(axes, centre, radii, strict=True)) < 1


def noise(labels: np.ndarray, correlation_um: float = 0.0, seed: int = 0) -> np.ndarray:
    return cell_noise(labels, spacing_zyx_um=SPACING, correlation_um=correlation_um, seed=seed)


CELL = ellipsoid((24, 90, 70), (10, 40, 30), (8, 30, 25))


@settings(max_examples=15, deadline=None)
@given(
    correlation_um=st.sampled_from([0.0, 0.7, 4.0]),
    shift=st.tuples(st.integers(-2, 5), st.integers(-9, 19), st.integers(-4, 14)),
    seed=st.integers(0, 2**64 - 1),
)
def test_noise_moves_with_the_cell(correlation_um: float, shift: tuple[int, int, int], seed: int) -> None:
    cell = CELL.astype(np.uint16) * 40_000
    moved = np.roll(cell, shift, axis=(0, 1, 2))
    there, back = noise(moved, correlation_um, seed), np.roll(noise(cell, correlation_um, seed), shift, axis=(0, 1, 2))
    assert np.allclose(there, back, atol=1e-5)


@pytest.mark.parametrize("correlation_um", [0.0, 0.5, 1.5])
def test_unit_variance_and_normal_inside_nothing_outside(correlation_um: float) -> None:
    values = noise(CELL.astype(np.uint16), correlation_um)
    assert values.dtype == np.float32
    assert not values[~CELL].any()
    inside = np.concatenate([noise(CELL.astype(np.uint16), correlation_um, seed)[CELL] for seed in range(12)])
    assert inside.mean() == pytest.approx(0, abs=0.05)
    assert inside.std() == pytest.approx(1, abs=0.03)
    assert (np.abs(inside) < 1).mean() == pytest.approx(0.6827, abs=0.02)


def test_white_noise_is_white() -> None:
    values = noise(np.ones((8, 200, 200), np.uint16))
    for axis in range(3):
        ahead, behind = np.moveaxis(values, axis, 0)[1:], np.moveaxis(values, axis, 0)[:-1]
        assert (ahead * behind).mean() == pytest.approx(0, abs=0.01)


def test_correlation_falls_as_stated_in_micrometres() -> None:
    correlation_um = 2.0
    values = [noise(np.ones((30, 160, 120), np.uint16), correlation_um, seed) for seed in range(4)]
    for axis, size_um in enumerate(SPACING):
        for lag in range(1, 5):
            products = [np.moveaxis(v, axis, 0)[lag:] * np.moveaxis(v, axis, 0)[:-lag] for v in values]
            assert np.mean(products) == pytest.approx(np.exp(-((lag * size_um / correlation_um) ** 2)), abs=0.06)


@pytest.mark.parametrize("correlation_um", [0.0, 2.0])
def test_a_centroid_that_shifts_by_less_than_a_voxel_keeps_the_variance(correlation_um: float) -> None:
    """Growing on one side only: the centroid moves by a fraction of a voxel."""
    variances = []
    for extra in range(1, 12):
        cell = CELL.copy()
        cell[10, 40, 55 : 55 + extra] = True
        variances.append(noise(cell.astype(np.uint16), correlation_um)[CELL].std())
    assert np.ptp(variances) < 0.02
    # A field of long correlation has its own variance within one cell; white noise has not.
    assert correlation_um or variances[0] == pytest.approx(1, abs=0.02)


@pytest.mark.parametrize("correlation_um", [0.0, 0.5])
def test_labels_and_seeds_are_independent(correlation_um: float) -> None:
    values = [noise(CELL.astype(np.uint16) * label, correlation_um, seed)[CELL] for label in (1, 2) for seed in (0, 1)]
    assert np.allclose(np.corrcoef(values), np.eye(4), atol=0.03)


def test_a_cell_does_not_see_the_others() -> None:
    """Neither in the same frame, nor in another where a neighbour has come."""
    alone = np.zeros((12, 40, 80), np.uint16)
    alone[ellipsoid(alone.shape, (6, 20, 20), (5, 15, 15))] = 5
    crowded = alone.copy()
    crowded[ellipsoid(alone.shape, (6, 20, 60), (5, 15, 15))] = 2
    for correlation_um in (0.0, 1.0):
        one, both = noise(alone, correlation_um), noise(crowded, correlation_um)
        assert np.array_equal(one[alone == 5], both[alone == 5])


def test_no_cells() -> None:
    assert not noise(np.zeros((2, 3, 4), np.uint16)).any()

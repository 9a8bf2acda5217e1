"""Grey values are told from labels, whatever image they come from."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import distance_transform_edt, gaussian_filter, zoom

from cytoform.movies.extents import measure
from cytoform.movies.grey import different_neighbours, grey_reason, is_nested, rims, scattered_labels

SHAPE = (14, 40, 40)


def reason(values: np.ndarray) -> str:
    labels = values.astype(np.uint16)
    return grey_reason(labels, measure(labels))


def balls(radius: float, *, n: int = 2) -> np.ndarray:
    """`n` touching balls in a row, labelled in the order of `rng`."""
    grid = np.indices(SHAPE)
    labels = np.zeros(SHAPE, np.uint16)
    for number in range(n):
        centre = np.array([7, 20, 20 + 2 * radius * (number - (n - 1) / 2)])
        labels[((grid - centre[:, None, None, None]) ** 2).sum(axis=0) <= radius**2] = number + 1
    return labels


IMAGES = {
    "noisy": lambda mask, rng: gaussian_filter(mask, 1) * 100 + 100 + rng.normal(0, 5, SHAPE),
    "dark": lambda mask, rng: np.maximum(gaussian_filter(mask, 1) * 50 + rng.normal(0, 2, SHAPE), 0),
    "photons": lambda mask, rng: rng.poisson(mask * 8 + 0.3),
    "probabilities": lambda mask, rng: gaussian_filter(mask, 1.5) * 255,
    "few levels": lambda mask, rng: 8 * np.round((gaussian_filter(mask, 1) * 40 + 100 + rng.normal(0, 3, SHAPE)) / 8),
    "distances": lambda mask, rng: distance_transform_edt(mask),
}


@pytest.mark.parametrize("kind", IMAGES)
@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 99), n=st.integers(1, 2), radius=st.floats(5.0, 6.5))
def test_grey_images_are_refused(kind, seed, n, radius):
    mask = (balls(radius, n=n) > 0).astype(float)
    assert reason(IMAGES[kind](mask, np.random.default_rng(seed)))


@settings(max_examples=30, deadline=None)
@given(
    radius=st.floats(2.0, 5.0),
    n=st.integers(1, 4),
    values=st.permutations(range(1, 60)),
    background=st.booleans(),
    specks=st.integers(0, 20),
    seed=st.integers(0, 99),
)
def test_label_images_never_are(radius, n, values, background, specks, seed):
    """Touching cells of any size and number, with specks, and with a background that has a label."""
    labels = balls(radius, n=n)
    table = np.array([values[-1] if background else 0, *values[:n]], np.uint16)
    labels = table[labels]
    places = np.random.default_rng(seed).integers(0, SHAPE, (specks, 3))
    labels[tuple(places.T)] = values[0]
    assert reason(labels) == ""


def test_cells_that_fill_space_are_labels():
    """Voronoi cells of four voxels across."""
    rng = np.random.default_rng(0)
    seeds = rng.permutation(10 * 10 * 4).reshape(4, 10, 10) + 1
    assert reason(seeds.repeat(4, axis=0).repeat(4, axis=1).repeat(4, axis=2)) == ""


def test_measures():
    labels = balls(5.0)
    assert 0 < different_neighbours(labels) < 0.1
    assert not is_nested(measure(labels))
    assert scattered_labels(labels, measure(labels)) == 0.0


@settings(max_examples=10, deadline=None)
@given(values=st.tuples(st.integers(20, 90), st.integers(120, 250)), factor=st.floats(1.2, 1.9))
def test_labels_that_were_resampled_by_interpolation(values, factor):
    labels = np.zeros((8, 30, 40), np.uint16)
    labels[2:7, 5:17, 4:16], labels[2:7, 12:24, 22:34] = values
    resampled = zoom(labels.astype(float), (1, factor, factor), order=1).round()
    assert reason(resampled)
    assert not reason(zoom(labels, (1, factor, factor), order=0))


def test_shells_of_few_distances():
    labels = np.zeros((12, 30, 44), np.uint16)
    labels[3:9, 4:18, 4:18] = labels[4:9, 8:18, 26:36] = 1
    assert "thin rims" in reason(distance_transform_edt(labels).round())


def test_thin_cells_are_no_rims():
    """Rods in the background, and sheets of two voxels side by side, of which fewer than half are all along another."""
    rods = np.zeros((9, 40, 40), np.uint16)
    for n in range(9):
        rods[4, 4 * n + 2 : 4 * n + 4, 5:30] = n + 1
    assert rims(rods, measure(rods)) == 0
    assert not reason(rods)
    assert rims(balls(5, n=3), measure(balls(5, n=3))) == 0

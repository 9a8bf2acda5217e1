"""Components of distance grids as a representation: independent splines by SciPy, and mirror images of real grids."""

import numpy as np
import pytest
import torch
from scipy.ndimage import map_coordinates

from cytoform.representations.linear.representation import PARITIES, Linear, folded, spline_basis, unfolded
from cytoform.representations.rotation import MIRRORS, to_matrix

NODES, EXTENT = 12, 0.8


@pytest.fixture
def decoder() -> Linear:
    rng = np.random.default_rng(3)
    made = Linear(nodes=NODES, components=9, knots=5, cut=3.0)
    made.extent.fill_(EXTENT)
    half = NODES // 2
    made.mean.copy_(torch.tensor(rng.normal(size=(half, half, half)), dtype=torch.float32))
    made.components.copy_(torch.tensor(rng.normal(size=(9, half, half, half)), dtype=torch.float32))
    made.odd.copy_(torch.tensor([*PARITIES[3], (True, False, True)], dtype=torch.uint8))
    return made


@pytest.fixture
def code() -> torch.Tensor:
    return torch.tensor(np.random.default_rng(4).normal(size=(5, 9)), dtype=torch.float32)


def whole_grid(decoder: Linear, weights: np.ndarray) -> np.ndarray:
    """The grid of coefficients, octant by octant."""
    half = NODES // 2
    found = np.empty((NODES,) * 3)
    for corner in np.ndindex(2, 2, 2):
        flips = tuple(axis for axis in range(3) if corner[axis] == 0)
        octant = decoder.mean.numpy().astype(float)
        for weight, component, odd in zip(weights, decoder.components.numpy(), decoder.odd.numpy(), strict=True):
            octant = octant + weight * component * (-1) ** sum(int(odd[axis]) for axis in flips)
        where = tuple(slice(half * c, half * (c + 1)) for c in corner)
        found[where] = np.flip(octant, flips)
    return found


def test_the_field_is_the_cubic_spline_through_the_grid(decoder: Linear, code: torch.Tensor) -> None:
    points = np.random.default_rng(5).uniform(-0.7, 0.7, (300, 3))
    time = 0.3
    weights = spline_basis(np.array([time]), 5)[0] @ code.numpy()
    places = (points[:, ::-1] / EXTENT + 1) * NODES / 2 - 0.5
    expected = map_coordinates(whole_grid(decoder, weights), places.T, order=3, mode="mirror", prefilter=False)
    given = torch.tensor(points, dtype=torch.float32)
    assert decoder.frame(code, time)(given).numpy() == pytest.approx(expected, abs=1e-4)
    found = decoder.distances(code[None], torch.tensor([time]), given[None])[0]
    assert found.numpy() == pytest.approx(expected, abs=1e-4)


def test_a_point_has_its_distance_among_any_others(decoder: Linear, code: torch.Tensor) -> None:
    frame = decoder.frame(code, 0.3)
    points = (
        torch.rand(40_000, 3, generator=torch.Generator().manual_seed(0)) * 2 - 1
    )  # more than a chunk; some beyond the grid
    assert torch.equal(frame(points), torch.cat([frame(few) for few in points.split(999)]))
    assert frame(points[:0]).shape == (0,)


def test_beyond_the_grid_the_way_to_it_is_added(decoder: Linear, code: torch.Tensor) -> None:
    frame = decoder.frame(code, 0.0)
    edge = EXTENT * (1 - 1 / NODES)  # the outermost nodes
    at_edge, beyond = frame(torch.tensor([[edge, 0.1, 0.2], [edge + 0.15, 0.1, 0.2]]))
    assert float(beyond - at_edge) == pytest.approx(0.15, abs=1e-5)


def test_a_scaled_and_turned_cell_is_the_same_cell(decoder: Linear, code: torch.Tensor) -> None:
    points = torch.tensor(np.random.default_rng(6).uniform(-0.4, 0.4, (50, 3)), dtype=torch.float32)
    turn = to_matrix(torch.tensor([[0.9, 0.1, -0.3, 0.2]]))[0]
    plain = decoder.frame(code, -0.2)(points)
    placed = decoder.frame(code, -0.2, rotation=turn, variables={"scale": torch.tensor([1.7])})(1.7 * points @ turn)
    assert placed.numpy() == pytest.approx(1.7 * plain.numpy(), abs=1e-4)


def test_mirror_images_of_a_cell_have_its_code_but_for_signs(decoder: Linear, code: torch.Tensor) -> None:
    points = torch.tensor(np.random.default_rng(7).uniform(-1, 1, (50, 3)), dtype=torch.float32)
    plain = decoder.frame(code, 0.5)(points)
    images = decoder.images(code.numpy()[None])
    for image, mirror in zip(images, MIRRORS[3], strict=True):
        assert np.array_equal(np.abs(image), np.abs(code.numpy()))
        found = decoder.frame(torch.tensor(image), 0.5)(points * torch.tensor(mirror))
        assert found.numpy() == pytest.approx(plain.numpy(), abs=1e-5)
    assert len(np.unique(images.reshape(8, -1), axis=0)) == 8


def test_the_gradient_is_that_of_the_field(decoder: Linear, code: torch.Tensor) -> None:
    points = torch.tensor([[0.1, 0.2, -0.3], [-0.4, 0.05, 0.33]])
    step = 1e-2
    frame = decoder.frame(code, 0.1)
    differences = torch.stack([(frame(points + s) - frame(points - s)) / (2 * step) for s in step * torch.eye(3)], 1)
    assert decoder.gradient(code, 0.1, points).numpy() == pytest.approx(differences.numpy(), rel=0.05, abs=0.05)


@pytest.mark.parametrize("parity", PARITIES[3])
def test_parts_of_a_parity_are_found_again(parity: tuple[bool, bool, bool]) -> None:
    octant = np.random.default_rng(8).normal(size=(4, 4, 4))
    grid = unfolded(torch.tensor(octant), parity).numpy()
    for other in PARITIES[3]:
        expected = octant if other == parity else np.zeros((4, 4, 4))
        assert folded(grid, other) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("knots", [1, 2, 3, 4, 9])
def test_the_spline_basis_sums_to_one(knots: int) -> None:
    basis = spline_basis(np.linspace(-1, 1, 21), knots)
    assert basis.shape == (21, knots)
    assert basis.sum(axis=1) == pytest.approx(np.ones(21))

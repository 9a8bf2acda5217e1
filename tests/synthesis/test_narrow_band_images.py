"""The narrow band of images against the dense grid."""

import pytest
import torch
from torch import Tensor

from cytoform.representations.bounds import LENGTHS, Bounds
from cytoform.synthesis.narrow_band import evaluate_all, search

CPU = torch.device("cpu")
EXACT = Bounds.of_slope(1.0)
SMOOTH = Bounds(1.0, LENGTHS, tuple(2 * width**2 for width in LENGTHS))


@pytest.mark.parametrize("bounds", [EXACT, SMOOTH], ids=["exact", "smooth"])
@pytest.mark.parametrize("n", [8, 61, 256])
@pytest.mark.parametrize("centre", [(0.0, 0.0), (0.37, -0.61)])
def test_discs(bounds: Bounds, n: int, centre: tuple[float, float]) -> None:
    def evaluate(points: Tensor) -> Tensor:
        assert points.shape[1] == 2
        return (points - torch.tensor(centre)).norm(dim=1) - 0.35

    band = 2 / n
    box = search(evaluate, n, bounds=bounds, band=band, device=CPU, n_dims=2)
    dense = evaluate_all(evaluate, n, device=CPU, n_dims=2).distances
    assert dense.shape == (n, n)
    whole = torch.full((n, n), float("inf"))
    whole[tuple(slice(low, low + size) for low, size in zip(box.corner_zyx, box.distances.shape, strict=True))] = (
        box.distances
    )
    assert torch.equal(whole <= 0, dense <= 0)
    near = dense.abs() <= band
    assert torch.equal(whole[near], dense[near])
    if n == 256:
        assert box.n_evaluated < n**2 / 4

"""The narrow band of images against the dense grid."""

from dataclasses import dataclass

import numpy as np
import pytest
import torch
from torch import Tensor

import cytoform
from cytoform.representations.bounds import LENGTHS, Bounds
from cytoform.shapes.grid import Grid
from cytoform.synthesis.narrow_band import evaluate_all, search
from cytoform.synthesis.render import render_frame
from cytoform.zoo.find import find_run

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


def test_a_small_grid_of_components_is_evaluated_whole() -> None:
    cells = cytoform.load(find_run("zoo:mitosis-2d"))
    field = cells.field(cells.codes[0])
    frame = field.at(0.0)
    asked: list[int] = []

    @dataclass(frozen=True)
    class Counted:
        n_quick: int
        device: torch.device = frame.device

        def __call__(self, points: Tensor) -> Tensor:
            asked.append(len(points))
            return frame(points)

    found, parts = {}, {}
    for n_quick in (0, 48**2):
        asked.clear()
        found[n_quick] = render_frame(Counted(n_quick), Grid(48, 1.0, 2), bounds=field.bounds).sdf_um()
        parts[n_quick] = list(asked)
    assert np.array_equal(*found.values())
    assert parts[48**2] == [48**2]
    assert len(parts[0]) > 1
    assert sum(parts[0]) < 48**2
    assert frame.n_quick >= 64**2  # the grid on which cells of scenes are tried

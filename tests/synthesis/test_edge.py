"""The edge of a grid tells whether the cell, rendered, would be cut."""

import numpy as np
import pytest
import torch
from jaxtyping import Float

from cytoform.representations.bounds import Bounds
from cytoform.representations.parts.frame import PartsFrame, PlacedFrame
from cytoform.representations.representation import Frame
from cytoform.representations.rotation import random, to_matrix
from cytoform.shapes.grid import Grid
from cytoform.shapes.tubes import Tube
from cytoform.synthesis.edge import Edge
from cytoform.synthesis.render import render_frame

BOUNDS = Bounds.of_slope(1.0)


class Ball:
    """A ball, or a disk, of radius 0.5, that keeps how many points it was asked for."""

    device = torch.device("cpu")

    def __init__(self, along_x: float = 0.0) -> None:
        self.along_x = along_x
        self.asked: list[int] = []

    def __call__(self, points: Float[torch.Tensor, "n dims"]) -> Float[torch.Tensor, " n"]:
        self.asked.append(len(points))
        return (points - torch.eye(points.shape[1])[0] * self.along_x).norm(dim=1) - 0.5


class Turned:
    """A frame that is seen in another pose."""

    device = torch.device("cpu")

    def __init__(self, frame: Frame, matrix: Float[torch.Tensor, "dims dims"]) -> None:
        self.frame, self.matrix = frame, matrix

    def __call__(self, points: Float[torch.Tensor, "n dims"]) -> Float[torch.Tensor, " n"]:
        return self.frame(points @ self.matrix.T)


def spiked(length: float) -> PartsFrame:
    """A ball with a tube that ends `length` from the centre of the cube."""
    line = np.linspace([0.4, 0, 0], [length - 0.04, 0, 0], 8)
    return PartsFrame(PlacedFrame(Ball()), [Tube(line, np.full(8, 0.04))], 0.03)


def test_turned_cells_cover_the_edge_where_the_whole_grid_would_cut_them() -> None:
    turns = to_matrix(random(6, np.random.default_rng(2)))
    spikes = [(spiked(length), 3) for length in (0.9, 1.1, 1.3)]
    disks = [(Ball(shift), 2) for shift in (0.45, 0.5)]
    found = []
    for frame, n_dims in [*spikes, *disks]:
        for turn in turns:
            matrix = turn if n_dims == 3 else to_matrix(torch.tensor([[turn[0, 0], 0, 0, turn[0, 1]]]), 2)[0]
            rendered = render_frame(Turned(frame, matrix), Grid(24, 1.0, n_dims), bounds=BOUNDS, method="dense")
            covered = Edge.of(24, n_dims).turned(matrix).is_covered(frame, BOUNDS)
            assert covered or not rendered.is_cut
            assert covered == rendered.is_cut or isinstance(frame, PartsFrame)
            found.append(rendered.is_cut)
    assert 5 < sum(found) < len(found) - 5


def test_voxels_far_from_the_surface_are_not_looked_at() -> None:
    ball, edge = Ball(), Edge.of(64, 3)
    assert not edge.is_covered(ball, BOUNDS)
    assert ball.asked == [len(edge.centres)]


@pytest.mark.parametrize(("along_x", "covers"), [(0.9, False), (0.99, True)])
def test_a_tube_between_the_voxels_is_seen_since_a_finer_grid_would_cut_it(along_x: float, covers: bool) -> None:
    line = np.array([[0.4, 0, 0], [along_x, 0, 0]])
    thin = PartsFrame(PlacedFrame(Ball()), [Tube(line, np.full(2, 0.02))], 0.01)
    turn = to_matrix(random(1, np.random.default_rng(4)))[0]
    coarse, fine = (render_frame(thin, Grid(size, 1.0, 3), bounds=BOUNDS, method="dense") for size in (24, 128))
    assert (coarse.is_cut, fine.is_cut) == (False, covers)
    assert Edge.of(24, 3).is_covered(thin, BOUNDS) == covers
    turned = PartsFrame(PlacedFrame(Ball()), [Tube(line @ turn.double().numpy().T, np.full(2, 0.02))], 0.01)
    assert Edge.of(24, 3).turned(turn).is_covered(turned, BOUNDS) == covers

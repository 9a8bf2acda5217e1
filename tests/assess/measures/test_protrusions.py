"""Protrusions of shapes that have none, and of balls with filopodia of known number and length."""

import sys

import numpy as np
import pytest

from cytoform.assess.measures.protrusions import protrusion_lengths_um
from cytoform.shapes.grid import Grid
from cytoform.simulate.analytic import Ball, Capsule, DividingPair, SpikedBall, Torus

GRID = Grid(64, 8.0)
CENTRE = (8.03, 7.96, 8.05)
POINTS = GRID.points_zyx_um()


def lengths(distances_um: np.ndarray, grid: Grid = GRID) -> np.ndarray:
    return protrusion_lengths_um((distances_um <= 0).reshape(grid.shape), grid.spacing_um)


def with_filopodia(*directions_zyx: tuple[float, float, float], reach_um: float = 7.0) -> np.ndarray:
    """A ball of 3.2 µm with filopodia of 0.4 µm around the centre of the cube."""
    away = POINTS - CENTRE
    found = np.linalg.norm(away, axis=1) - 3.2
    for direction in directions_zyx:
        unit = np.array(direction) / np.linalg.norm(direction)
        along = np.clip(away @ unit, 0, reach_um - 0.4)
        found = np.minimum(found, np.linalg.norm(away - along[:, None] * unit, axis=1) - 0.4)
    return found


def ellipsoid(*axes_zyx_um: float) -> np.ndarray:
    return np.linalg.norm((POINTS - CENTRE) / axes_zyx_um, axis=1) - 1


SMOOTH = {
    "ball": Ball(4.0, centre_zyx_um=CENTRE).distance_um(POINTS),
    "capsule": Capsule(2.0, 6.0, CENTRE).distance_um(POINTS),
    "thin capsule": Capsule(0.8, 10.0, CENTRE).distance_um(POINTS),
    "torus": Torus(4.5, 1.5, CENTRE).distance_um(POINTS),
    "ellipsoid": ellipsoid(3.0, 4.0, 6.0),
    "disc": ellipsoid(1.5, 6.0, 6.0),
    "dumbbell": DividingPair(3.0, 4.0, CENTRE).distance_um(POINTS, 1.0),
    "two daughters": DividingPair(2.5, 6.0, CENTRE).distance_um(POINTS, 1.0),
}


@pytest.mark.parametrize("name", SMOOTH)
def test_smooth_shapes_have_none(name: str) -> None:
    assert len(lengths(SMOOTH[name])) == 0


DIRECTIONS = [(0, 0, 1), (1, 0.2, -0.3), (-0.4, 1, -0.5), (-1, -0.8, 0.4), (0.5, -1, -0.9)]


@pytest.mark.parametrize("k", [1, 2, 3, 5])
def test_filopodia_are_counted_and_measured(k: int) -> None:
    """To within two voxels, or 12 % of the length: a skeleton zigzags."""
    assert lengths(with_filopodia(*DIRECTIONS[:k])) == pytest.approx([3.8] * k, abs=0.5)


@pytest.mark.parametrize("k", [0, 3])
def test_without_diplib_the_skeleton_is_of_scikit_image(k: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "diplib", None)
    assert lengths(with_filopodia(*DIRECTIONS[:k])) == pytest.approx([3.8] * k, abs=0.6)


def test_length_follows_the_filopodium() -> None:
    found = [lengths(SpikedBall(3.2, 0.4, reach, CENTRE).distance_um(POINTS))[0] for reach in (5.2, 6.2, 7.2)]
    assert found == pytest.approx([2, 3, 4], abs=0.3)


def test_longest_first_and_a_fork_counts_twice() -> None:
    """A filopodium with a branch of 2 µm halfway: the main one, and the branch from where it leaves."""
    away = POINTS - CENTRE
    main = with_filopodia((0, 0, 1))
    fork = np.array([0, 0, 5.0])
    unit = np.array([0, 1.0, 0.0])
    along = np.clip((away - fork) @ unit, 0, 2.0)
    branch = np.linalg.norm(away - fork - along[:, None] * unit, axis=1) - 0.4
    found = lengths(np.minimum(main, branch))
    assert found == pytest.approx([3.8, 2.0], abs=0.5)


def test_roughness_of_a_voxel_and_specks_are_none() -> None:
    mask = (Ball(4.0, centre_zyx_um=CENTRE).distance_um(POINTS) <= 0).reshape(GRID.shape)
    rng = np.random.default_rng(0)
    shell = (np.abs(Ball(4.0, centre_zyx_um=CENTRE).distance_um(POINTS)) < GRID.spacing_um).reshape(GRID.shape)
    mask |= shell & (rng.random(GRID.shape) < 0.05)
    mask[2:4, 2, 2:20] = True
    assert len(protrusion_lengths_um(mask, GRID.spacing_um)) == 0


def test_each_daughter_has_her_own() -> None:
    """A small ball with a filopodium beside a large ball."""
    small = SpikedBall(1.5, 0.4, 4.0, (4.0, 4.0, 4.0)).distance_um(POINTS)
    found = lengths(np.minimum(small, Ball(3.0, centre_zyx_um=(11, 11, 8)).distance_um(POINTS)))
    assert found == pytest.approx([2.5], abs=0.4)

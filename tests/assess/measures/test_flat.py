"""Measures of cells in images, on shapes whose exact figures are known."""

import math
from pathlib import Path

import numpy as np
import pytest
from flat import FLAT, box, disc, ellipse, write_flat
from scipy.special import ellipe

from cytoform.assess.measures.flat import FlatDescriptors
from cytoform.assess.measures.kinds import MEASURES
from cytoform.assess.measures.masks import topology
from cytoform.assess.measures.sequence_descriptors import describe_sequence
from cytoform.assess.measures.sequences import measure_cell
from cytoform.assess.measures.surface_distance import surface_distance
from cytoform.shapes.boundary import boundary_from_distance

OFF = (0.06, -0.07)  # off the lattice, as cells are


def measured(sdf_um: np.ndarray) -> FlatDescriptors:
    found = MEASURES[2].describe(sdf_um, boundary_from_distance(sdf_um, FLAT.spacing_um), FLAT.spacing_um)
    assert isinstance(found, FlatDescriptors)
    return found


SHAPES = {
    "disc": (disc(5.0, shift_yx_um=OFF), math.pi * 25, 10 * math.pi, 1.0),
    "ellipse": (ellipse((3.0, 6.0), shift_yx_um=OFF), math.pi * 18, 4 * 6 * ellipe(0.75), 2.0),
    "rectangle": (box((2.5, 5.0), shift_yx_um=OFF), 50.0, 30.0, 2.0),
}


@pytest.mark.parametrize("name", SHAPES)
def test_exact_shapes(name: str) -> None:
    sdf_um, area_um2, perimeter_um, longer = SHAPES[name]
    found = measured(sdf_um)
    assert found.area_um2 == pytest.approx(area_um2, rel=0.02)
    assert found.perimeter_um == pytest.approx(perimeter_um, rel=0.015)
    # Marching squares cut corners that are sharp.
    assert found.circularity == pytest.approx(4 * math.pi * area_um2 / perimeter_um**2, rel=0.03)
    assert found.elongation == pytest.approx(longer, rel=0.01)
    assert found.solidity == pytest.approx(1, abs=0.005)
    assert found.protrusions == 0
    # A closed convex outline turns once.
    assert found.curvature_per_um == pytest.approx(2 * math.pi / perimeter_um, rel=0.015)


def test_curvature_spread() -> None:
    """0 for a disc; of an ellipse that of its true curvature, smoothed a little."""
    angle = np.linspace(0, 2 * np.pi, 4001)[:-1]
    speed = np.hypot(6 * np.sin(angle), 3 * np.cos(angle))
    curvature = 18 / speed**3
    mean = np.average(curvature, weights=speed)
    true = np.sqrt(np.average((curvature - mean) ** 2, weights=speed))
    assert measured(SHAPES["disc"][0]).curvature_spread_per_um < 0.01
    assert measured(SHAPES["ellipse"][0]).curvature_spread_per_um == pytest.approx(true, rel=0.15)


def test_a_disc_with_an_arm() -> None:
    arm = box((0.4, 3.0), shift_yx_um=(0.0, 4.0))
    found = measured(np.minimum(disc(3.0), arm))
    assert found.protrusions == 1
    assert found.protrusion_longest_um == pytest.approx(4.0, abs=0.5)
    assert found.solidity < 0.9


def test_topology() -> None:
    """Pieces less holes; pixels that touch at corners are connected."""
    two = np.minimum(disc(2.0, shift_yx_um=(0, -4.0)), disc(2.0, shift_yx_um=(0, 4.0)))
    ring = np.maximum(disc(5.0), -disc(2.0))
    found = [topology(shape <= 0) for shape in (disc(5.0), two, ring)]
    assert [(each.components, each.euler) for each in found] == [(1, 1), (2, 2), (1, 0)]
    assert topology(np.eye(4, dtype=bool)).components == 1


def test_distance_of_outlines() -> None:
    a, b = (boundary_from_distance(disc(radius), FLAT.spacing_um) for radius in (4.0, 5.0))
    found = surface_distance(a, b)
    assert found.assd_um == pytest.approx(1, abs=0.02)
    assert found.hd95_um == pytest.approx(1, abs=0.05)
    assert found.normal_consistency == pytest.approx(1, abs=0.01)


def test_a_sequence_that_divides(tmp_path: Path) -> None:
    halves = [
        np.minimum(disc(3.0, shift_yx_um=(0, -apart)), disc(3.0, shift_yx_um=(0, apart)))
        for apart in (0, 2.0, 3.6, 4.5)
    ]
    path = write_flat(tmp_path / "a.zarr", {"a": [*halves, np.full(FLAT.shape, 1.0, np.float32)]})
    cell = measure_cell([path, path], "a")
    [sequence, _] = cell.sequences
    assert sequence.n_bodies == (1, 1, 2, 2, 0)
    assert [frame.topology.components for frame in sequence.frames] == [1, 1, 2, 2, 0]
    assert sequence.dynamics.splits == 1
    assert sequence.frames[-1].descriptors == MEASURES[2].empty
    assert {pair.jaccard for pair in cell.pairs[0]} == {1.0}
    found = describe_sequence(halves, FLAT.spacing_um)
    assert found["division_frame"] == 2
    assert found["pieces"] == 1
    assert found["area_um2"] == pytest.approx(np.mean([(half <= 0).sum() / 16 for half in halves]))
    one = describe_sequence([disc(5.0)], FLAT.spacing_um)
    assert one["longest_protrusion_um"] == pytest.approx(0, abs=0.1)
    assert one["circularity"] == pytest.approx(1, abs=0.01)

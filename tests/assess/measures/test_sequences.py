"""Measures of sequences: frames are measured in boxes, and give what whole volumes give."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from stores import GRID, ball, empty, write_store

from cytoform.assess.measures.dynamics import Bodies, FrameState, step
from cytoform.assess.measures.masks import jaccard
from cytoform.assess.measures.sequences import measure_cell, measure_frame, measure_sequence
from cytoform.shapes.mesh import mesh_from_distance
from cytoform.shapes.store import ShapeStore

# A ball that moves, divides, loses a daughter to the corner of the cube, and is gone.
TWO = np.minimum(ball(2.0, shift_zyx_um=(0, 0, -3.0)), ball(2.5, shift_zyx_um=(0, 1.0, 3.0)))
CORNER = ball(3.0, shift_zyx_um=(-6.5, -6.5, -6.5))
FRAMES = [ball(3.0), ball(3.0, shift_zyx_um=(1.0, -2.0, 0.5)), TWO, CORNER, empty(), TWO]
OTHERS = [ball(2.5), empty(), ball(3.0), TWO, empty(), ball(2.0, shift_zyx_um=(5.0, 5.0, 5.0))]


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    home = tmp_path_factory.mktemp("sequences")
    return [write_store(home / f"{n}.zarr", {"s": frames}) for n, frames in enumerate((FRAMES, OTHERS, FRAMES))]


def test_pairs_are_those_of_whole_masks(stores: list[Path]) -> None:
    cell = measure_cell(stores, "s")
    assert cell.name == "s"
    expected = [jaccard(a <= 0, b <= 0) for a, b in zip(FRAMES, OTHERS, strict=True)]
    assert [pair.jaccard for pair in cell.pairs[0]] == expected
    assert [pair.jaccard for pair in cell.pairs[1]] == [1.0] * len(FRAMES)
    assert [pair.assd_um for pair in cell.pairs[1]] == pytest.approx([0.0] * len(FRAMES), abs=1e-6)
    assert repr(cell.sequences[0]) == repr(measure_sequence(stores[0], "s"))


def test_steps_are_those_of_whole_masks(stores: list[Path]) -> None:
    for path, frames in zip(stores, (FRAMES, OTHERS), strict=False):
        found = measure_sequence(path, "s")
        states = [
            FrameState(measured.descriptors, sdf_um <= 0, Bodies.of(sdf_um <= 0))
            for measured, sdf_um in zip(found.frames, frames, strict=True)
        ]
        expected = [step(before, after) for before, after in pairwise(states)]
        assert repr(found.steps) == repr(tuple(expected))  # as text, in which NaN equals NaN
        assert found.n_bodies == tuple(state.bodies.n for state in states)


def test_surfaces_lie_where_the_cell_is(stores: list[Path]) -> None:
    sequence = ShapeStore.open(stores[0])["s"]
    for t in range(4):
        mesh = measure_frame(sequence, t).boundary
        whole = mesh_from_distance(sequence.sdf_um(t), GRID.spacing_um)
        assert mesh is not None
        assert mesh.vertices_xyz_um == pytest.approx(whole.vertices_xyz_um, abs=1e-5)
        assert np.array_equal(mesh.faces, whole.faces)
    assert measure_frame(sequence, 4).boundary is None

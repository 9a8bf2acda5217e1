"""Protrusions alone: identical frames, a missing spike, a moved one, a larger body."""

import math
from pathlib import Path

import numpy as np
import pytest
from protruding import GRID, RADIUS_UM, boxed, spike
from spikes import CENTRE, FRONT, SIDE, UP, spiky, united
from stores import empty, write_store

from cytoform.assess.measures.masks import jaccard
from cytoform.assess.measures.protrusion_tracks import TakenApart
from cytoform.assess.measures.sequences import measure_cell
from cytoform.assess.measures.thin_parts import ThinParts, compare_thin_parts
from cytoform.protrusions.body import body_of

THREE = {UP: 2.0, FRONT: 2.0, SIDE: 2.0}


def compared(a: np.ndarray, b: np.ndarray, *, tight: bool = False) -> ThinParts:
    fields = [boxed(each).tight(2) if tight else boxed(each) for each in (a, b)]
    first, second = ((each, TakenApart.of(each, RADIUS_UM)) for each in fields)
    return compare_thin_parts(first, second)


def test_identical_frames_give_1() -> None:
    assert compared(spiky(THREE), spiky(THREE)) == ThinParts(1.0, 1.0)


@pytest.mark.parametrize("tight", [True, False])
@pytest.mark.parametrize("swapped", [True, False])
def test_a_missing_spike_of_three(*, swapped: bool, tight: bool) -> None:
    """All centre lines of one side are found in the other, two thirds the other way: 2 · 1 · ⅔ / (1 + ⅔)."""
    pair = spiky(THREE), spiky({UP: 2.0, FRONT: 2.0})
    whole = jaccard(pair[0] <= 0, pair[1] <= 0)
    found = compared(*(pair[::-1] if swapped else pair), tight=tight)
    assert found.centre_line_dice == pytest.approx(0.8, abs=0.02)
    assert found.thin_jaccard == pytest.approx(2 / 3, abs=0.03)
    assert whole > 0.95


def test_voxels_are_those_outside_the_body_of_the_reference() -> None:
    a, b = spiky(THREE), spiky({UP: 1.6, FRONT: 2.4})
    body = body_of(boxed(a), RADIUS_UM).box_sdf_um
    outside = body > 0.6 * GRID.spacing_um
    assert compared(a, b).thin_jaccard == pytest.approx(jaccard((a <= 0) & outside, (b <= 0) & outside))


def test_a_moved_spike_is_not_found_by_its_centre_line() -> None:
    moved = compared(spiky({UP: 2.0}), spiky({(1.0, 0.5, 0.0): 2.0}))
    assert moved.centre_line_dice < 0.25
    # By one voxel of three it still is, while the Jaccard index falls to a half.
    beside = spike(np.array(UP), 2.0, centre=CENTRE + np.array([0, GRID.spacing_um, 0]))
    shifted = compared(spiky({UP: 2.0}), united(beside))
    assert shifted.centre_line_dice > 0.85
    assert shifted.thin_jaccard == pytest.approx(0.5, abs=0.05)


def test_what_is_undefined() -> None:
    bare, one = spiky({}), spiky({UP: 2.0})
    assert compared(one, bare).centre_line_dice == 0
    assert compared(bare, one).centre_line_dice == 0
    assert math.isnan(compared(bare, bare).centre_line_dice)
    nothing = compared(empty(GRID), one)
    assert math.isnan(nothing.thin_jaccard)
    assert math.isnan(nothing.centre_line_dice)
    assert compared(one, empty(GRID)) == ThinParts(0.0, 0.0)


def test_pairs_of_stores(tmp_path: Path) -> None:
    frames = {"a.zarr": [spiky(THREE), spiky(THREE)], "b.zarr": [spiky(THREE), spiky({UP: 2.0, FRONT: 2.0})]}
    stores = [write_store(tmp_path / name, {"s": each}, grid=GRID) for name, each in frames.items()]
    same, lacking = measure_cell(stores, "s", RADIUS_UM).pairs[0]
    assert (same.value("thin_jaccard"), same.value("centre_line_dice"), same.value("jaccard")) == (1, 1, 1)
    assert lacking.value("centre_line_dice") == pytest.approx(0.8, abs=0.02)
    assert lacking.value("jaccard") > 0.95
    plain = measure_cell(stores, "s").pairs[0][1]
    assert plain.thin is None
    assert math.isnan(plain.value("thin_jaccard"))

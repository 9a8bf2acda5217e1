"""Notices about shapes, and what --strict makes of them."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cytoform.errors import InputError
from cytoform.prepare import prepare

GRID = 24


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(frame=st.integers(0, 2), gap=st.integers(1, 20))
def test_two_cells_under_one_label_are_named(frame, gap, write, tmp_path_factory):
    """Whatever the frame, and however far they lie apart beyond half a radius."""
    folder = tmp_path_factory.mktemp("pieces")
    frames = np.zeros((3, 24, 60, 48), np.uint16)
    frames[:, 8:16, 4:24, 10:26] = 3
    frames[frame, 8:16, 24 + gap : 34 + gap, 10:26] = 3
    prepared = prepare([write["ome-tiff"](folder / "m", frames)], folder / "s.zarr", grid_size=GRID)
    lines = [line for line in prepared.notices if "pieces" in line]
    # A radius of 2.5 µm and voxels of 0.2 µm.
    if gap * 0.2 > 1.5:
        (line,) = lines
        assert f"m.ome.tif, frame {frame}: label 3 lies in 2 pieces, one with 33 % of it" in line
    if gap * 0.2 < 1.0:
        assert lines == []


def test_an_outline_is_named(write, division, tmp_path):
    from scipy.ndimage import binary_erosion

    shells = np.stack([np.where(binary_erosion(frame > 0), 0, frame) for frame in division[:3]]).astype(np.uint16)
    prepared = prepare([write["ome-tiff"](tmp_path / "m", shells)], tmp_path / "s.zarr", grid_size=GRID)
    (line,) = prepared.notices
    assert "m.ome.tif, frame 0: label 7 is hollow, " in line
    assert "give filled cells if these are outlines" in line


def test_a_missing_background_is_named(write, division, tmp_path):
    filled = np.where(division[:3] > 0, division[:3], 99)
    prepared = prepare([write["ome-tiff"](tmp_path / "m", filled)], tmp_path / "s.zarr", grid_size=GRID)
    assert (prepared.n_families, [lost.root for lost in prepared.left_out]) == (1, [99])
    assert (
        "frame 0: no voxel is 0; label 99 seems to be the background, write the background as 0" in prepared.notices[0]
    )


def test_strict_refuses_notices_and_faulty_families_but_not_the_border(write, division, tmp_path):
    cut = division[3:].copy()
    cut[0, 12, 0, 24] = 40
    fine = prepare([write["ome-tiff"](tmp_path / "cut", cut)], tmp_path / "s.zarr", grid_size=GRID, strict=True)
    assert (fine.n_families, len(fine.left_out)) == (1, 1)
    gap = division[3:].copy()
    gap[1][gap[1] == 40] = 0
    source = write["ome-tiff"](tmp_path / "gap", gap)
    assert prepare([source], tmp_path / "t.zarr", grid_size=GRID).n_families == 1
    with pytest.raises(InputError, match=r"gap.ome.tif, frame 1: label 40 has no voxels .*refused by --strict"):
        prepare([source], tmp_path / "u.zarr", grid_size=GRID, strict=True)
    assert not (tmp_path / "u.zarr").exists()

"""`cytoform info` of movies: what `prepare` will make of them."""

import numpy as np
import pytest
import tifffile

from cytoform.errors import InputError
from cytoform.prepare import prepare
from cytoform.reports.contents import info


def facts(path) -> dict[str, str]:
    """The facts of the only movie by name; of several of a name, the first."""
    lines = [line for line in info(path) if line.startswith("    ")]
    return {line[4:15].strip(): line[16:] for line in reversed(lines)}


def test_it_says_where_everything_comes_from(write, division, tmp_path):
    root = write["challenge"](tmp_path / "cells", division)
    found = facts(root)
    assert found["files"] == f"6, {root}/01_GT/SEG/man_seg000.tif to man_seg005.tif"
    assert found["shapes"] == "01_GT/SEG"
    assert found["axes"] == "one file a frame, each z y x"
    assert found["voxel size"] == found["time step"] == "from ImageJ tags"
    assert found["lineage"] == f"{root}/01_GT/TRA/man_track.txt"
    assert found["labels"] == "3, 3 of them in more than one frame"
    assert found["prepare"] == "1 family, 6 frames, 0 left out"


@pytest.mark.parametrize("kind", ["ome-tiff", "imagej", "folder", "challenge", "ome-zarr-0.5"])
def test_it_says_what_prepare_does(kind, write, division, tmp_path):
    cut = division.copy()
    cut[4, 12, 0, 24] = 40
    source = write[kind](tmp_path / "cells", cut)
    found = facts(source)
    if kind == "challenge":
        with pytest.raises(InputError) as refusal:
            prepare([source], tmp_path / "s.zarr", grid_size=24)
        assert found["refused"] == str(refusal.value)
        return
    prepared = prepare([source], tmp_path / "s.zarr", grid_size=24)
    assert found["prepare"] == f"{prepared.n_families} families, {prepared.n_frames} frames, 1 left out"
    assert found["lineage"] == "none: every label counts as a cell of its own"
    assert found["left out"].startswith("cells_00040, label 40 is cut by the border in frame 4")
    assert [line[16:] for line in info(source) if line.startswith("    notice")] == list(prepared.notices)


def test_what_is_missing_or_wrong_is_said(write, division, tmp_path):
    bare = tmp_path / "bare.tif"
    tifffile.imwrite(bare, division[:3], photometric="minisblack")
    assert "voxels not recorded" in info(bare)[1]
    assert facts(bare)["refused"] == "the voxel size is not recorded; pass --voxel-size Z Y X in micrometres"
    anew = np.where(division[3:] == 40, 300, np.where(division[3:] == 300, 40, 0))
    swapped = write["imagej"](tmp_path / "swapped", np.stack([division[3], anew[1], division[5]]).astype(np.uint16))
    assert "the labels do not follow the cells" in facts(swapped)["refused"]
    (tmp_path / "movies").mkdir()
    write["imagej"](tmp_path / "movies" / "cells", division[:3])
    write["ome-tiff"](tmp_path / "movies" / "cells", division[:3])
    (tmp_path / "movies" / "broken.tif").write_text("x")
    lines = info(tmp_path / "movies")
    assert lines[0] == "2 label movies"
    assert any("the same label images as" in line for line in lines)
    assert any("refused" in line and "broken.tif: not a TIFF file" in line for line in lines)


def test_images_over_time_are_described(tmp_path):
    tifffile.imwrite(tmp_path / "p.ome.tif", np.ones((3, 9, 9), np.uint8), metadata={"axes": "TYX"}, ome=True)
    lines = info(tmp_path / "p.ome.tif")
    assert "3 × 9 × 9 (t y x)" in lines[1]
    assert not any("2D" in line for line in lines)

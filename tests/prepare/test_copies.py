"""The same label images twice, and one movie in parts."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from cytoform.prepare import prepare
from cytoform.shapes.store import ShapeStore

GRID = 24


@pytest.mark.parametrize("kind", ["imagej", "folder", "ome-zarr-0.5"])
def test_a_copy_of_the_same_name_is_left_out(kind, write, division, tmp_path):
    (tmp_path / "other").mkdir()
    sources = [write["ome-tiff"](tmp_path / "cells", division[:3]), write[kind](tmp_path / "other/cells", division[:3])]
    prepared = prepare(sources, tmp_path / "s.zarr", grid_size=GRID)
    assert (prepared.n_families, prepared.n_frames) == (1, 3)
    (line,) = prepared.notices
    assert "the same label images as" in line
    assert line.endswith("; left out")
    attributes = ShapeStore.open(tmp_path / "s.zarr").attributes
    assert len(attributes["notices"]) == len(attributes["copies"]) == 1
    assert str(tmp_path) not in attributes["notices"][0]


def test_a_copy_of_another_name_is_said(write, division, tmp_path):
    sources = [write["ome-tiff"](tmp_path / name, division[:3]) for name in ("one", "two")]
    prepared = prepare(sources, tmp_path / "s.zarr", grid_size=GRID)
    assert prepared.n_families == 2
    (line,) = prepared.notices
    assert f"{sources[1]}: the same label images as {sources[0]}; its cells count twice" in line
    (failure,) = prepare(sources, tmp_path / "t.zarr", grid_size=GRID, strict=True).failures
    assert failure.reason == f"{line} (refused by --strict)"


def test_the_longer_copy_stays_and_another_scale_is_said(write, division, tmp_path):
    part = write["ome-tiff"](tmp_path / "cells_first", division[:2])
    whole = write["ome-tiff"](tmp_path / "cells", division[:3])
    part.write_bytes(part.read_bytes().replace(b'PhysicalSizeX="0.25"', b'PhysicalSizeX="0.50"'))
    prepared = prepare([part, whole], tmp_path / "s.zarr", grid_size=GRID)
    assert prepared.n_frames == 3
    assert (
        f"{part}: the same label images as {whole}, with voxels of 0.5 0.2 0.5 µm where it has" in prepared.notices[0]
    )


def test_a_copy_is_not_added_when_a_broken_movie_is_mended(write, division, tmp_path):
    folder = tmp_path / "movies"
    folder.mkdir()
    write["ome-tiff"](folder / "cells", division[:3])
    shutil.copy(folder / "cells.ome.tif", folder / "cells_copy.ome.tif")
    broken = write["ome-tiff"](folder / "other", division[3:])
    whole = broken.read_bytes()
    broken.write_text("x")
    assert prepare([folder], tmp_path / "s.zarr", grid_size=GRID).n_families == 1
    broken.write_bytes(whole)
    assert prepare([folder], tmp_path / "s.zarr", grid_size=GRID, resume=True).n_families == 2
    assert ShapeStore.open(tmp_path / "s.zarr").names == ["cells", "other_00040", "other_00300"]


def test_a_movie_in_parts_is_said(write, division, tmp_path):
    place = tmp_path / "movies"
    place.mkdir()
    for name, frames in (("part1", division[3:5]), ("part2", division[5:6].repeat(2, axis=0))):
        write["ome-tiff"](place / name, frames)
    (line,) = prepare([place], tmp_path / "s.zarr", grid_size=GRID).notices
    assert "part2.ome.tif: its 2 labels begin where they end in" in line
    apart = np.roll(division[5:6], 20, axis=2)
    write["ome-tiff"](place / "part2", apart)
    assert (
        prepare([place / "part1.ome.tif", place / "part2.ome.tif"], Path(tmp_path / "t.zarr"), grid_size=GRID).notices
        == ()
    )

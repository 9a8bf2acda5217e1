"""Movies of images become stores with two axes of space."""

from pathlib import Path

import numpy as np
import pytest
import tifffile
from flat import dividing, ellipse_mask, write_movie

from cytoform.errors import InputError
from cytoform.prepare.stage import prepare
from cytoform.shapes.store import ShapeStore


def test_a_movie_of_images(tmp_path: Path) -> None:
    labels = dividing()
    found = prepare([write_movie(tmp_path / "cells.tif", labels)], tmp_path / "a.zarr", grid_size=96)
    assert (found.n_families, found.n_frames, found.grid.n_dims) == (2, 12, 2)
    store = ShapeStore.open(tmp_path / "a.zarr")
    assert store.attributes["dimensions"] == 2
    sequence = store["cells_00001"]
    assert sequence.info.time_step_s == 60
    for frame in (0, 5):
        area_um2 = (labels[frame] == 1).sum() * 0.25**2
        assert sequence.mask(frame).sum() * store.grid.spacing_um**2 == pytest.approx(area_um2, rel=0.01)
        centroid = (np.argwhere(labels[frame] == 1).mean(axis=0) + 0.5) * 0.25
        assert sequence.info.offsets_zyx_um[frame] == pytest.approx(centroid)


def test_a_single_image_with_long_pixels(tmp_path: Path) -> None:
    """One frame a sequence; the voxel size along z does not count."""
    mask = ellipse_mask((6.0, 4.0), (0.25, 0.5), size_um=20.0).astype(np.uint8)
    tifffile.imwrite(tmp_path / "cell.tif", mask, metadata={"axes": "YX"}, photometric="minisblack")
    for z in (1.0, 7.0):
        prepare([tmp_path / "cell.tif"], tmp_path / f"{z:g}.zarr", voxel_size_zyx_um=(z, 0.25, 0.5), grid_size=64)
        store = ShapeStore.open(tmp_path / f"{z:g}.zarr")
        [sequence] = store
        assert sequence.info.n_frames == 1
        assert sequence.mask(0).sum() * store.grid.spacing_um**2 == pytest.approx(np.pi * 24, rel=0.01)


def test_images_and_volumes_are_not_mixed(tmp_path: Path) -> None:
    flat = write_movie(tmp_path / "flat.tif", dividing(3))
    volume = np.zeros((24, 24, 24), np.uint8)
    volume[6:18, 6:18, 6:18] = 1
    tifffile.imwrite(tmp_path / "volume.tif", volume, metadata={"axes": "ZYX"}, photometric="minisblack")
    with pytest.raises(InputError, match=r"flat.tif is 2D and .*volume.tif is 3D, and a shape store holds one of both"):
        prepare([flat, tmp_path / "volume.tif"], tmp_path / "a.zarr", voxel_size_zyx_um=(1.0, 1.0, 1.0))
    assert not (tmp_path / "a.zarr").exists()


def test_bad_input(tmp_path: Path) -> None:
    one = write_movie(tmp_path / "one.tif", dividing(1)[0])
    with pytest.raises(InputError, match=r"--keep-motion: .* one frame, so nothing moves"):
        prepare([one], tmp_path / "a.zarr", keep_motion=True, voxel_size_zyx_um=(1.0, 1.0, 1.0))
    rgb = np.zeros((40, 40, 3), np.uint8)
    tifffile.imwrite(tmp_path / "rgb.tif", rgb, photometric="rgb")
    with pytest.raises(InputError, match="RGB or several channels"):
        prepare([tmp_path / "rgb.tif"], tmp_path / "a.zarr", voxel_size_zyx_um=(1.0, 1.0, 1.0))


def test_frames_that_the_border_cuts_are_trimmed_away(tmp_path: Path) -> None:
    labels = dividing(6)
    labels[1, :20, 38:42] = 1
    movie = write_movie(tmp_path / "cells.tif", labels)
    found = prepare([movie], tmp_path / "a.zarr", grid_size=48, border="trim")
    assert [sequence.info.n_frames for sequence in ShapeStore.open(tmp_path / "a.zarr")] == [4, 6]
    assert "cells_00001 is trimmed to frames 2 to 5, 4 of 6" in found.notices[0]
    found = prepare([movie], tmp_path / "b.zarr", grid_size=48, border="trim", min_frames=5)
    assert [lost.name for lost in found.left_out] == ["cells_00001"]
    assert ShapeStore.open(tmp_path / "b.zarr").attributes["options"]["min_frames"] == 5
    with pytest.raises(
        InputError, match=r"cells_00001 has 4 frames from frame 2 on, fewer than 9, and 1 more; lower --min"
    ):
        prepare([movie], tmp_path / "c.zarr", grid_size=48, border="trim", min_frames=9)


def test_the_border_of_an_image_cuts(tmp_path: Path) -> None:
    """The only plane does not."""
    labels = dividing(2)
    labels[0, :20, 38:42] = 1
    prepare([write_movie(tmp_path / "edge.tif", labels)], tmp_path / "b.zarr", grid_size=48)
    assert ShapeStore.open(tmp_path / "b.zarr").names == ["edge_00002"]

"""What users get wrong when they bring movies: an InputError of one line with place and remedy, each time."""

import json
from pathlib import Path

import numpy as np
import pytest
import tifffile
import zarr

from cytoform.errors import InputError
from cytoform.movies.families import find_families
from cytoform.movies.readers import open_movies

UM = (1.0, 0.5, 0.5)
LABELS = np.ones((2, 4, 5, 6), np.uint8)


def refused(path: Path, *, voxel_size: tuple[float, float, float] | None = UM, step: float | None = None) -> str:
    """The message with which a source is refused, on opening or on reading."""

    def read() -> None:
        for movie in open_movies(path, voxel_size_zyx_um=voxel_size, time_step_s=step):
            find_families(movie)

    with pytest.raises(InputError) as caught:
        read()
    assert type(caught.value) is InputError
    message = str(caught.value)
    assert "\n" not in message
    assert "; " in message or "; pass" in message or "give" in message, "no remedy"
    return message


def tiff(path: Path, frames: np.ndarray, **options: object) -> Path:
    tifffile.imwrite(path, frames, photometric="minisblack", **options)
    return path


def test_missing_and_foreign_files(tmp_path):
    assert "no such file or folder" in refused(tmp_path / "none.tif")
    (tmp_path / "a.csv").write_text("1,2")
    assert "a.csv: no label movie; give a TIFF" in refused(tmp_path / "a.csv")
    (tmp_path / "a.tif").write_text("not a picture")
    assert "a.tif: not a TIFF file" in refused(tmp_path / "a.tif")
    (tmp_path / "a.tif").write_bytes(b"")
    assert "a.tif: not a TIFF file" in refused(tmp_path / "a.tif")
    (tmp_path / "empty").mkdir()
    assert "empty: no label movie; give a TIFF" in refused(tmp_path / "empty")


@pytest.mark.parametrize("name", ["ome-tiff", "imagej", "lzw", "packbits"])
def test_a_truncated_movie_never_gives_wrong_frames(name, write, division, tmp_path):
    if name in write:
        path = write[name](tmp_path / "a", division)
    else:
        path = tiff(tmp_path / "a.tif", division, compression=name)
    whole = path.read_bytes()
    refusals = []
    for size in np.linspace(0, len(whole) - 1, 60).astype(int):
        path.write_bytes(whole[:size])
        try:
            (movie,) = open_movies(path, voxel_size_zyx_um=UM)
            assert movie.n_frames in (6, 1)
            for t in range(movie.n_frames):
                np.testing.assert_array_equal(movie.read(t), division[t])
        except InputError as fault:
            refusals.append(str(fault))
    assert len(refusals) >= 58
    assert all(str(path) in message and "\n" not in message for message in refusals)


def test_a_truncated_frame_is_named(write, division, tmp_path):
    root = write["challenge"](tmp_path / "c", division)
    path = root / "01_GT" / "TRA" / "man_track003.tif"
    path.write_bytes(path.read_bytes()[:-2000])
    assert "man_track003.tif" in refused(root / "01_GT" / "TRA")


def test_a_volume_of_scattered_plain_pages_that_is_truncated(division, tmp_path):
    path = tmp_path / "f" / "t0.tif"
    path.parent.mkdir()
    with tifffile.TiffWriter(path) as file:
        for plane in division[0]:
            file.write(plane, contiguous=False, metadata=None)
    (movie,) = open_movies(path.parent, voxel_size_zyx_um=UM)
    np.testing.assert_array_equal(movie.read(0), division[0])
    path.write_bytes(path.read_bytes()[:-600])
    assert "t0.tif, frame 0: not a TIFF file, or truncated" in refused(path.parent)


def test_a_damaged_page_is_named_with_its_frame(division, tmp_path):
    path = tiff(tmp_path / "a.tif", division, compression="zlib")
    with tifffile.TiffFile(path) as file:
        offset = file.pages[24 * 3 + 5].dataoffsets[0]
    content = bytearray(path.read_bytes())
    content[offset : offset + 4] = b"\xff\xff\xff\xff"
    path.write_bytes(bytes(content))
    assert "a.tif, frame 3: not a TIFF file, or truncated or damaged; copy" in refused(path)


def test_images_that_could_be_planes_are_asked_about(tmp_path):
    (tmp_path / "flat").mkdir()
    for n in range(3):
        tiff(tmp_path / "flat" / f"t{n}.tif", np.ones((5, 6), np.uint8))
    said = refused(tmp_path / "flat")
    assert "flat: 3 2D images, frames of a movie or planes of a volume; pass --axes YX" in said
    [movie] = open_movies(tmp_path / "flat", voxel_size_zyx_um=(1, 1, 1), axes="YX")
    assert (movie.n_frames, movie.shape_zyx, movie.n_dims) == (3, (1, 5, 6), 2)
    depth = {"axes": "TYX", "spacing": 0.5, "unit": "um"}
    path = tiff(tmp_path / "depth.tif", np.ones((7, 5, 6), np.uint8), imagej=True, resolution=(4, 4), metadata=depth)
    assert "T Y X or Z Y X: 7 images with a recorded depth of 0.5 and no time step" in refused(path)
    shapes = {axes: open_movies(path, axes=axes, voxel_size_zyx_um=(1, 1, 1))[0].shape_zyx for axes in ("ZYX", "TYX")}
    assert shapes == {"ZYX": (7, 5, 6), "TYX": (1, 5, 6)}


def test_channels_and_unnamed_axes(tmp_path):
    path = tiff(tmp_path / "a.ome.tif", np.ones((2, 2, 4, 5, 6), np.uint8), metadata={"axes": "TCZYX"}, ome=True)
    assert "several channels (shape (2, 2, 4, 5, 6)) where one is needed" in refused(path)
    assert "three axes without names" in refused(tiff(tmp_path / "b.tif", np.ones((7, 5, 6), np.uint8)))


@pytest.mark.parametrize(
    ("dtype", "kind"), [(np.complex64, "an image of type complex64"), (np.float32, "an image of type float32")]
)
@pytest.mark.parametrize("container", ["tiff", "folder", "zarr"])
def test_images_that_are_no_labels(dtype, kind, container, tmp_path, write):
    frames = (LABELS / 2).astype(dtype)
    if container == "zarr":
        path = tmp_path / "a.ome.zarr"
        root = zarr.open_group(write["ome-zarr-0.5"](tmp_path / "a", np.ones((2, 24, 60, 48), np.uint8)))
        array = root.create_array("labels/cells/0", shape=(2, 24, 60, 48), dtype=dtype, overwrite=True)
        array[...] = np.ones((2, 24, 60, 48)) / 2
    elif container == "folder":
        path = tmp_path / "a"
        path.mkdir()
        tiff(path / "t0.tif", frames[0])
    else:
        path = tiff(tmp_path / "a.tif", frames)
    message = refused(path)
    assert kind in message
    assert str(path) in message


def test_labels_out_of_range(tmp_path):
    frames = LABELS.astype(np.int32)
    frames[1, 2, 2, 2] = -1
    assert "a.tif, frame 1: a negative label -1" in refused(tiff(tmp_path / "a.tif", frames))
    every = np.arange(2 * 4 * 100 * 100, dtype=np.int32).reshape(2, 4, 100, 100)
    assert "a.tif: 79999 different labels, but no more than 65535" in refused(tiff(tmp_path / "a.tif", every))


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), 0.0, -0.2])
def test_impossible_voxel_sizes_and_time_steps(bad, tmp_path, write, division):
    path = tiff(tmp_path / "a.tif", LABELS)
    message = refused(path, voxel_size=(1.0, bad, 0.5))
    assert message.startswith(f"--voxel-size 1.0 {bad} 0.5: give three positive numbers")
    assert refused(path, step=bad).startswith(f"--time-step {bad}: give a positive number")
    file = write["ome-zarr-0.4"](tmp_path / "b", division) / "labels" / "cells" / ".zattrs"
    attributes = json.loads(file.read_text())
    attributes["multiscales"][0]["datasets"][0]["coordinateTransformations"][0]["scale"][1] = bad
    file.write_text(json.dumps(attributes))
    message = refused(file.parents[2], voxel_size=None)
    assert "a recorded voxel size of" in message
    assert "--voxel-size Z Y X" in message


def test_a_voxel_size_that_nobody_knows(tmp_path, write, division):
    path = tiff(tmp_path / "a.tif", LABELS)
    assert refused(path, voxel_size=None) == (
        f"{path}: the voxel size is nowhere recorded; pass --voxel-size Z Y X in micrometres"
    )
    parsecs = write["ome-tiff"](tmp_path / "b", division)
    parsecs.write_bytes(parsecs.read_bytes().replace("µm".encode(), b"pc "))
    assert "nowhere recorded" in refused(parsecs, voxel_size=None)
    file = write["ome-zarr-0.5"](tmp_path / "c", division) / "labels" / "cells" / "zarr.json"
    file.write_text(file.read_text().replace('"unit"', '"sort"'))
    assert "nowhere recorded" in refused(file.parents[2], voxel_size=None)


def test_frames_that_differ(tmp_path):
    (tmp_path / "f").mkdir()
    tiff(tmp_path / "f" / "t0.tif", LABELS[0])
    tiff(tmp_path / "f" / "t1.tif", LABELS[0, :, :4])
    message = refused(tmp_path / "f")
    assert "t1.tif, frame 1: shape (4, 4, 6) where the other frames have (4, 5, 6)" in message


def test_challenge_folders_that_are_not_whole(tmp_path, write, division):
    root = write["challenge"](tmp_path / "c", division)
    tracks = root / "01_GT" / "TRA"
    (tracks / "man_track002.tif").unlink()
    assert "TRA, frame 2: man_track002.tif is missing" in refused(root)
    for path in tracks.glob("*.tif"):
        path.unlink()
    assert "no man_track000.tif" in refused(root)
    (tracks / "man_track.txt").unlink()
    assert "man_track.txt: no such file" in refused(root)
    (tmp_path / "d" / "01_GT").mkdir(parents=True)
    assert "sequence 01 has neither" in refused(tmp_path / "d")


def test_masks_of_another_shape_than_the_tracks(tmp_path, write, division):
    root = write["challenge"](tmp_path / "c", division)
    for t in range(6):
        tiff(root / "01_GT" / "SEG" / f"man_seg{t:03d}.tif", division[t][:-1])
    assert "man_seg000.tif, frame 0: shape" in refused(root)


def test_damaged_zarr(tmp_path, write, division):
    path = write["ome-zarr-0.5"](tmp_path / "c", division)
    chunk = next((path / "labels" / "cells" / "0" / "c" / "2").rglob("0"))
    chunk = next(p for p in [chunk, *chunk.rglob("*")] if p.is_file())
    chunk.write_bytes(chunk.read_bytes()[:20])
    assert "cells, frame 2: the array cannot be read" in refused(path)
    (path / "labels" / "cells" / "zarr.json").write_text("{")
    assert "label image" in refused(path) or "metadata" in refused(path)


def test_several_label_images(tmp_path, write, division):
    path = write["ome-zarr-0.5"](tmp_path / "c", division)
    zarr.open_group(path / "labels").attrs["ome"] = {"version": "0.5", "labels": ["cells", "nuclei"]}
    assert "it has cells, nuclei; give" in refused(path)


def test_a_header_that_claims_too_much(tmp_path):
    path = tmp_path / "a.zarr"
    group = zarr.create_group(path)
    group.create_array("0", shape=(2, 100000, 100000, 100000), chunks=(1, 64, 64, 64), dtype=np.uint8)
    axes = [{"name": a, "unit": "micrometer"} for a in "tzyx"]
    group.attrs["ome"] = {"version": "0.5", "multiscales": [{"axes": axes, "datasets": [{"path": "0"}]}]}
    assert "voxels is too large" in refused(path)

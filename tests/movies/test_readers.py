"""The same frames, voxel size and time step from every container, and the real data."""

import pickle
from pathlib import Path

import numpy as np
import pytest
import tifffile
import zarr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from cytoform.errors import InputError
from cytoform.movies.readers import name_apart, open_movies
from cytoform.movies.readers.challenge import transfer_labels

UM = (1.0, 0.5, 0.5)


def test_every_container_gives_the_same_movie(container, division, spacing_zyx_um, time_step_s, tmp_path):
    (movie,) = open_movies(container(tmp_path / "cells", division))
    assert movie.n_frames == 6
    assert movie.shape_zyx == division.shape[1:]
    assert movie.spacing_zyx_um == pytest.approx(spacing_zyx_um, rel=1e-12)
    assert movie.time_step_s == pytest.approx(time_step_s)
    read = pickle.loads(pickle.dumps(movie.read))
    for frame in (3, 0, 5, 1, 2, 4):
        assert read(frame).dtype == np.uint16
        assert read(frame).flags.writeable
        np.testing.assert_array_equal(read(frame), division[frame])


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(frames=arrays(np.uint16, st.tuples(*[st.integers(2, 5)] * 4), elements=st.integers(0, 65535)))
def test_any_labels_survive_every_simple_container(frames, write, tmp_path_factory):
    folder = tmp_path_factory.mktemp("any")
    for name in ("ome-tiff", "imagej", "folder"):
        (movie,) = open_movies(write[name](folder / name, frames))
        np.testing.assert_array_equal(np.stack([movie.read(t) for t in range(movie.n_frames)]), frames)


@pytest.mark.parametrize("dtype", [np.uint8, np.int32, np.int64, np.uint32])
def test_the_type_on_disk_does_not_matter(dtype, tmp_path):
    frames = np.zeros((2, 4, 5, 6), dtype)
    frames[:, 1:3, 2:4, 2:5] = 255
    tifffile.imwrite(tmp_path / "a.tif", frames, photometric="minisblack")
    (movie,) = open_movies(tmp_path / "a.tif", voxel_size_zyx_um=UM)
    np.testing.assert_array_equal(movie.read(1), frames[1].astype(np.uint16))
    assert movie.read(1).dtype == np.uint16


def test_given_scale_wins_over_the_recorded(write, division, tmp_path):
    path = write["ome-tiff"](tmp_path / "a", division)
    (movie,) = open_movies(path, voxel_size_zyx_um=(3.0, 2.0, 1.0), time_step_s=7.0)
    assert movie.spacing_zyx_um == (3.0, 2.0, 1.0)
    assert movie.time_step_s == 7.0


def test_time_step_is_unknown_where_nobody_says_it(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", np.ones((2, 4, 5, 6), np.uint8), photometric="minisblack")
    (movie,) = open_movies(tmp_path / "a.tif", voxel_size_zyx_um=UM)
    assert movie.time_step_s is None


def test_a_single_volume_is_a_movie_of_one_frame(tmp_path):
    tifffile.imwrite(
        tmp_path / "a.ome.tif", np.ones((4, 5, 6), np.uint8), metadata={"axes": "ZYX"}, photometric="minisblack"
    )
    (movie,) = open_movies(tmp_path / "a.ome.tif", voxel_size_zyx_um=UM)
    assert (movie.n_frames, movie.shape_zyx, movie.name) == (1, (4, 5, 6), "a")


def test_tiled_and_big_tiff(division, tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", division, tile=(16, 16), compression="zlib", bigtiff=True)
    (movie,) = open_movies(tmp_path / "a.tif", voxel_size_zyx_um=UM)
    np.testing.assert_array_equal(movie.read(4), division[4])


def test_little_endian_without_compression(division, tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", division, byteorder="<", photometric="minisblack")
    (movie,) = open_movies(tmp_path / "a.tif", voxel_size_zyx_um=UM)
    frame = movie.read(4)
    assert frame.flags.writeable
    np.testing.assert_array_equal(frame, division[4])


def test_a_folder_of_movies_is_many_movies(write, division, tmp_path):
    for name in ("b 1", "b 2"):
        write["ome-tiff"](tmp_path / name, division)
    assert [movie.name for movie in open_movies(tmp_path)] == ["b_1", "b_2"]


def test_a_rewritten_file_is_read_anew(write, division, tmp_path):
    (movie,) = open_movies(write["imagej"](tmp_path / "a", division))
    movie.read(0)
    write["imagej"](tmp_path / "a", division[::-1])
    np.testing.assert_array_equal(movie.read(0), division[-1])


def test_source_is_as_given(write, division, tmp_path, monkeypatch):
    write["challenge"](tmp_path / "cells", division)
    monkeypatch.chdir(tmp_path / "cells")
    for source in (".", "01_GT", "01_GT/TRA", "01_GT/SEG", "../cells"):
        (movie,) = open_movies(Path(source))
        assert movie.name == "cells_01"
        assert not Path(movie.source).is_absolute()
        np.testing.assert_array_equal(movie.read(5), division[5])


def test_challenge_folder_with_two_sequences_and_results(write, division, lineage, tmp_path):
    root = write["challenge"](tmp_path / "cells", division)
    results = root / "02_RES"
    results.mkdir()
    for t in range(6):
        tifffile.imwrite(results / f"mask{t:03d}.tif", division[t], compression="zlib")
    (results / "res_track.txt").write_text("7 0 2 0\n40 3 5 7\n300 3 5 7\n")
    first, second = open_movies(root, voxel_size_zyx_um=UM)
    assert (first.name, second.name) == ("cells_01", "cells_02")
    assert first.lineage == second.lineage == lineage
    np.testing.assert_array_equal(first.read(4), second.read(4))
    (only,) = open_movies(results, voxel_size_zyx_um=UM)
    assert only.name == "cells_02"


def test_dense_masks_take_the_labels_of_the_tracks(write, division, tmp_path):
    root = write["challenge"](tmp_path / "cells", division)
    silver = root / "01_ST" / "SEG"
    silver.mkdir(parents=True)
    other = np.zeros(65536, np.uint16)
    other[[7, 300, 40]] = [40, 7, 9]
    for t in range(6):
        tifffile.imwrite(silver / f"man_seg{t:03d}.tif", other[division[t]])
        markers = np.where(np.roll(division[t], 1, axis=2) == division[t], division[t], 0)
        tifffile.imwrite(root / "01_GT" / "TRA" / f"man_track{t:03d}.tif", markers)
    (movie,) = open_movies(root, voxel_size_zyx_um=UM)
    for t in range(6):
        np.testing.assert_array_equal(movie.read(t), division[t])
    assert "01_ST" in movie.where(3)


def test_a_sparse_segmentation_is_not_used(write, division, tmp_path):
    root = write["challenge"](tmp_path / "cells", division)
    (root / "01_GT" / "SEG" / "man_seg003.tif").unlink()
    (movie,) = open_movies(root)
    assert movie.source.endswith("TRA")
    np.testing.assert_array_equal(movie.read(3), division[3])
    with pytest.raises(InputError, match="frame 3: no mask; give"):
        open_movies(root / "01_GT" / "SEG")


def test_carried_labels_follow_the_majority():
    markers = np.zeros((1, 2, 8), np.uint16)
    masks = np.zeros((1, 2, 8), np.uint16)
    masks[0, :, :4], masks[0, :, 5:] = 11, 12
    markers[0, 0, 1:6] = 5  # three of five in mask 11, one in 12
    markers[0, 1, 5:8] = 11  # all in mask 12
    markers[0, 1, 0] = 6  # a smaller one in mask 11
    carried = transfer_labels(markers, masks)
    np.testing.assert_array_equal(carried, np.where(masks == 11, 5, np.where(masks == 12, 11, 0)))


def test_a_marker_with_its_smaller_part_in_a_mask_is_not_its_label():
    markers = np.array([[[5, 5, 5, 5, 5, 9, 9, 0]]], np.uint16)
    masks = np.array([[[0, 0, 0, 4, 4, 4, 0, 0]]], np.uint16)
    assert not transfer_labels(markers, masks).any()


def test_masks_without_a_marker_vanish():
    masks = np.full((1, 2, 2), 3, np.uint16)
    assert not transfer_labels(np.zeros_like(masks), masks).any()


def test_equal_names_get_numbers(write, division, tmp_path):
    for folder in ("x", "y"):
        (tmp_path / folder).mkdir()
        write["ome-tiff"](tmp_path / folder / "cell", division[:1])
    sources = [tmp_path / folder / "cell.ome.tif" for folder in ("x", "y")]
    movies = [movie for source in sources for movie in open_movies(source)]
    assert [movie.name for movie in name_apart(movies)] == ["cell", "cell_2"]
    with pytest.raises(InputError, match="given twice"):
        name_apart([movies[0], movies[0]])


@pytest.mark.parametrize("name", ["labels/cells", "labels", "."])
def test_ome_zarr_by_image_or_label_image(name, write, division, tmp_path):
    (movie,) = open_movies(write["ome-zarr-0.5"](tmp_path / "cells", division) / name)
    assert movie.name == "cells"
    np.testing.assert_array_equal(movie.read(4), division[4])


def test_a_shape_store_sequence_is_a_label_movie(tmp_path):
    from cytoform.shapes.grid import Grid
    from cytoform.shapes.store import SequenceInfo, ShapeStore

    store = ShapeStore.create(tmp_path / "s.zarr", Grid(8, 4.0), band_um=2.0, attributes={})
    sdf_um = np.linspace(-2, 2, 512, dtype=np.float32).reshape(8, 8, 8)
    store.add(SequenceInfo("one", 2, time_step_s=5.0)).write(1, sdf_um)
    (movie,) = open_movies(tmp_path / "s.zarr" / "one")
    assert (movie.spacing_zyx_um, movie.time_step_s, movie.name) == ((1.0, 1.0, 1.0), 5.0, "one")
    np.testing.assert_array_equal(movie.read(1), sdf_um <= 0)


@pytest.mark.real
def test_real_t_cells(real_data):
    import csv

    with open(real_data / "tcells" / "sequences.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 33
    movies = {movie.name: movie for movie in open_movies(real_data / "tcells" / "masks")}
    assert len(movies) == 33
    anisotropic = open_movies(real_data / "tcells" / "masks_anisotropic")
    expected = {"z5": (1.0, 0.2, 0.2), "z11": (1.0, 0.09, 0.09)}
    for movie in anisotropic:
        assert movie.spacing_zyx_um == expected[movie.name.rsplit("_", 1)[1]]
    assert all(movie.spacing_zyx_um == (0.25, 0.25, 0.25) and movie.time_step_s for movie in movies.values())


@pytest.mark.real
def test_real_nuclei_need_a_voxel_size(real_data):
    with pytest.raises(InputError, match="--voxel-size Z Y X"):
        open_movies(real_data / "blastospim_nuclei")


@pytest.mark.real
@pytest.mark.parametrize(
    ("source", "n_frames"),
    [("dic_hela", 84), ("dic_hela/01_ST", 84), ("dic_hela/01_GT/TRA", 84), ("fluo_hela_nuclei", 14)],
)
def test_real_flat_movies(real_data, source, n_frames):
    [movie] = open_movies(real_data / source, voxel_size_zyx_um=UM)
    assert (movie.n_frames, movie.n_dims) == (n_frames, 2)


@pytest.mark.parametrize("container", ["movie", "file", "folder", "zarr"])
def test_images_over_time(container: str, tmp_path: Path) -> None:
    """Images are volumes of one plane."""
    frames = np.random.default_rng(0).integers(0, 9, (3, 20, 30)).astype(np.uint16)
    path = tmp_path / "a"
    if container == "zarr":
        group = zarr.open_group(path, mode="w", zarr_format=3)
        group.create_array("0", data=frames)
        axes = [{"name": axis, "type": "space", "unit": "micrometer"} for axis in "tyx"]
        dataset = {"path": "0", "coordinateTransformations": [{"type": "scale", "scale": [1, 0.5, 0.25]}]}
        group.attrs["ome"] = {"version": "0.5", "multiscales": [{"axes": axes, "datasets": [dataset]}]}
    elif container == "folder":
        path.mkdir()
        for t, frame in enumerate(frames):
            tifffile.imwrite(path / f"t{t}.tif", frame, imagej=True, resolution=(4, 2), metadata={"unit": "um"})
    else:
        path, frames = path.with_suffix(".tif"), frames if container == "movie" else frames[:1]
        axes = "TYX" if container == "movie" else "YX"
        values = frames if container == "movie" else frames[0]
        metadata = {"axes": axes, "PhysicalSizeX": 0.25, "PhysicalSizeY": 0.5}
        tifffile.imwrite(path, values, ome=True, metadata=metadata, photometric="minisblack")
    axes = "YX" if container == "folder" else None
    [movie] = open_movies(path, axes=axes)
    assert movie.shape_zyx == (1, 20, 30)
    assert movie.spacing_zyx_um == pytest.approx((0.5, 0.5, 0.25))
    assert np.array_equal([movie.read(t)[0] for t in range(movie.n_frames)], frames)

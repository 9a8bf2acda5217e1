"""Pairs from folders and OME-Zarr, and one line for everything that cannot be learned from."""

from pathlib import Path

import numpy as np
import pytest
import tifffile
import zarr
from paired import SHAPE_YX, grey, two_cells, write_movie, write_pairs

from cytoform.errors import InputError
from cytoform.movies.pairs.pairs import open_pairs, project_labels


def refused(*sources: Path, **how: object) -> str:
    with pytest.raises(InputError) as fault:
        open_pairs(sources, **how)
    assert "\n" not in str(fault.value)
    return str(fault.value)


def volumes(n: int = 4) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Cell 3 in the planes 0 and 1, and 7 in 1 and 2."""
    labels = np.zeros((n, 3, *SHAPE_YX), np.uint16)
    for frame in range(n):
        flat = two_cells(frame)
        labels[frame, :2] = np.where(flat == 3, 3, 0)
        labels[frame, 1:] += np.where(flat == 7, 7, 0).astype(np.uint16)
    return [grey(volume, seed=frame) for frame, volume in enumerate(labels)], list(labels)


def write_zarr(path: Path, array: np.ndarray, axes: str, *, within: str = "", scale: float = 0.4) -> Path:
    root = zarr.open_group(path, mode="a", zarr_format=3)
    group = root.require_group(within) if within else root
    group.create_array("0", data=array, chunks=(1, *array.shape[1:]))
    named = [
        {"name": a, "type": "time" if a == "t" else "space", **({} if a == "t" else {"unit": "micrometer"})}
        for a in axes
    ]
    steps = [{"type": "scale", "scale": [1.0 if a == "t" else scale for a in axes]}]
    group.attrs["ome"] = {
        "version": "0.5",
        "multiscales": [{"axes": named, "datasets": [{"path": "0", "coordinateTransformations": steps}]}],
    }
    return path


def test_planes_of_a_folder_come_as_they_are(tmp_path: Path) -> None:
    pairs = open_pairs([write_movie(tmp_path / "set", 5)])
    assert len(pairs) == 5
    assert pairs.dtype == np.uint16
    assert pairs.names == ("set_01",)
    assert pairs.spacing_zyx_um is None
    for frame, plane in enumerate(pairs):
        assert (plane.movie, plane.frame, plane.z) == ("set_01", frame, None)
        assert np.array_equal(plane.image_yx, grey(two_cells(frame), seed=frame))
        assert np.array_equal(plane.labels_yx, two_cells(frame))
    held_out = pairs.frames(3, 9)
    assert [plane.frame for plane in held_out] == [3, 4]
    assert [plane.frame for plane in pairs[1:3]] == [1, 2]
    assert pairs[-1].frame == 4


def test_sequences_and_sources_in_order(tmp_path: Path) -> None:
    write_movie(tmp_path / "a", 2, sequence="02")
    write_movie(tmp_path / "a", 2)
    write_movie(tmp_path / "b" / "a", 2)
    pairs = open_pairs([tmp_path / "b" / "a", tmp_path / "a"])
    assert pairs.names == ("a_01", "a_01_2", "a_02")
    assert [(plane.movie, plane.frame) for plane in pairs[2:]] == [
        ("a_01_2", 0),
        ("a_01_2", 1),
        ("a_02", 0),
        ("a_02", 1),
    ]
    assert open_pairs([tmp_path / "a" / "01", tmp_path / "a" / "02"]).names == ("a_01", "a_02")
    assert "given twice" in refused(tmp_path / "a", tmp_path / "a" / "01")


def test_masks_that_cover_all_frames_win(tmp_path: Path) -> None:
    images = [grey(two_cells(frame)) for frame in range(4)]
    write_pairs(tmp_path, images, [two_cells(frame) * 2 for frame in range(4)], masks="GT/TRA/man_track")
    write_pairs(tmp_path, images, [two_cells(frame) for frame in range(3)], masks="ST/SEG/man_seg")
    assert open_pairs([tmp_path])[0].labels_yx.max() == 14
    write_pairs(tmp_path, images, [two_cells(frame) for frame in range(4)], masks="GT/SEG/man_seg")
    assert open_pairs([tmp_path])[0].labels_yx.max() == 7


def test_volumes_as_projections_and_as_slices(tmp_path: Path) -> None:
    images, labels = volumes()
    write_pairs(tmp_path, images, labels)
    projected = open_pairs([tmp_path])
    assert len(projected) == 4
    assert np.array_equal(projected[2].image_yx, images[2].max(axis=0))
    overlap = (labels[2][0] > 0) & (labels[2][2] > 0)
    assert np.array_equal(projected[2].labels_yx > 0, labels[2].any(axis=0))
    assert (projected[2].labels_yx[overlap] == 3).all()
    slices = open_pairs([tmp_path], planes="slices")
    assert [(plane.frame, plane.z) for plane in slices][:4] == [(0, 0), (0, 1), (0, 2), (1, 0)]
    assert np.array_equal(slices[5].image_yx, images[1][2])
    assert np.array_equal(slices[5].labels_yx, labels[1][2])


def test_the_lowest_plane_gives_a_projection_its_label() -> None:
    labels = np.array([[[0, 0, 9, 0]], [[0, 5, 2, 0]], [[4, 8, 0, 0]]], np.uint16)
    assert project_labels(labels).tolist() == [[4, 5, 9, 0]]


@pytest.mark.parametrize("axes", ["tyx", "tzyx"])
def test_ome_zarr_pairs(axes: str, tmp_path: Path) -> None:
    images, labels = volumes(5)
    if axes == "tyx":
        images, labels = [image[1] for image in images], [frame[1] for frame in labels]
    image = write_zarr(tmp_path / "image.zarr", np.stack(images), axes)
    other = write_zarr(tmp_path / "labels.zarr", np.stack(labels), axes)
    pairs = open_pairs([Path(f"{image}:{other}")], planes="slices")
    assert pairs.spacing_zyx_um == (0.4, 0.4, 0.4)
    assert np.array_equal(pairs[-1].image_yx, images[-1] if axes == "tyx" else images[-1][2])
    assert np.array_equal(pairs[-1].labels_yx, labels[-1] if axes == "tyx" else labels[-1][2])
    assert f"{image}: no label image" in refused(image)
    write_zarr(image, np.stack(labels), axes, within="labels/cells")
    within = open_pairs([image], planes="slices")
    assert np.array_equal(within[-1].labels_yx, pairs[-1].labels_yx)
    assert refused(Path(f"{image}:{tmp_path / 'no.zarr'}")).endswith("give IMAGE.zarr:LABELS.zarr")
    shorter = write_zarr(tmp_path / "short.zarr", np.stack(labels[:4]), axes)
    assert "4 frames but" in refused(Path(f"{image}:{shorter}"))


def test_voxel_sizes(tmp_path: Path) -> None:
    images, labels = (np.stack(frames) for frames in volumes(5))
    image = write_zarr(tmp_path / "image.zarr", images, "tzyx")
    same = Path(f"{image}:{write_zarr(tmp_path / 'labels.zarr', labels, 'tzyx')}")
    assert open_pairs([same], spacing_zyx_um=(3.0, 1.0, 1.0)).spacing_zyx_um == (3.0, 1.0, 1.0)
    other = Path(f"{image}:{write_zarr(tmp_path / 'other.zarr', labels, 'tzyx', scale=0.5)}")
    assert "voxels of 0.5 0.5 0.5 µm, but" in refused(other)


def test_sizes_differ(tmp_path: Path) -> None:
    labels = [two_cells() for _ in range(4)]
    write_pairs(tmp_path, [grey(frame)[:-2] for frame in labels], labels)
    message = refused(tmp_path)
    assert "01_ST/SEG/man_seg000.tif: 40×48 pixels but" in message
    assert "01/t000.tif has 38×48" in message


def test_one_file_of_another_size_or_type(tmp_path: Path) -> None:
    root = write_movie(tmp_path)
    tifffile.imwrite(root / "01" / "t003.tif", np.zeros((4, 48), np.uint16))
    assert "t003.tif: size 4×48 where t000.tif has 40×48" in refused(root)
    tifffile.imwrite(root / "01" / "t003.tif", np.zeros(SHAPE_YX, np.uint8))
    assert "t003.tif: type uint8 where t000.tif has uint16" in refused(root)


@pytest.mark.parametrize("what", ["rgb", "planar", "channels"])
def test_rgb(what: str, tmp_path: Path) -> None:
    root = write_movie(tmp_path)
    path = root / "01" / "t002.tif"
    if what == "channels":
        tifffile.imwrite(path, np.zeros((2, *SHAPE_YX), np.uint16), imagej=True, metadata={"axes": "CYX"})
    else:
        shape = (*SHAPE_YX, 3) if what == "rgb" else (3, *SHAPE_YX)
        planar = "separate" if what == "planar" else "contig"
        tifffile.imwrite(path, np.zeros(shape, np.uint8), photometric="rgb", planarconfig=planar)
    assert "t002.tif: RGB or several channels" in refused(root)


@pytest.mark.parametrize("top", [255, 170])
def test_saturated(top: int, tmp_path: Path) -> None:
    labels = [two_cells(frame) for frame in range(4)]
    images = [np.minimum(grey(frame, seed=n).astype(int), 400 if n == 2 else 9999) for n, frame in enumerate(labels)]
    images = [(image * (top / 400)).clip(0, top).astype(np.uint8) for image in images]
    images[2][labels[2] > 0] = top
    assert "t002.tif, frame 2: saturated, " in refused(write_pairs(tmp_path, images, labels))
    assert f"highest value {top}" in refused(tmp_path)


def test_a_bright_speck_is_not_saturation(tmp_path: Path) -> None:
    root = write_movie(tmp_path)
    image = tifffile.imread(root / "01" / "t001.tif")
    image[3:7, 3:7] = 65535
    tifffile.imwrite(root / "01" / "t001.tif", image)
    assert len(open_pairs([root])) == 5


def test_cells_are_needed_but_not_in_every_frame(tmp_path: Path) -> None:
    labels = [two_cells() * (frame == 1) for frame in range(4)]
    images = [grey(frame) for frame in labels]
    assert len(open_pairs([write_pairs(tmp_path / "one", images, labels)])) == 4
    empty = write_pairs(tmp_path / "none", images, [frame * 0 for frame in labels])
    assert "no cell in any frame" in refused(empty)


def test_one_grey_value(tmp_path: Path) -> None:
    labels = [two_cells() for _ in range(4)]
    root = write_pairs(tmp_path, [np.full(SHAPE_YX, 9, np.uint16)] * 4, labels)
    assert "all grey values are 9" in refused(root)


@pytest.mark.parametrize("n", [1, 3])
def test_too_few(n: int, tmp_path: Path) -> None:
    message = refused(write_movie(tmp_path, n))
    assert f"{n} pair{'s' * (n > 1)} of image and mask, at least 4 are needed" in message


def test_missing_masks(tmp_path: Path) -> None:
    root = write_movie(tmp_path)
    (root / "01_ST" / "SEG" / "man_seg003.tif").unlink()
    assert "man_seg003.tif: missing, as are the masks of 1 of 5 frames" in refused(root)
    for path in (root / "01_ST" / "SEG").iterdir():
        path.unlink()
    assert "01: no masks beside it" in refused(root)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_no_numbers(value: float, tmp_path: Path) -> None:
    root = write_movie(tmp_path, dtype="float32")
    path = root / "01" / "t002.tif"
    image = tifffile.imread(path)
    image[3, 4] = value
    tifffile.imwrite(path, image)
    assert "t002.tif, frame 2: NaN or infinite grey values" in refused(root)


def test_truncated(tmp_path: Path) -> None:
    for folder in ("01", "01_ST/SEG"):
        root = write_movie(tmp_path / folder.replace("/", "_"))
        path = sorted((root / folder).iterdir())[2]
        path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
        assert f"{path}: not a TIFF file, or truncated or damaged" in refused(root)


@pytest.mark.parametrize("dtype", ["float64", "int16", "uint32", "bool"])
def test_types_that_are_no_images(dtype: str, tmp_path: Path) -> None:
    labels = [two_cells() for _ in range(4)]
    root = write_pairs(tmp_path, [grey(frame).astype(dtype) for frame in labels], labels)
    assert f"t000.tif: an image of type {dtype}; save it as uint8, uint16 or float32" in refused(root)


def test_types_that_are_no_labels(tmp_path: Path) -> None:
    labels = [(two_cells() / 2).astype(np.float32) for _ in range(4)]
    assert "labels are whole numbers" in refused(write_pairs(tmp_path, [grey(frame) for frame in labels], labels))


def test_images_of_two_types(tmp_path: Path) -> None:
    one, two = write_movie(tmp_path / "a"), write_movie(tmp_path / "b", dtype="uint8")
    assert "images of one type are needed" in refused(one, two)


def test_no_such_folder_and_no_images(tmp_path: Path) -> None:
    assert "no such folder" in refused(tmp_path / "none")
    assert "no images 01/t000.tif" in refused(tmp_path)
    assert "no OME-Zarr image" in refused(Path(f"{tmp_path / 'a.zarr'}:{tmp_path / 'b.zarr'}"))


@pytest.mark.real
@pytest.mark.parametrize(("name", "n", "dtype"), [("dic_hela", 84, np.uint8), ("fluo_hela_nuclei", 14, np.uint16)])
def test_real_sets(name: str, n: int, dtype: type, real_data: Path) -> None:
    pairs = open_pairs([real_data / name])
    assert len(pairs) == n
    assert pairs.dtype == dtype
    plane = pairs[n // 2]
    inside = plane.labels_yx > 0
    assert inside.any()
    assert np.array_equal(plane.image_yx, tifffile.imread(real_data / name / "01" / f"t{n // 2:03d}.tif"))

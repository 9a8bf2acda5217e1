"""TIFF files of any axes and codec, and OME-TIFF images in several files."""

import sys
from pathlib import Path
from uuid import uuid4

import numpy as np
import pytest
import tifffile

from cytoform.errors import InputError
from cytoform.movies.readers import name_apart, open_movies

UM = (0.5, 0.2, 0.25)
OME = "http://www.openmicroscopy.org/Schemas/OME/2016-06"


def read(path: Path, **options: object) -> np.ndarray:
    """All frames of the one movie of a source."""
    (movie,) = open_movies(path, **options)
    return np.stack([movie.read(t) for t in range(movie.n_frames)])


@pytest.mark.parametrize("axes", ["TZYX", "ZTYX", "TYXZ", "YXZT", "ZYXT"])
@pytest.mark.parametrize("compression", [None, "zlib", "lzw"])
def test_any_order_of_named_axes(axes, compression, division, tmp_path):
    stored = division.transpose(["TZYX".index(letter) for letter in axes])
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, stored, metadata={"axes": axes}, compression=compression, photometric="minisblack")
    np.testing.assert_array_equal(read(path, voxel_size_zyx_um=UM), division)


def test_any_order_of_ome_planes(division, tmp_path):
    path = tmp_path / "a.ome.tif"
    tifffile.imwrite(path, division.transpose(1, 0, 2, 3), ome=True, metadata={"axes": "ZTYX"}, compression="zlib")
    np.testing.assert_array_equal(read(path, voxel_size_zyx_um=UM), division)


@pytest.mark.parametrize(("given", "shape"), [("TZYX", 4), ("tczyx", 5), ("Z,Y,X", 3)])
def test_given_axes(given, shape, division, tmp_path):
    stored = {4: division, 5: division[:, None], 3: division[0]}[shape]
    tifffile.imwrite(tmp_path / "a.tif", stored, photometric="minisblack", imagej=shape == 4)
    found = read(tmp_path / "a.tif", voxel_size_zyx_um=UM, axes=given)
    np.testing.assert_array_equal(found, division if shape > 3 else division[:1])


def write_set(folder: Path, frames: np.ndarray, *, companion: bool = False) -> list[Path]:
    """Write an OME-TIFF set of one file a frame; each holds the XML of all, or refers to a companion file."""
    uuids = [f"urn:uuid:{uuid4()}" for _ in frames]
    names = [f"cells_T{t}.ome.tif" for t in range(len(frames))]
    _, z, y, x = frames.shape
    data = "".join(
        f'<TiffData FirstT="{t}" FirstZ="0" FirstC="0" IFD="0" PlaneCount="{z}"><UUID FileName="{name}">{uuid}</UUID>'
        "</TiffData>"
        for t, (name, uuid) in enumerate(zip(names, uuids, strict=True))
    )
    sizes = f'SizeX="{x}" SizeY="{y}" SizeZ="{z}" SizeC="1" SizeT="{len(frames)}" Type="uint16"'
    scale = 'PhysicalSizeX="0.25" PhysicalSizeY="0.2" PhysicalSizeZ="0.5" TimeIncrement="90"'
    pixels = f'<Pixels ID="Pixels:0" DimensionOrder="XYZCT" {sizes} {scale}><Channel ID="Channel:0:0"/>{data}</Pixels>'
    whole = '<?xml version="1.0" encoding="UTF-8"?><OME xmlns="{}" UUID="{}"><Image ID="Image:0">{}</Image></OME>'
    binary = '<?xml version="1.0" encoding="UTF-8"?><OME xmlns="{}" UUID="{}"><BinaryOnly MetadataFile="{}" UUID="{}"/></OME>'
    folder.mkdir(exist_ok=True)
    if companion:
        (folder / "cells.companion.ome").write_text(whole.format(OME, "urn:uuid:0", pixels))
    for name, uuid, frame in zip(names, uuids, frames, strict=True):
        xml = (
            binary.format(OME, uuid, "cells.companion.ome", "urn:uuid:0")
            if companion
            else whole.format(OME, uuid, pixels)
        )
        tifffile.imwrite(
            folder / name, frame, description=xml, metadata=None, photometric="minisblack", compression="lzw"
        )
    return [folder / name for name in names]


@pytest.mark.parametrize("companion", [False, True])
def test_a_set_is_one_movie_from_any_of_its_files(companion, division, tmp_path):
    files = write_set(tmp_path / "set", division, companion=companion)
    for path in files:
        (movie,) = open_movies(path)
        assert (movie.name, movie.n_frames, movie.source) == ("cells", 6, str(files[0]))
        assert movie.spacing_zyx_um == UM
        np.testing.assert_array_equal(read(path), division)


@pytest.mark.parametrize("companion", [False, True])
def test_a_set_counts_once(companion, division, write, tmp_path):
    files = write_set(tmp_path / "set", division, companion=companion)
    (movie,) = open_movies(tmp_path / "set")
    assert (movie.name, movie.n_frames, movie.where(3)) == ("cells", 6, f"{files[3]}, frame 3")
    every = [movie for path in files for movie in open_movies(path)]
    assert len(name_apart(every)) == 1
    if companion:
        (movie,) = open_movies(tmp_path / "set" / "cells.companion.ome")
        np.testing.assert_array_equal(movie.read(5), division[5])
    write["ome-tiff"](tmp_path / "set" / "other", division)
    assert [movie.name for movie in open_movies(tmp_path / "set")] == ["cells", "other"]


@pytest.mark.parametrize("companion", [False, True])
def test_a_file_of_a_set_that_is_not_there(companion, division, tmp_path):
    files = write_set(tmp_path / "set", division, companion=companion)
    files[2].unlink()
    with pytest.raises(
        InputError, match=r"T0.ome.tif: one of 6 files of an OME-TIFF set, of which cells_T2.ome.tif is mis"
    ):
        open_movies(files[0])
    files[4].unlink()
    with pytest.raises(InputError, match=r"cells_T2.ome.tif and 1 more are missing; copy all files of the set"):
        open_movies(files[1])


def test_a_companion_that_is_not_there(division, tmp_path):
    first, *_ = write_set(tmp_path / "set", division, companion=True)
    (tmp_path / "set" / "cells.companion.ome").unlink()
    with pytest.raises(InputError, match=r"its metadata are in cells.companion.ome, which is not beside it"):
        open_movies(first)


def test_fewer_planes_than_announced(division, tmp_path):
    path = tmp_path / "a.ome.tif"
    tifffile.imwrite(path, division, ome=True, metadata={"axes": "TZYX"}, compression="zlib")
    content = path.read_bytes()
    path.write_bytes(content.replace(b'SizeT="6"', b'SizeT="8"').replace(b'PlaneCount="144"', b'PlaneCount="192"'))
    with pytest.raises(InputError, match=r"its OME-XML announces 192 planes, 48 of which are not in the file"):
        open_movies(path, voxel_size_zyx_um=UM)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.float16])
def test_whole_numbers_as_floats(dtype, division, tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", division.astype(dtype), metadata={"axes": "TZYX"})
    np.testing.assert_array_equal(read(tmp_path / "a.tif", voxel_size_zyx_um=UM), division)


def test_a_codec_that_is_missing(division, tmp_path, monkeypatch):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, division, compression="lzw", photometric="minisblack")
    monkeypatch.setattr(tifffile.TIFF, "DECOMPRESSORS", tifffile.tifffile.CompressionCodec(encode=False), raising=False)
    monkeypatch.setattr(tifffile.tifffile, "imagecodecs", None)
    with pytest.raises(
        InputError, match=r"a.tif: compressed with LZW, which needs the package imagecodecs; pip install"
    ):
        open_movies(path, voxel_size_zyx_um=UM)


def test_a_codec_that_nobody_has(division, tmp_path):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, division, compression="lzw", photometric="minisblack", byteorder="<")
    with tifffile.TiffFile(path) as file:
        places = [page.tags["Compression"].valueoffset for page in file.pages]
    content = bytearray(path.read_bytes())
    for place in places:
        content[place : place + 2] = (40000).to_bytes(2, "little")
    path.write_bytes(bytes(content))
    with pytest.raises(InputError, match=r"a.tif: compressed with .*, which cannot be read; save it with LZW"):
        open_movies(path, voxel_size_zyx_um=UM)


@pytest.mark.parametrize(
    ("head", "content"),
    [
        (b"", "an empty file"),
        (b"\x89PNG\r\n", "a PNG picture"),
        (b"\x89HDF\r\n", "an HDF5 file"),
        (b"PK\x03\x04", "a zip file"),
        (b"version https://git-lfs.github.com/spec/v1\n", r"a pointer of Git LFS .*git lfs pull"),
        (b"<html>", "a page or XML text"),
    ],
)
def test_files_that_only_have_the_ending(head, content, tmp_path):
    (tmp_path / "a.tif").write_bytes(head)
    with pytest.raises(InputError, match=rf"a\.tif: not a TIFF file but {content}"):
        open_movies(tmp_path / "a.tif")


def test_a_pipe_does_not_hang(tmp_path):
    import os

    os.mkfifo(tmp_path / "a.tif")
    with pytest.raises(InputError, match="not a regular file"):
        open_movies(tmp_path / "a.tif", voxel_size_zyx_um=UM)


def test_a_header_that_claims_too_much_for_its_file(tmp_path):
    path = tmp_path / "a.tif"
    with tifffile.TiffWriter(path) as file:
        file.write(
            np.zeros((4, 5, 6), np.uint16),
            compression="zlib",
            metadata={"axes": "ZYX"},
            rowsperstrip=5,
            photometric="minisblack",
        )
    content = path.read_bytes()
    with tifffile.TiffFile(path) as file:
        places = [page.tags[name].valueoffset for page in file.pages for name in ("ImageWidth", "ImageLength")]
    changed = bytearray(content)
    for place in places:
        changed[place : place + 2] = (20000).to_bytes(2, sys.byteorder)
    changed = changed.replace(b'"shape": [4, 5, 6]', b'"shape": [4,20000,20000]'[:18].ljust(18))
    path.write_bytes(bytes(changed))
    with pytest.raises(InputError, match=r"a\.tif"):
        open_movies(path, voxel_size_zyx_um=UM)


@pytest.mark.parametrize("length", [1, 2, 3])
@pytest.mark.parametrize("bigtiff", [False, True])
def test_pages_that_form_a_circle(length, bigtiff, tmp_path):
    """The last page names an earlier one as the next, for ever."""
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, np.ones((4, 5, 6), np.uint8), photometric="minisblack", bigtiff=bigtiff, compression="zlib")
    with tifffile.TiffFile(path) as tiff:
        pages, form = [page.offset for page in tiff.pages], tiff.tiff
    content = bytearray(path.read_bytes())
    at = pages[-1] + form.tagnosize + form.tagsize * int.from_bytes(content[pages[-1] :][: form.tagnosize], "little")
    content[at : at + form.offsetsize] = pages[-length].to_bytes(form.offsetsize, "little")
    path.write_bytes(content)
    with pytest.raises(InputError, match="truncated or damaged"):
        read(path, voxel_size_zyx_um=UM)


@pytest.mark.parametrize("companion", [False, True])
@pytest.mark.parametrize(
    ("good", "bad"), [('SizeY="{}"', 'SizeY="1999999999999"'), ('PlaneCount="{}"', 'PlaneCount="77777777777"')]
)
def test_a_set_that_announces_more_planes_than_memory_holds(companion, good, bad, division, tmp_path):
    files = write_set(tmp_path / "set", division, companion=companion)
    good = good.format(division.shape[2 if "Y" in good else 1])
    for path in (tmp_path / "set").iterdir():
        content = path.read_bytes()
        path.write_bytes(content.replace(good.encode(), bad.encode()) if path.suffix == ".ome" else content)
        if not companion:
            with tifffile.TiffFile(path) as tiff:
                frame, xml = tiff.asarray(), tiff.pages.first.description
            tifffile.imwrite(path, frame, description=xml.replace(good, bad), metadata=None, photometric="minisblack")
    with pytest.raises(InputError, match=r"OME-XML announces .* planes"):
        read(files[0])

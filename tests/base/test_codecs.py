"""Foreign Zarr arrays: chunks that were cut off, claims of memory, and codecs that run code."""

import json
import pickle
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import numcodecs
import numpy as np
import pytest
import zarr
from zarr.codecs import BloscCodec

from cytoform.base.codecs import checked_codecs, require_safe
from cytoform.errors import InputError
from cytoform.movies.readers import open_movies
from cytoform.movies.tracking.geff import read_geff

UM = (1.0, 1.0, 1.0)


def write_labels(path: Path, zarr_format: Any) -> Path:
    labels = np.zeros((2, 8, 16, 16), np.uint16)
    labels[:, 2:6, 4:12, 4:12] = 1
    codec: Any = BloscCodec() if zarr_format == 3 else numcodecs.Blosc()
    array = zarr.create_array(
        path, shape=labels.shape, chunks=(1, 8, 16, 16), dtype="u2", compressors=codec, zarr_format=zarr_format
    )
    array[...] = labels
    return path


def first_chunk(path: Path) -> Path:
    return next(file for file in (path / "c" / "0" / "0" / "0" / "0", path / "0.0.0.0") if file.is_file())


def read_frames(path: Path) -> list[np.ndarray]:
    (movie,) = open_movies(path, axes="TZYX", voxel_size_zyx_um=UM)
    return [movie.read(frame) for frame in range(movie.n_frames)]


@pytest.mark.parametrize("zarr_format", [2, 3])
def test_whole_chunks_are_read(zarr_format: int, tmp_path: Path) -> None:
    frames = read_frames(write_labels(tmp_path / "a.zarr", zarr_format))
    assert [int(frame.sum()) for frame in frames] == [4 * 8 * 8] * 2


@pytest.mark.parametrize("zarr_format", [2, 3])
@pytest.mark.parametrize("kept", [0, 3, 16, 40])
def test_a_chunk_that_was_cut_off_is_one_line(zarr_format: int, kept: int, tmp_path: Path) -> None:
    path = write_labels(tmp_path / "a.zarr", zarr_format)
    chunk = first_chunk(path)
    chunk.write_bytes(chunk.read_bytes()[:kept])
    with pytest.raises(InputError, match="frame 0: the array cannot be read"):
        read_frames(path)


@pytest.mark.parametrize("zarr_format", [2, 3])
def test_a_claim_of_memory_is_refused_before_it_is_reserved(zarr_format: int, tmp_path: Path) -> None:
    path = write_labels(tmp_path / "a.zarr", zarr_format)
    chunk = first_chunk(path)
    content = bytearray(chunk.read_bytes())
    content[4:8] = struct.pack("<I", 2**31 - 32)
    chunk.write_bytes(content)
    with pytest.raises(InputError, match="frame 0: the array cannot be read"):
        read_frames(path)


class Trap:
    """An object that leaves a file behind when it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.mark,)


def set_trap(array: Path, mark: Path) -> None:
    metadata = json.loads((array / ".zarray").read_text())
    trapped = {"dtype": "|O", "fill_value": None, "compressor": None}
    metadata |= trapped | {"filters": [{"id": "vlen-utf8"}, {"id": "pickle"}]}
    (array / ".zarray").write_text(json.dumps(metadata))
    for chunk in (file for file in array.iterdir() if file.name[0] != "."):
        chunk.write_bytes(pickle.dumps(Trap(mark)))


def test_a_movie_that_would_run_code_is_refused(tmp_path: Path) -> None:
    path = write_labels(tmp_path / "a.zarr", 2)
    set_trap(path, tmp_path / "mark")
    with pytest.raises(InputError):
        read_frames(path)
    assert not (tmp_path / "mark").exists()


def test_tracks_that_would_run_code_are_refused(tmp_path: Path) -> None:
    group = zarr.open_group(tmp_path / "a.geff", mode="w", zarr_format=2)
    group.attrs["geff"] = {"axes": [{"name": "t", "type": "time"}]}
    group.create_array("nodes/ids", shape=(3,), chunks=(3,), dtype="i4", compressors=None, filters=None)[...] = 1
    set_trap(tmp_path / "a.geff" / "nodes" / "ids", tmp_path / "mark")
    with pytest.raises(InputError, match=r"a\.geff: its GEFF graph cannot be read \(ValueError\)"):
        read_geff(tmp_path / "a.geff", spacing_zyx_um=UM)
    assert not (tmp_path / "mark").exists()


def test_numbers_are_safe(tmp_path: Path) -> None:
    with checked_codecs():
        array = zarr.open_array(write_labels(tmp_path / "a.zarr", 3), mode="r")
    require_safe(array)


def test_many_damaged_members_are_one_line(tmp_path: Path) -> None:
    for name in ("labels/one", "labels/two", "labels/three"):
        zarr.open_group(tmp_path / "a.zarr", mode="a", zarr_format=2).create_array(name, data=np.ones((2, 3, 4), "u2"))
        (tmp_path / "a.zarr" / name / ".zattrs").write_text('{"a": "b')
    told = subprocess.run(
        [sys.executable, "-m", "cytoform", "info", "a.zarr"], cwd=tmp_path, capture_output=True, text=True
    )
    assert (told.returncode, told.stdout) == (2, "")
    assert told.stderr.count("\n") == 1

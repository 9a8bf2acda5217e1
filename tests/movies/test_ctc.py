"""The Cell Tracking Challenge writer: accepted by the challenge's own check, exact, repeatable."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st

from cytoform.errors import InputError
from cytoform.movies.ctc import CtcWriter
from cytoform.movies.lineage import Lineage, Track
from cytoform.movies.readers import open_movies


def validate(root: Path, room: Path) -> dict[str, float]:
    """`ctc_validate` of py-ctcmetrics, which looks at results: the same files under their names."""
    from ctc_metrics.scripts.validate import validate_sequence

    for path in sorted((root / "01_GT" / "TRA").iterdir()):
        name = path.name.replace("man_track.txt", "res_track.txt").replace("man_track", "mask")
        shutil.copyfile(path, room / name)
    return validate_sequence(str(room), threads=1)


def test_the_challenges_own_check_accepts_it(write, division, tmp_path):
    (tmp_path / "01_RES").mkdir()
    root = write["challenge"](tmp_path / "cells", division)
    assert validate(root, tmp_path / "01_RES") == {"Valid": 1}


def test_the_check_would_notice(write, division, tmp_path):
    (tmp_path / "01_RES").mkdir()
    division[4][division[4] == 300] = 0
    root = write["challenge"](tmp_path / "cells", division)
    with pytest.warns(UserWarning, match="Label 300 in res_track but not in mask"):
        assert validate(root, tmp_path / "01_RES") == {"Valid": 0}


def test_same_labels_same_bytes(write, division, tmp_path):
    first, second = (write["challenge"](tmp_path / name, division) for name in ("a", "b"))
    files = [path.relative_to(first) for path in sorted(first.rglob("*")) if path.is_file()]
    assert [str(path) for path in files[:2]] == ["01_GT/SEG/man_seg000.tif", "01_GT/SEG/man_seg001.tif"]
    assert len(files) == 13
    for path in files:
        assert (first / path).read_bytes() == (second / path).read_bytes()


def test_files_are_small_16_bit_volumes(write, division, tmp_path):
    root = write["challenge"](tmp_path / "cells", division)
    path = root / "01_GT" / "TRA" / "man_track003.tif"
    read = tifffile.imread(path)
    assert (read.dtype, read.shape) == (np.uint16, division.shape[1:])
    with tifffile.TiffFile(path) as file:
        assert "DateTime" not in file.pages.first.tags
    assert path.stat().st_size < division[3].nbytes / 5


@settings(max_examples=25, deadline=None)
@given(
    spacing=st.tuples(*[st.floats(0.001, 1000).map(lambda size: float(f"{size:.6g}"))] * 3),
    step=st.none() | st.floats(0.001, 1e5),
)
def test_the_scale_survives(spacing, step, tmp_path_factory):
    folder = tmp_path_factory.mktemp("ctc") / "cells"
    writer = CtcWriter(folder, n_frames=1, spacing_zyx_um=spacing, time_step_s=step, sequence="02")
    writer.write(0, np.ones((3, 4, 5), np.int64))
    writer.finish(Lineage((Track(1, 0, 0, 0),)))
    (movie,) = open_movies(folder)
    assert movie.spacing_zyx_um == pytest.approx(spacing, rel=1e-6)
    assert movie.time_step_s == (None if step is None else pytest.approx(step))
    assert movie.name == "cells_02"


def test_more_than_a_thousand_frames_have_four_digits(tmp_path):
    writer = CtcWriter(tmp_path / "c", n_frames=1001, spacing_zyx_um=(1.0, 1.0, 1.0), segmentation=False)
    writer.write(1000, np.ones((2, 2, 2), np.uint8))
    assert [path.name for path in (tmp_path / "c").rglob("*.tif")] == ["man_track1000.tif"]


def test_images_stand_beside_their_masks(tmp_path):
    writer = CtcWriter(tmp_path / "c", n_frames=8, spacing_zyx_um=(1.0, 0.5, 0.5), time_step_s=9.0, tracking=False)
    labels, image = np.ones((2, 3, 4), np.uint16), np.linspace(0, 1, 24, dtype=np.float32).reshape(2, 3, 4)
    writer.write(7, labels, image)
    files = sorted(path.relative_to(tmp_path / "c").as_posix() for path in (tmp_path / "c").rglob("*.tif"))
    assert files == ["01/t007.tif", "01_GT/SEG/man_seg007.tif"]
    assert np.array_equal(tifffile.imread(tmp_path / "c" / files[0]), image)
    with tifffile.TiffFile(tmp_path / "c" / files[0]) as file:
        assert file.imagej_metadata["finterval"] == 9.0
    writer.write(0, labels[:1], image[:1])
    assert tifffile.imread(tmp_path / "c" / "01" / "t000.tif").shape == (3, 4)


def test_a_file_has_its_name_only_when_it_is_whole(tmp_path, monkeypatch):
    writer = CtcWriter(tmp_path / "c", n_frames=1, spacing_zyx_um=(1.0, 1.0, 1.0))

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space left"):
        writer.write(0, np.ones((2, 2, 2), np.uint8))
    assert list(tmp_path.rglob("*.tif*")) == []


def test_compression_changes_bytes_and_no_voxel(tmp_path):
    labels = np.random.default_rng(0).integers(0, 9, (4, 20, 20))
    for level in (1, 9):
        CtcWriter(tmp_path / f"{level}", 1, (1.0, 1.0, 1.0), level=level).write(0, labels)
    first, second = (tmp_path / name / "01_GT" / "TRA" / "man_track000.tif" for name in "19")
    assert first.read_bytes() != second.read_bytes()
    assert np.array_equal(tifffile.imread(first), tifffile.imread(second))


def test_faults_of_the_caller(tmp_path):
    writer = CtcWriter(tmp_path / "c", n_frames=2, spacing_zyx_um=(1.0, 1.0, 1.0))
    with pytest.raises(InputError, match=r"man_track001.tif: label 65536, but no more than 65535"):
        writer.write(1, np.full((2, 2, 2), 65536))
    with pytest.raises(InputError, match="label 3 runs to frame 2 but there are 2 frames"):
        writer.finish(Lineage((Track(3, 0, 2, 0),)))
    with pytest.raises(RuntimeError, match=r"frames \[0, 1\] were not written"):
        writer.finish(Lineage((Track(3, 0, 1, 0),)))

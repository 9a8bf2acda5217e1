"""Layouts for training: what lies where, and that images, labels and voxel sizes come through."""

import json
from pathlib import Path

import nibabel
import numpy as np
import pytest
import tifffile
from paired import grey, two_cells, write_movie, write_pairs

from cytoform import cli
from cytoform.errors import InputError
from cytoform.exchange.trainers import core_and_border, export_training

DEEP = np.stack([np.zeros_like(two_cells()), two_cells(), two_cells()])


@pytest.fixture
def flat(tmp_path: Path) -> Path:
    return write_movie(tmp_path / "flat", 2)


@pytest.fixture
def deep(tmp_path: Path) -> Path:
    return write_pairs(tmp_path / "deep", [grey(DEEP), grey(DEEP, seed=1)], [DEEP, DEEP])


def names(folder: Path) -> list[str]:
    found = [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()]
    return sorted(set(found) - {"provenance.json"})


def test_stardist_has_an_image_and_a_mask_of_one_name(deep: Path, tmp_path: Path) -> None:
    assert export_training([deep], tmp_path / "out", to="stardist") == 2
    assert names(tmp_path / "out") == [f"{k}/deep_01_t00{n}.tif" for k in ("images", "masks") for n in (0, 1)]
    assert np.array_equal(tifffile.imread(tmp_path / "out" / "masks" / "deep_01_t001.tif"), DEEP)
    assert np.array_equal(tifffile.imread(tmp_path / "out" / "images" / "deep_01_t001.tif"), grey(DEEP, seed=1))


def test_stardist_gets_planes_of_flat_data(flat: Path, tmp_path: Path) -> None:
    export_training([flat], tmp_path / "out", to="stardist")
    assert tifffile.imread(tmp_path / "out" / "masks" / "flat_01_t000.tif").ndim == 2


def test_cellpose_gets_every_plane_with_a_cell(flat: Path, deep: Path, tmp_path: Path) -> None:
    assert export_training([flat, deep], tmp_path / "out", to="cellpose") == 2 + 4
    found = names(tmp_path / "out")
    assert {"flat_01_t000.tif", "flat_01_t000_masks.tif", "deep_01_t001_z002.tif"} <= set(found)
    assert not any("z000" in name for name in found)
    assert np.array_equal(tifffile.imread(tmp_path / "out" / "deep_01_t000_z001_masks.tif"), two_cells())


def test_nnunet_finds_cases_channels_and_labels(deep: Path, tmp_path: Path) -> None:
    out = tmp_path / "Dataset007_Cells"
    assert export_training([deep], out, to="nnunet", spacing_zyx_um=(1.0, 0.5, 0.25)) == 2
    about = json.loads((out / "dataset.json").read_text())
    cases = [path.name.removesuffix(about["file_ending"]) for path in sorted((out / "labelsTr").iterdir())]
    assert len(cases) == about["numTraining"] == 2
    for case in cases:
        image = nibabel.load(out / "imagesTr" / f"{case}_0000{about['file_ending']}")
        labels = nibabel.load(out / "labelsTr" / f"{case}{about['file_ending']}")
        assert image.shape == labels.shape == DEEP.shape[::-1]
        assert image.header.get_zooms() == labels.header.get_zooms() == (0.25, 0.5, 1.0)
        values = np.asarray(labels.dataobj)
        assert set(np.unique(values)) == set(about["labels"].values())
        assert np.array_equal(values > 0, (DEEP > 0).transpose(2, 1, 0))


def test_cells_that_touch_are_told_apart() -> None:
    labels = np.zeros((1, 6, 12), np.uint16)
    labels[0, :, :6], labels[0, :, 6:] = 1, 2
    found = core_and_border(labels)[0]
    assert (found[:, 5:7] == 2).all()
    assert (found[:, :5] == 1).all()


def test_faults_are_named_and_leave_nothing(flat: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "empty").mkdir()
    before = sorted(path.name for path in tmp_path.iterdir())
    for words, message in (
        ([str(flat), "--to", "nnunet", "--out", str(tmp_path / "cells")], "Dataset001_Cells"),
        ([str(tmp_path / "empty"), "--to", "stardist", "--out", str(tmp_path / "x")], "no images 01/t000.tif"),
        ([str(flat), "--to", "stardist", "--out", str(flat / "x")], "inside it"),
        ([str(flat), "--to", "cellpose", "--resume", "--out", str(tmp_path / "x")], "leave them out"),
    ):
        assert cli.run(["export", *words]) == 2
        assert message in capsys.readouterr().err
    assert sorted(path.name for path in tmp_path.iterdir()) == before
    (tmp_path / "other").mkdir()
    twin = write_movie(tmp_path / "other" / "flat", 2)
    with pytest.raises(InputError, match="same name"):
        export_training([flat, twin], tmp_path / "x", to="stardist")


def test_the_command_writes_and_replaces_its_own(
    flat: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["export", str(flat), "--to", "cellpose", "--out", str(tmp_path / "out")]
    assert cli.run(command) == 0
    assert "2 images with masks" in capsys.readouterr().out
    assert cli.run(command) == 2
    assert cli.run([*command, "--overwrite"]) == 0

"""The options of train and generate that turn cells."""

from pathlib import Path

import pytest
from refusals import assert_refused
from tiny import SMALL

from cytoform import cli
from cytoform.runs.config import read_config
from cytoform.shapes.store import ShapeStore

SETTINGS = [word for setting in (*SMALL, "training.epochs=60") for word in ("--set", setting)]


def test_train_and_generate(balls: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run, new = tmp_path / "run", tmp_path / "new.zarr"
    poses = ["--align", "principal", "--rotations", "learned"]
    assert cli.run(["train", str(balls), "--out", str(run), "--workers", "1", *SETTINGS, *poses]) == 0
    config = read_config(run / "config.toml")
    assert (config.data.align, config.model.rotations) == ("principal", "learned")
    capsys.readouterr()
    assert cli.run(["info", str(run)]) == 0
    assert "one rotation a sequence: aligned principal, learned learned" in capsys.readouterr().out
    common = ["--prior", "around", "--frames", "1", "--grid", "32"]
    assert cli.run(["generate", str(run), "--out", str(new), *common]) == 0
    assert ShapeStore.open(new)["new0000"].info.rotation_wxyz is not None
    assert cli.run(["generate", str(run), "--out", str(new), "--overwrite", "--pose", "canonical", *common]) == 0
    assert ShapeStore.open(new)["new0000"].info.rotation_wxyz is None


def test_impossible_options_are_one_line(trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = str(tmp_path / "out")
    generate = ["generate", str(trained), "--out", out, "--pose"]
    assert_refused([*generate, "random"], "train with --align principal", capsys, folder=tmp_path)
    assert_refused([*generate, "upright"], "upright", capsys, folder=tmp_path)
    train = ["train", "shapes.zarr", "--out", out]
    assert_refused([*train, "--align", "poles"], "poles", capsys, folder=tmp_path)
    assert_refused([*train, "--resume", "--align", "none"], "keeps the settings", capsys, folder=tmp_path)
    assert_refused([*train, "--set", "data.align=poles"], "data.align", capsys, folder=tmp_path)

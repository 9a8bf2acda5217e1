"""The commands from a shape store to new cells, as a user calls them, and what goes wrong in between."""

import json
import os
import signal
import time
from pathlib import Path

import pytest
from processes import Cytoform, cytoform
from refusals import assert_refused

from cytoform import cli
from cytoform.shapes.store import ShapeStore

SMALL = [
    "--set", "model.width=24", "--set", "model.depth=3", "--set", "model.code_dim=4", "--set", "model.code_layers=[1,2]",
    "--set", "model.omega=6.0", "--set", "sampling.pool_points=3000", "--workers", "1",
]  # fmt: skip


def call(*arguments: object, cwd: Path, status: int = 0, largest_file: int | None = None) -> str:
    found, out, error = cytoform(*arguments, cwd=cwd, largest_file=largest_file)
    assert found == status, error
    if status == 2:
        assert error.count("\n") == 1, error
    return error if status else out


def test_train_reconstruct_generate_evaluate(balls: Path, tmp_path: Path) -> None:
    said = call("train", balls, "--out", "run", *SMALL, "--set", "training.epochs=40", cwd=tmp_path)
    assert "next: cytoform generate run" in said
    assert {path.name for path in (tmp_path / "run").iterdir()} == {
        "config.toml", "model.safetensors", "priors.safetensors", "provenance.json", "metrics.csv", "checkpoints",
        "choice.json", "tensorboard",
    }  # fmt: skip
    provenance = json.loads((tmp_path / "run" / "provenance.json").read_text())
    assert provenance["versions"]["cytoform"]
    assert len(provenance["data_sha256"]) == 64
    call("reconstruct", "run", "--out", "rec.zarr", "--grid", "40", "--frames", "3", "--sequences", "b", cwd=tmp_path)
    store = ShapeStore.open(tmp_path / "rec.zarr")
    assert (store.names, store.grid.size, store["b"].info.n_frames) == (["b"], 40, 3)
    said = call("generate", "run", "--out", "new.zarr", "-n", "2", "--seed", "3", cwd=tmp_path)
    assert "next: cytoform" in said
    assert len(ShapeStore.open(tmp_path / "new.zarr")) == 2
    assert "learned 2 sequences" in call("info", "run", cwd=tmp_path)
    assert call("info", "new.zarr", "--quiet", cwd=tmp_path) == ""
    error = call("generate", "run", "--out", "new.zarr", "-n", "2", cwd=tmp_path, status=2)
    assert "--overwrite" in error


@pytest.mark.long
def test_sigterm_then_resume_gives_the_same_bytes(balls: Path, tmp_path: Path) -> None:
    settings = [*SMALL, "--set", "training.epochs=60", "--set", "training.frames_per_batch=1"]
    call("train", balls, "--out", "whole", *settings, cwd=tmp_path)
    process = Cytoform("train", balls, "--out", "run", *settings, cwd=tmp_path)
    metrics = tmp_path / "run" / "metrics.csv"
    while process.poll() is None and not (metrics.exists() and metrics.read_text().count("\n") > 3):
        time.sleep(0.02)
    process.send_signal(signal.SIGTERM)
    out, _ = process.communicate()
    assert process.returncode == 130
    assert "--resume" in out
    assert not (tmp_path / "run" / "model.safetensors").exists()
    error = call("reconstruct", "run", "--out", "rec.zarr", cwd=tmp_path, status=2)
    assert "--resume" in error
    error = call("train", balls, "--out", "run", "--resume", "--preset", "paper", cwd=tmp_path, status=2)
    assert "keeps the settings" in error
    call("train", balls, "--out", "run", "--resume", cwd=tmp_path)
    whole, resumed = ((tmp_path / name / "model.safetensors").read_bytes() for name in ("whole", "run"))
    assert whole == resumed


@pytest.mark.long
def test_killed_rendering_leaves_no_store(trained: Path, tmp_path: Path) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        process = Cytoform(
            "reconstruct", trained, "--out", "rec.zarr", "--grid", "256", "--frames", "200", cwd=tmp_path
        )
        while process.poll() is None and not list(tmp_path.glob(".rec.zarr.partial/new/rec.zarr/a/sdf/c")):
            time.sleep(0.05)
        process.send_signal(number)
        process.communicate()
        assert process.returncode in (130, -signal.SIGKILL)
        assert not (tmp_path / "rec.zarr").exists()


def test_a_full_disk_is_one_line(trained: Path, tmp_path: Path) -> None:
    """A limit on the size of a file stands in for the disk: writing more fails as it would there."""
    error = call("reconstruct", trained, "--out", "rec.zarr", cwd=tmp_path, status=2, largest_file=200)
    assert "cytoform: " in error
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--grid", "0"], "--grid 0"),
        (["--grid", "5000"], "--grid 5000"),
        (["--frames", "0"], "--frames 0"),
        (["--sequences", "nobody"], "nobody"),
        (["--safety", "-1"], "--safety"),
        (["--method", "fast"], "fast"),
    ],
)
def test_impossible_renderings(
    trained: Path, tmp_path: Path, arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["reconstruct", str(trained), "--out", str(tmp_path / "rec.zarr"), *arguments]
    assert_refused(command, words, capsys, folder=tmp_path)


def test_unknown_setting_names_the_nearest(balls: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["train", str(balls), "--out", str(tmp_path / "run"), "--set", "training.epoch=3"]
    assert_refused(command, "did you mean training.epochs", capsys, folder=tmp_path)


@pytest.mark.long
@pytest.mark.usefixtures("blank_figures")
def test_demo_ends_with_a_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0})  # one core, one worker
    size = ["--cells", "2", "--frames", "4", "--grid", "32", "--epochs", "10"]
    assert cli.run(["demo", "--out", str(tmp_path / "demo"), *size]) == 0
    assert "report.html" in capsys.readouterr().out
    page = (tmp_path / "demo" / "report" / "report.html").read_text()
    assert "data:image/png;base64" in page
    assert "http://" not in page.replace("http://www.w3.org", "")
    assert ShapeStore.open(tmp_path / "demo" / "generated.zarr").names == ["new0000", "new0001"]
    assert json.loads((tmp_path / "demo" / "report" / "results.json").read_text())["jaccard"]["per_frame"]

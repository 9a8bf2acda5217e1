"""`cytoform texture train` as a user calls it."""

import signal
import time
from pathlib import Path

import pytest
from discs import TINY, write_discs
from processes import Cytoform
from refusals import assert_refused

from cytoform import cli

SETTINGS = [word for setting in TINY for word in ("--set", setting)]


@pytest.fixture(scope="module")
def discs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_discs(tmp_path_factory.mktemp("discs") / "discs")


def test_it_says_what_it_wrote_and_what_comes_next(
    discs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "model"
    arguments = ["texture", "train", str(discs), "--out", str(out), "--frames", "0", "3", "--device", "cpu", *SETTINGS]
    assert cli.run(arguments) == 0
    said = capsys.readouterr().out
    assert "of 4 pairs" in said
    assert f"wrote {out}" in said
    assert f"next: cytoform texture render {out}" in said
    assert {path.name for path in out.iterdir()} >= {
        "config.toml",
        "model.safetensors",
        "provenance.json",
        "metrics.csv",
    }


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--frames", "0", "2"], "3 pairs"),
        (["--set", "training.crop_px=100"], "smaller than a crop of 100"),
        (["--set", "training.epoch=1"], "did you mean training.epochs"),
        (["--preset", "big"], "paper, small"),
        (["--resume", "--preset", "small"], "leave --preset"),
        (["--resume"], "begin it without --resume"),
        (["--set", "training.perceptual_file=vgg.safetensors"], "vgg.safetensors: no such file"),
    ],
)
def test_refusals(more: list[str], words: str, discs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings = [] if "--resume" in more else SETTINGS
    arguments = ["texture", "train", str(discs), "--out", str(tmp_path / "model"), *settings, *more]
    assert_refused(arguments, words, capsys, folder=tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.long)])
def test_a_signal_stops_it_with_a_checkpoint(number: signal.Signals, discs: Path, tmp_path: Path) -> None:
    out = tmp_path / "model"
    arguments = ["texture", "train", str(discs), "--out", str(out), *SETTINGS, "--set", "training.epochs=100000"]
    process = Cytoform(*arguments)
    metrics = out / "metrics.csv"
    while process.poll() is None and (not metrics.exists() or metrics.read_text().count("\n") < 2):
        time.sleep(0.05)
    process.send_signal(number)
    said, error = process.communicate(timeout=60)
    assert (process.returncode, error) == (130, "")
    assert "--resume" in said
    assert list((out / "checkpoints").glob("*.safetensors"))


def test_info_says_what_it_is(discs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "model"
    assert (
        cli.run(["texture", "train", str(discs), "--out", str(out), "--voxel-size", "1", "0.5", "0.5", *SETTINGS]) == 0
    )
    capsys.readouterr()
    assert cli.run(["info", str(out)]) == 0
    said = capsys.readouterr().out
    assert "texture model: global generator of 4 channels" in said
    assert "projection of uint16, pixels of 0.5 × 0.5 µm" in said

"""`info`: a line or more on every kind of output."""

import os
import re
from pathlib import Path

import pytest

from cytoform.errors import InputError
from cytoform.reports.contents import info
from cytoform.runs.config import load_config
from cytoform.runs.stage import train


def test_stores_and_runs(balls: Path, trained: Path) -> None:
    assert info(balls)[0].startswith("shape store: 2 sequences, 32³ voxels")
    assert "learned 2 sequences: a, b" in info(trained)


def test_components_know_no_epochs_and_no_parameters(balls: Path, tmp_path: Path) -> None:
    train(balls, tmp_path / "run", load_config(preset="linear"))
    first, second, *_ = info(tmp_path / "run")
    assert "components of distances" in first
    assert first.endswith("learned in closed form")
    assert re.match(r"components of [\d,]*[1-9][\d,]* numbers, steepest slope", second)


def test_an_unfinished_run(trained: Path, tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_bytes((trained / "config.toml").read_bytes())
    assert "not finished" in info(tmp_path)[-1]
    os.mkfifo(tmp_path / "model.safetensors")
    with pytest.raises(InputError, match=r"model\.safetensors: a pipe"):
        info(tmp_path)


@pytest.mark.parametrize(
    ("file", "words"),
    [
        ("results.json", "assessment"),
        ("provenance.json", "made by: cytoform"),
        ("a.pth", "read it with 'cytoform import"),
        ("a.gif", "film of 0.0 MB"),
    ],
)
def test_other_outputs(file: str, words: str, tmp_path: Path) -> None:
    (tmp_path / file).write_text("{}")
    assert words in info(tmp_path if file.endswith("json") else tmp_path / file)[0]


def test_missing_and_foreign_files(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="none: no such file or folder"):
        info(tmp_path / "none")
    (tmp_path / "a.csv").write_text("1,2")
    with pytest.raises(InputError, match=r"a\.csv: no label movie; give a TIFF"):
        info(tmp_path / "a.csv")

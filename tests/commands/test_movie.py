"""`cytoform movie` as a user calls it, and what it refuses."""

import resource
import sys
from pathlib import Path

import numpy as np
import pytest
from refusals import assert_refused
from stores import ball, write_store

from cytoform import cli
from cytoform.pictures.film import write as module
from pictures import coloured, decoded


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("movie")
    names = [f"cell{n:02d}" for n in range(8)]
    return write_store(folder / "cells.zarr", {name: [ball(2.0), ball(3.0)] for name in names})


def movie(store: Path, out: Path, *more: str) -> int:
    return cli.run(["movie", str(store), "--out", str(out), "--workers", "1", "--size", "240", "160", *more])


@pytest.mark.parametrize("name", ["a.mp4", "a.gif", "a"])
def test_six_of_eight_cells(store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    assert movie(store, tmp_path / name, "--fps", "10", "--background", "black", "--colour", "#1b9e77") == 0
    printed = capsys.readouterr().out
    assert "2 pictures (0.2 s) of 240 × 160" in printed
    assert "cell00, cell01, cell03, cell04, cell06, cell07" in printed
    assert f"wrote {tmp_path / name}" in printed
    first, last = decoded(tmp_path / name)
    assert first.shape == (160, 240, 3)
    assert first[0, 0].max() < 5
    assert coloured(last).sum() > 1.5 * coloured(first).sum()
    assert np.argmax(last[coloured(last)].mean(axis=0)) == 1
    assert_refused(["movie", str(store), "--out", str(tmp_path / name)], "--overwrite", capsys, folder=tmp_path)
    assert movie(store, tmp_path / name, "--overwrite", "--quiet", "--no-labels", "--sequences", "cell02") == 0
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--out", "a.avi"], "ends in .mp4 or .gif"),
        (["--out", "a.mp4", "--size", "641", "360"], "even; use 640 360"),
        (["--out", "a.mp4", "--size", "1280000", "720"], "64 to 8192"),
        (["--out", "a.gif", "--size", "0", "-3"], "64 to 8192"),
        (["--out", "a.gif", "--size", "80", "64"], "too small for 6 cells"),
        (["--out", "a.gif", "--sequences", "zebra"], "no sequence 'zebra'"),
        (["--out", "a.gif", "--frame", "2"], "frames 0 to 1"),
        (["--out", "a.gif", "--background", "transparent"], "transparent"),
        (["--out", "a.mp4", "--background", "transparent"], "transparent"),
        (["--out", "a.gif", "--colour", "blau"], "--colour blau"),
        (["--out", "a.gif", "--fps", "nan"], "--fps nan"),
        (["--out", "a.gif", "--seconds", "-1"], "--seconds -1"),
        (["--out", "a.png", "--seconds", "3"], "does not move"),
        (["--out", "a.gif", "--view", "nan", "3"], "--view"),
        (["--out", "a.gif", "--workers", "0"], "--workers 0"),
        (["--out", "a.gif", "--against", "no.zarr"], "no such shape store"),
        (["--out", "no/a.gif"], "no such folder"),
    ],
)
def test_faults_are_one_line_and_leave_nothing(
    store: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    words: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    one = [] if "--workers" in arguments else ["--workers", "1"]
    assert_refused(["movie", str(store), *arguments, *one], words, capsys, folder=tmp_path)


def test_stores_that_show_nothing(store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    none, strange = write_store(tmp_path / "none.zarr", {}), write_store(tmp_path / "b.zarr", {"x": [ball(2.0)]})
    out = ["--out", str(tmp_path / "a.gif")]
    assert_refused(["movie", str(none), *out], "holds no sequence", capsys, folder=tmp_path)
    assert_refused(
        ["movie", str(store), "--against", str(strange), *out], "no sequence has the name", capsys, folder=tmp_path
    )
    assert_refused(["movie", str(tmp_path / "no.zarr"), *out], "no such shape store", capsys, folder=tmp_path)


def test_mp4_without_pyav(
    store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    arguments = ["movie", str(store), "--out", str(tmp_path / "a.mp4")]
    assert_refused(arguments, "pip install 'cytoform[movie]'", capsys, folder=tmp_path)


@pytest.mark.parametrize("name", ["a.mp4", "a.gif", "a.png", "a"])
def test_a_full_disk_leaves_nothing(store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
    try:
        assert movie(store, tmp_path / name, "--sequences", "cell00", "cell01") == 2
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    error = capsys.readouterr().err
    assert "nothing was left half written" in error
    assert error.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["a.mp4", "a.gif", "a"])
def test_ctrl_c_leaves_nothing(
    store: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    name: str,
) -> None:
    drawn, calls = module.draw, []

    def draw(pages: list) -> list[np.ndarray]:
        if calls:
            raise KeyboardInterrupt
        calls.append(1)
        return drawn(pages)

    monkeypatch.setattr(module, "draw", draw)
    monkeypatch.setattr(module, "PAGES_A_TASK", 1)
    assert movie(store, tmp_path / name) == 130
    assert capsys.readouterr().err == "cytoform: stopped\n"
    assert list(tmp_path.iterdir()) == []

"""`cytoform protrusions`: tables and graphs of a store of cells with known protrusions, and clear refusals."""

import csv
from pathlib import Path

import numpy as np
import pytest
from protruding import GRID, OFF, cell, filopodial_frames
from refusals import assert_refused
from stores import write_store

from cytoform import cli


@pytest.fixture(scope="module")
def filopodia(tmp_path_factory: pytest.TempPathFactory) -> Path:
    frames = filopodial_frames(4)
    return write_store(tmp_path_factory.mktemp("p") / "cells.zarr", {"one": frames, "two": frames[:2]}, grid=GRID)


def protrusions(*arguments: str | Path) -> int:
    return cli.run(["protrusions", *map(str, arguments), "--workers", "1"])


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def written(filopodia: Path) -> Path:
    out = filopodia.parent / "tracks"
    assert protrusions(filopodia, "--out", out) == 0
    return out


def test_tables_and_graphs_agree(written: Path) -> None:
    import geff

    names = {"protrusions.csv", "protrusion_tracks.csv", "one.geff", "two.geff", "provenance.json"}
    assert {path.name for path in written.iterdir()} == names
    tracks, sightings = rows(written / "protrusion_tracks.csv"), rows(written / "protrusions.csv")
    assert len(tracks) == 18
    assert {(row["sequence"], row["frames"]) for row in tracks} == {("one", "4"), ("two", "2")}
    for name in ("one", "two"):
        graph, _ = geff.read(written / f"{name}.geff")
        assert len(graph) == sum(row["sequence"] == name for row in sightings) == 9 * (4 if name == "one" else 2)
    # Tubes grow or withdraw by 0.2 µm in a minute.
    speeds = [
        float(row[f"{way}_um_per_min"])
        for row in tracks
        for way in ("growth", "withdrawal")
        if row[f"{way}_um_per_min"]
    ]
    assert np.median(speeds) == pytest.approx(0.2, abs=0.06)


def test_it_says_the_verdict_and_info_does_too(
    filopodia: Path, written: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert protrusions(filopodia, "--out", tmp_path / "out", "--sequences", "two") == 0
    said = capsys.readouterr().out
    assert "bodies with protrusions: 9 a frame" in said
    assert "9 protrusions and branches, seen 18 times" in said
    assert cli.run(["info", str(filopodia)]) == 0
    assert "bodies with protrusions: 9 a frame" in capsys.readouterr().out
    assert cli.run(["info", str(written)]) == 0
    assert "made by: cytoform protrusions" in capsys.readouterr().out


def test_cells_without_protrusions_are_refused_unless_a_radius_is_given(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    balls = write_store(
        tmp_path / "balls.zarr", {"a": [cell([], balls=[(OFF, 1.6 + 0.1 * t)]) for t in range(2)]}, grid=GRID
    )
    arguments = ["protrusions", str(balls), "--out", str(tmp_path / "out"), "--workers", "1"]
    assert_refused(arguments, "not bodies with protrusions", capsys, folder=tmp_path)
    assert cli.run([*arguments, "--radius", "0.6"]) == 0
    assert "not bodies with protrusions" in capsys.readouterr().out
    assert rows(tmp_path / "out" / "protrusion_tracks.csv") == []


def test_graphs_need_their_package(
    filopodia: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("cytoform.base.geff.find_spec", lambda name: None)
    assert protrusions(filopodia, "--out", tmp_path / "out", "--sequences", "two", "--radius", "0.6") == 0
    assert "pip install 'cytoform[benchmark]'" in capsys.readouterr().out
    assert not list((tmp_path / "out").glob("*.geff"))
    assert len(rows(tmp_path / "out" / "protrusion_tracks.csv")) == 9


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--radius", "-1"], "--radius -1"),
        (["--sequences", "three"], "no sequence 'three'"),
    ],
)
def test_unusable_input_is_refused(
    more: list[str], words: str, filopodia: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert_refused(
        ["protrusions", str(filopodia), "--out", str(tmp_path / "out"), *more], words, capsys, folder=tmp_path
    )


def test_an_existing_folder_is_kept(
    filopodia: Path, written: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert_refused(["protrusions", str(filopodia), "--out", str(written)], "exists", capsys, folder=written)

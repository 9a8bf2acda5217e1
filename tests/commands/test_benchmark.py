"""The command `cytoform benchmark`: a data set with card and preview from runs or stores, or one clear line."""

import errno
import json
from pathlib import Path

import numpy as np
import pytest
import tifffile
from flat import ellipses
from refusals import assert_refused
from squares import write_squares

from cytoform.base.digest import folder_sha256
from cytoform.cli import run
from cytoform.movies.readers import open_movies
from cytoform.scenes.dataset import Dataset
from scenes import files_of, write_pairs


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_pairs(tmp_path_factory.mktemp("pairs") / "pairs.zarr")


def options(out: Path, *more: str, frames: int = 3, cells: int = 2) -> list[str]:
    small = ["--size", "24", "48", "48", "--voxel-size", "0.5", "0.5", "0.5", "--workers", "1"]
    return ["--out", str(out), "--cells", str(cells), "--frames", str(frames), *small, *more]


def test_a_data_set_with_card_and_preview(pairs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "set"
    assert run(["benchmark", str(pairs), *options(out, "--licence", "CC-BY-4.0", "--seed", "2", frames=6)]) == 0
    said = capsys.readouterr().out
    assert "6 frames" in said
    assert f"next: cytoform prepare {out}" in said
    card, page = (out / "README.md").read_text(), (out / "index.html").read_text()
    for words in (
        "license: CC-BY-4.0",
        "Voxels claimed by two cells | 0 |",
        "pairs.zarr",
        "| Seed | 2 |",
        "0.5 × 0.5 × 0.5",
    ):
        assert words in card
    assert page.count("<img") == 3
    assert json.loads((out / "provenance.json").read_text())["sources"][0]["name"] == "pairs.zarr"
    image = tifffile.imread(out / "01" / "t000.tif")
    labels = tifffile.imread(out / "01_GT" / "TRA" / "man_track000.tif")
    assert image.shape == labels.shape == (24, 48, 48)
    assert image[labels > 0].mean() > 2 * image[labels == 0].mean()
    (movie,) = open_movies(out)
    assert (movie.time_step_s, movie.n_frames) == (60, 6)
    assert {path.name for path in out.iterdir()} == {
        "01", "01_GT", "01.ome.zarr", "01.geff", "README.md", "index.html", "provenance.json"
    }  # fmt: skip


def test_cells_of_a_run_and_of_a_store_in_one_scene(pairs: Path, trained: Path, tmp_path: Path) -> None:
    out = tmp_path / "set"
    more = ["--texture", "none", "--quiet", "--time-step", "20", "--no-geff", "--no-ome-zarr"]
    assert run(["benchmark", str(trained), str(pairs), *options(out, *more, cells=4)]) == 0
    sizes = np.bincount(tifffile.imread(out / "01_GT" / "TRA" / "man_track000.tif").ravel())[1:] * 0.125
    assert len(sizes) >= 3
    assert sizes.min() > 20
    assert not (out / "01").exists()


def test_without_the_package_geff_there_is_no_graph(
    pairs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("cytoform.base.geff.find_spec", lambda name: None)
    out, plain = tmp_path / "set", ["--texture", "none", "--no-ome-zarr"]
    assert run(["benchmark", str(pairs), *options(out, *plain, frames=2)]) == 0
    assert "no GEFF graphs, which need the package geff: pip install 'cytoform[benchmark]'" in capsys.readouterr().out
    assert not (out / "01.geff").exists()
    assert (out / "01_GT" / "TRA" / "man_track.txt").exists()
    arguments = ["benchmark", str(pairs), *options(tmp_path / "other", *plain, "--geff", frames=2)]
    assert_refused(arguments, "--geff needs the package geff", capsys, folder=tmp_path)


def test_a_series_of_light(pairs: Path, tmp_path: Path) -> None:
    out = tmp_path / "set"
    assert run(["benchmark", str(pairs), *options(out, "--series", "snr=0.5,2", "--quiet", frames=1)]) == 0
    contrast = {}
    for name in ("snr-0.5", "snr-2"):
        image, labels = (
            tifffile.imread(out / name / file).astype(float) for file in ("01/t000.tif", "01_GT/TRA/man_track000.tif")
        )
        far = labels == 0
        contrast[name] = (image[labels > 0].mean() - image[far].mean()) / np.median(
            np.abs(image[far] - np.median(image[far]))
        )
    assert contrast["snr-2"] > 1.7 * contrast["snr-0.5"]
    masks = [(out / name / "01_GT" / "TRA" / "man_track000.tif").read_bytes() for name in contrast]
    assert masks[0] == masks[1]
    assert "snr-0.5" in (out / "README.md").read_text()


REFUSED = {
    "crowd": (["--cells", "40"], "too crowded"),
    "depth": (["--size", "8", "48", "48"], "µm deep"),
    "texture": (["--texture", "nothing.toml"], "no such file"),
    "cells": (["--cells", "0"], "--cells 0"),
    "size": (["--size", "1", "48", "48"], "--size"),
    "gap": (["--gap", "5"], "--gap"),
    "series": (["--series", "colour=1"], "--series"),
    "values": (["--series", "planes=1,2.5"], "whole numbers"),
    "motion": (["--motion", "nowhere.zarr"], "nowhere.zarr"),
    "still": (["--motion", "PAIRS"], "no sequence records how its cell moved"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_is_one_line(case: str, pairs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    more, words = REFUSED[case]
    given = [str(pairs) if word == "PAIRS" else word for word in more]
    plain = ["--texture", "none", "--no-geff", "--no-ome-zarr"]
    arguments = ["benchmark", str(pairs), *options(tmp_path / "set", *plain)]
    for option in given[::2]:  # options that are given twice are refused for that
        if option in arguments and option.startswith("--"):
            place = arguments.index(option)
            del arguments[place : place + (4 if option == "--size" else 2)]
    assert_refused([*arguments, *given], words, capsys, folder=tmp_path)


def test_a_full_disk_is_one_line_and_resume_goes_on(
    pairs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    out, plain = tmp_path / "set", ["--texture", "none", "--no-geff", "--no-ome-zarr", "--quiet"]
    written = Dataset.write

    def full(self: Dataset, frame: int, labels: np.ndarray, image: np.ndarray | None, **more: bool) -> None:
        if frame == 2:
            raise OSError(errno.ENOSPC, "No space left on device", "man_track002.tif")
        written(self, frame, labels, image, **more)

    with monkeypatch.context() as patch:
        patch.setattr(Dataset, "write", full)
        assert run(["benchmark", str(pairs), *options(out, *plain)]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "no space left" in error
    assert "2 finished frames are kept; the same command with --resume goes on" in error
    assert not out.exists()
    assert run(["benchmark", str(pairs), *options(out, *plain, "--resume")]) == 0
    assert run(["benchmark", str(pairs), *options(tmp_path / "whole", *plain)]) == 0
    assert files_of(out) == files_of(tmp_path / "whole")


def test_an_existing_output_stays_unless_it_is_to_be_overwritten(
    pairs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, plain = tmp_path / "set", ["--texture", "none", "--no-geff", "--no-ome-zarr", "--quiet"]
    assert run(["benchmark", str(pairs), *options(out, *plain)]) == 0
    assert_refused(["benchmark", str(pairs), *options(out, *plain)], "--overwrite", capsys, folder=tmp_path)
    assert run(["benchmark", str(pairs), *options(out, *plain, "--overwrite", "--seed", "1")]) == 0
    assert json.loads((out / "provenance.json").read_text())["seed"] == 1


def test_help_is_quick_about_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["benchmark", "--help"]) == 0
    assert "--projection" in capsys.readouterr().out


def test_no_such_cells(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["benchmark", str(tmp_path / "none"), *options(tmp_path / "set", "--texture", "none")]
    words = "none: no such run folder or shape store; give a run folder of 'cytoform train' or a shape store"
    assert_refused(arguments, words, capsys, folder=tmp_path)


def test_a_scene_like_a_real_movie_says_what_it_took(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    flat, real, out = ellipses(tmp_path / "flat.zarr", 2, 2), write_squares(tmp_path / "real"), tmp_path / "set"
    plain = ["--texture", "none", "--no-geff", "--no-ome-zarr", "--workers", "1", "--frames", "4"]
    assert run(["benchmark", str(flat), "--like", str(real), "--out", str(out), *plain]) == 0
    said = capsys.readouterr().out
    assert "real: --frames 4 as given; the movie: 10\n" in said
    assert "statistics lie within the 95 % intervals of real" in said
    card, page = (out / "README.md").read_text(), (out / "index.html").read_text()
    assert "| size of a whole cell, median (µm²) | " in card
    assert "- --cycle-spread: not taken, only 0 lives" in card
    assert "Beside real" in card
    assert "Beside real" in page
    recorded = json.loads((out / "provenance.json").read_text())
    assert recorded["like"]["name"] == "real"
    assert recorded["resemblance"] == 0.9
    absent = ["benchmark", str(flat), "--like", str(tmp_path / "absent"), "--out", str(tmp_path / "b")]
    assert_refused(absent, "no such file or folder", capsys, folder=tmp_path)


@pytest.mark.parametrize("name", ["embryo", "filopodia", "monolayer"])
@pytest.mark.slow
def test_a_recipe_rebuilds_the_same_bytes(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Twice, with one worker and with two; the checksum that is said is that of the folder."""
    for out, workers in (("one", "1"), ("two", "2")):
        assert run(["benchmark", "--recipe", name, "--small", "--out", str(tmp_path / out), "--workers", workers]) == 0
    said = [line for line in capsys.readouterr().out.splitlines() if line.startswith("checksum")]
    assert said == [f"checksum: sha256 {folder_sha256(tmp_path / 'one')}"] * 2
    assert files_of(tmp_path / "one") == files_of(tmp_path / "two")
    assert (tmp_path / "one" / "protrusions.csv").exists() == (name == "filopodia")


def test_a_recipe_of_a_file(pairs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recipe, out = tmp_path / "recipe.toml", tmp_path / "set"
    text = f'title = "x"\nsources = ["{pairs}"]\n[options]\ncells = 2\nframes = 2\nsize = [24, 48, 48]\n'
    text += 'voxel-size = [0.5, 0.5, 0.5]\ntexture = "none"\ngeff = false\nome-zarr = false\nseed = 2\n'
    recipe.write_text(text)
    assert run(["benchmark", "--recipe", str(recipe), "--out", str(out), "--workers", "1"]) == 0
    assert json.loads((out / "provenance.json").read_text())["seed"] == 2
    assert "cytoform benchmark" in capsys.readouterr().out
    other = ["benchmark", "--recipe", str(recipe), "--out", str(tmp_path / "b")]
    assert_refused([*other, "--cells", "3"], "it holds RUN and all options", capsys, folder=tmp_path)
    recipe.write_text(text + "cels = 3\n")
    assert_refused(other, "--cels", capsys, folder=tmp_path)


def test_an_interrupted_scene_like_a_real_movie_goes_on_to_the_same_bytes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With --neighbour from the movie, and by hand; another distance is another scene."""
    flat, real, out = ellipses(tmp_path / "flat.zarr", 2, 2), write_squares(tmp_path / "real"), tmp_path / "set"
    plain = ["--texture", "none", "--no-geff", "--no-ome-zarr", "--workers", "1", "--frames", "3", "--quiet"]
    command = ["benchmark", str(flat), "--like", str(real), *plain]
    written = Dataset.write

    def stopped(self: Dataset, frame: int, labels: np.ndarray, image: np.ndarray | None, **more: bool) -> None:
        if frame == 2:
            raise OSError(errno.ENOSPC, "No space left on device", "man_track002.tif")
        written(self, frame, labels, image, **more)

    with monkeypatch.context() as patch:
        patch.setattr(Dataset, "write", stopped)
        assert run([*command, "--out", str(out)]) == 2
    capsys.readouterr()
    assert run([*command, "--out", str(out), "--resume", "--neighbour", "3"]) == 2
    assert "--resume with another --neighbour" in capsys.readouterr().err
    assert run([*command, "--out", str(out), "--resume"]) == 0
    assert run([*command, "--out", str(tmp_path / "whole")]) == 0
    assert files_of(out) == files_of(tmp_path / "whole")
    assert json.loads((out / "provenance.json").read_text())["neighbour_um"] > 0


def test_the_card_says_how_cells_meet_and_what_is_hard(tmp_path: Path) -> None:
    flat, out = ellipses(tmp_path / "flat.zarr", 2, 2), tmp_path / "set"
    small = [
        "--cells",
        "20",
        "--frames",
        "3",
        "--size",
        "1",
        "48",
        "48",
        "--voxel-size",
        "1",
        "0.4",
        "0.4",
        "--workers",
        "1",
    ]
    more = ["--confluence", "0.8", "--polarity", "1", "--drift", "0", "0.1", "0", "--debris", "4", "--missing", "0.3"]
    assert run(["benchmark", str(flat), "--out", str(out), *small, *more, "--no-geff", "--no-ome-zarr", "--quiet"]) == 0
    card = (out / "README.md").read_text()
    for words in ("| Contact | to a depth of 0.15 radii", "| Confluence | 80 %", "| debris | 4 |", "SEG has no mask"):
        assert words in card
    assert "| Drift of all cells | 0.1 × 0 µm/min |" in card
    assert len(list((out / "01_GT" / "SEG").iterdir())) == 2

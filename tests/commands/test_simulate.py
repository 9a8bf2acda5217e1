"""The command `cytoform simulate`: a folder with movies and a report, or one clear line."""

import json

import pytest
from refusals import assert_refused

from cytoform.cli import run
from cytoform.movies.readers import open_movies
from cytoform.shapes.store import ShapeStore

SMALL = ["--cells", "2", "--frames", "3", "--voxel-size", "0.25", "0.25", "0.25", "--workers", "1"]


@pytest.mark.usefixtures("blank_figures")
@pytest.mark.parametrize("kind", ["mitosis", "filopodia", "blebs"])
def test_movies_report_and_provenance(kind, tmp_path, capsys):
    out = tmp_path / "cells"
    assert run(["simulate", kind, "--out", str(out), "--seed", "7", *SMALL]) == 0
    assert "next: cytoform prepare" in capsys.readouterr().out
    movies = open_movies(out)
    assert [movie.n_frames for movie in movies] == [3, 3]
    assert movies[0].spacing_zyx_um == pytest.approx((0.25, 0.25, 0.25))
    assert movies[0].time_step_s == {"mitosis": 60.0, "filopodia": 20.0, "blebs": 10.0}[kind]
    provenance = json.loads((out / "provenance.json").read_text())
    assert (provenance["kind"], provenance["seed"], provenance["cells"]) == (kind, 7, 2)
    page = (out / "report.html").read_text()
    assert page.count("<img") == 1
    assert "Surface area" in page
    # The paper has no blebs.
    assert {"mitosis": "34.7 ± 12", "filopodia": "50.8 ± 3.1", "blebs": "Sphericity"}[kind] in page
    assert ("Paper" in page) == (kind != "blebs")


def test_options_reach_the_cells(tmp_path):
    out = tmp_path / "cells"
    options = ["--number", "3", "--radius", "0.3", "--length", "2.5", "--branching", "0", "--size", "80"]
    assert run(["simulate", "filopodia", "--out", str(out), "--no-report", "--quiet", *SMALL, *options]) == 0
    found = json.loads((out / "provenance.json").read_text())["parameters"]
    expected = {"number": 3, "radius_um": 0.3, "length_um": 2.5, "branches_per_min": 0, "size_um3": 80}
    assert {name: found[name] for name in expected} == expected
    assert not (out / "report.html").exists()


def test_blebs_have_voxels_and_frames_of_their_own_and_can_be_prepared(tmp_path):
    out = tmp_path / "cells"
    options = ["--cells", "1", "--frames", "2", "--workers", "1", "--no-report", "--quiet", "--ruffles", "5"]
    assert run(["simulate", "blebs", "--out", str(out), *options]) == 0
    (movie,) = open_movies(out)
    assert movie.spacing_zyx_um == pytest.approx((0.2, 0.2, 0.2))
    store = tmp_path / "shapes.zarr"
    assert run(["prepare", str(out), "--out", str(store), "--grid", "64", "--quiet", "--workers", "1"]) == 0
    (sequence,) = ShapeStore.open(store)
    assert sequence.info.n_frames == 2


def test_generations_and_ome_zarr(tmp_path):
    out = tmp_path / "cells"
    options = [
        "--generations",
        "2",
        "--frames",
        "10",
        "--ome-zarr",
        "--no-report",
        "--quiet",
        "--cells",
        "1",
        "--workers",
        "1",
    ]
    assert run(["simulate", "mitosis", "--out", str(out), "--voxel-size", "0.3", "0.3", "0.3", *options]) == 0
    (movie,) = open_movies(out)
    assert len(movie.lineage.tracks) == 7
    assert (out / "ome_zarr" / "01.zarr" / "zarr.json").exists()


@pytest.mark.parametrize(
    "options",
    [
        ["mitosis", "--cells", "0"],
        ["mitosis", "--frames", "0"],
        ["mitosis", "--time-step", "-1"],
        ["mitosis", "--daughter-share", "1.5"],
        ["mitosis", "--generations", "2", "--frames", "5"],
        ["mitosis", "--cycle", "0.5"],
        ["filopodia", "--radius", "0.01"],
        ["filopodia", "--voxel-size", "0", "1", "1"],
        ["filopodia", "--seed", "-1"],
        ["filopodia", "--cells", "many"],
        ["blebs", "--thickness", "0.1"],
        ["blebs", "--voxel-size", "1.0", "0.09", "0.09"],
        ["blebs", "--bleb-radius", "4"],
        ["blebs", "--blebs", "-1"],
    ],
)
def test_impossible_options_end_with_one_line(options, tmp_path, capsys):
    assert_refused(["simulate", *options, "--out", str(tmp_path / "cells")], "", capsys, folder=tmp_path)

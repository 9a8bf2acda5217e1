"""`cytoform texture evaluate` as a user runs it."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tifffile
from glowing import glowing_discs
from refusals import assert_refused

from cytoform import cli
from cytoform.assess.images import bootstrap
from cytoform.movies.pairs.pairs import MaskedImage


def write_pairs(folder: Path, planes: list[MaskedImage]) -> Path:
    images, masks = folder / "01", folder / "01_GT" / "SEG"
    for each in (images, masks):
        each.mkdir(parents=True)
    for plane in planes:
        tifffile.imwrite(images / f"t{plane.frame:03d}.tif", plane.image_yx)
        tifffile.imwrite(masks / f"man_seg{plane.frame:03d}.tif", plane.labels_yx)
    return folder


@pytest.fixture(autouse=True)
def few_replicates(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap, "REPLICATES", 10)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Real pairs, pairs like them, and pairs of noise."""
    home = tmp_path_factory.mktemp("pairs")
    write_pairs(home / "real", glowing_discs(8, size=160))
    write_pairs(home / "like", glowing_discs(4, size=160, seed=1))
    rng = np.random.default_rng(0)
    noise = [replace(p, image_yx=rng.permuted(p.image_yx)) for p in glowing_discs(4, size=160)]
    write_pairs(home / "noise", noise)
    return home


def test_two_sets_against_frames_left_out(home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    real = str(home / "real")
    run = [
        "texture",
        "evaluate",
        real,
        str(home / "like"),
        str(home / "noise"),
        "--frames",
        "4",
        "7",
        "--out",
        str(out),
    ]
    run += [
        "--train-on",
        real,
        "--train-frames",
        "0",
        "3",
        "--steps",
        "3",
        "--names",
        "Like",
        "Noise",
        "--device",
        "cpu",
    ]
    assert cli.run(run) == 0
    found = json.loads((out / "results.json").read_text())
    like, noise = (found["images"][name]["figures"] for name in ("Like", "Noise"))
    assert like["fooling_both"]["value"] > 0.6
    assert noise["fooling_both"]["value"] < 0.05
    assert like["spectrum_db"]["value"] < noise["spectrum_db"]["value"]
    assert set(found["segmenter"]) == {"segmenter", "Real", "Like", "Noise"}
    assert found["segmenter"]["Real"]["seg_share_of_real"]["value"] in (1.0, None)
    assert sorted(p.name for p in out.iterdir()) == [
        "figures",
        "provenance.json",
        "report.html",
        "results.json",
        "tables",
    ]
    assert f"wrote {out / 'report.html'}" in capsys.readouterr().out
    assert cli.run(["info", str(out)]) == 0


@pytest.mark.long
def test_without_training_pairs_there_is_no_segmenter_and_the_same_seed_gives_the_same_bytes(
    home: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    run = ["texture", "evaluate", str(home / "real"), str(home / "like"), "--out", str(out), "--quiet"]
    assert cli.run(run) == 0
    written = [(out / name).read_bytes() for name in ("results.json", "report.html")]
    assert json.loads(written[0])["segmenter"] is None
    assert cli.run(run) == 2
    assert cli.run([*run, "--overwrite"]) == 0
    assert [(out / name).read_bytes() for name in ("results.json", "report.html")] == written


def test_faults_are_one_line_and_leave_nothing(home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    real, like = str(home / "real"), str(home / "like")
    flat, small, blank = (tmp_path / name for name in ("flat", "small", "blank"))
    planes = glowing_discs(4, size=160)
    write_pairs(flat, [replace(p, image_yx=np.full_like(p.image_yx, 9 + p.frame)) for p in planes])
    write_pairs(small, [replace(p, image_yx=p.image_yx[:20], labels_yx=p.labels_yx[:20]) for p in planes])
    write_pairs(blank, planes)
    shutil.rmtree(blank / "01_GT")
    out = ["--out", str(tmp_path / "out")]
    for arguments, words in {
        (real, like, "--frames", "90", "95"): "no frame from 90 to 95; it has 0 to 7",
        (real, like, "--train-on", real): "--train-frames",
        (real, like, "--train-on", real, "--frames", "0", "4", "--train-frames", "4", "7"): "frame 4",
        (real, like, "--names", "a", "b"): "1 different names",
        (real, like, "--names", "Real"): "other --names",
        (real, like, "--frames", "2", "2"): "at least 2",
        (real, str(flat)): "saturated",
        (real, str(small)): "20 pixels",
        (real, str(blank)): "blank",
        (real, str(tmp_path / "nowhere")): "nowhere",
    }.items():
        assert_refused(["texture", "evaluate", *arguments, *out], words, capsys, folder=tmp_path)

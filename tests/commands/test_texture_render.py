"""`cytoform texture render` as a user calls it."""

import json
from pathlib import Path

import numpy as np
import pytest
import tifffile
from paired import two_cells, write_movie, write_pairs
from refusals import assert_refused
from stores import GRID, ball, empty, write_store

from cytoform import cli
from cytoform.errors import InputError
from cytoform.imaging import rendering
from cytoform.movies.ctc import CtcWriter
from cytoform.movies.lineage import Lineage, Track
from cytoform.movies.pairs.pairs import open_pairs, project_labels
from cytoform.movies.readers import open_movies

FRAMES = {
    "a": [ball(3.0, shift_zyx_um=(0.0, frame, 1.0)) for frame in range(3)],
    "b": [ball(2.0), empty(), ball(2.5)],
}
VOXEL = ["--voxel-size", "1", "0.5", "0.25"]


class Stamp:
    """A texture that writes down what it was asked for: label, frame and seed."""

    dtype = np.dtype(np.uint16)

    def render(self, labels_zyx, *, spacing_zyx_um, frame, seed, projection=False):
        assert labels_zyx.dtype == np.uint16
        image = labels_zyx + np.uint16(100 * frame) + np.uint16(1000 * (seed % 60))
        return image.max(axis=0, keepdims=True) if projection else image


@pytest.fixture
def stamp(monkeypatch: pytest.MonkeyPatch) -> None:
    rendering._opened.cache_clear()
    monkeypatch.setattr(rendering, "open_texture", lambda *_, **__: Stamp())


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_store(tmp_path_factory.mktemp("render") / "cells.zarr", FRAMES)


def render(masks: Path, out: Path, *more: str, model: str = "stamp", workers: int = 1) -> int:
    call = ["texture", "render", model, str(masks), "--out", str(out), "--quiet", "--workers", str(workers)]
    return cli.run([*call, *more])


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.usefixtures("stamp")
def test_a_store_becomes_sequences_of_pairs(store: Path, tmp_path: Path) -> None:
    assert render(store, tmp_path / "out") == 0
    for number, name in (("01", "a"), ("02", "b")):
        seeds = set()
        for frame, sdf_um in enumerate(FRAMES[name]):
            image = tifffile.imread(tmp_path / "out" / number / f"t{frame:03d}.tif")
            mask = tifffile.imread(tmp_path / "out" / f"{number}_GT" / "SEG" / f"man_seg{frame:03d}.tif")
            assert np.array_equal(mask, (sdf_um <= 0).astype(np.uint16))
            assert np.array_equal(image % 100, mask)
            assert (image // 100 % 10 == frame).all()
            seeds |= set((image // 1000).ravel())
        assert len(seeds) == 1
    [a, b] = open_movies(tmp_path / "out")
    assert (a.time_step_s, a.n_frames, b.shape_zyx) == (60, 3, GRID.shape)
    assert b.spacing_zyx_um == pytest.approx((0.5, 0.5, 0.5))


@pytest.mark.usefixtures("stamp")
def test_projections(store: Path, tmp_path: Path) -> None:
    assert render(store, tmp_path / "out", "--projection") == 0
    image = tifffile.imread(tmp_path / "out" / "01" / "t001.tif")
    mask = tifffile.imread(tmp_path / "out" / "01_GT" / "SEG" / "man_seg001.tif")
    assert np.array_equal(mask, project_labels((FRAMES["a"][1] <= 0).astype(np.uint16)))
    assert np.array_equal(image % 100, mask)


@pytest.mark.usefixtures("stamp")
def test_sequences_differ_and_one_alone_looks_the_same(store: Path, tmp_path: Path) -> None:
    for out, more in (("all", []), ("one", ["--sequences", "b", "--frames", "1", "2"]), ("seed", ["--seed", "1"])):
        assert render(store, tmp_path / out, *more) == 0
    whole, one, seed = (contents(tmp_path / out) for out in ("all", "one", "seed"))
    assert {name for name in one if name.startswith("01/")} == {"01/t001.tif", "01/t002.tif"}
    assert one["01/t002.tif"] == whole["02/t002.tif"]
    assert whole["01/t000.tif"] != whole["02/t000.tif"]
    assert whole["02/t002.tif"] != seed["02/t002.tif"]


@pytest.mark.usefixtures("stamp")
@pytest.mark.parametrize("kind", ["challenge", "folder"])
def test_label_movies_in_2d(kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = write_movie(tmp_path / "set", 3)
    masks = root if kind == "challenge" else root / "01_ST" / "SEG"
    assert render(masks, tmp_path / "out", *VOXEL, "--time-step", "30") == 0
    for frame in range(3):
        path = tmp_path / "out" / "01_GT" / "SEG" / f"man_seg{frame:03d}.tif"
        assert np.array_equal(tifffile.imread(path), two_cells(frame))
        assert np.array_equal(tifffile.imread(tmp_path / "out" / "01" / f"t{frame:03d}.tif") % 100, two_cells(frame))
    [movie] = open_movies(tmp_path / "out", flat=True)
    assert movie.spacing_zyx_um == pytest.approx((1, 0.5, 0.25))
    assert movie.time_step_s == 30
    assert cli.run(["info", str(tmp_path / "out")]) == 0
    assert "3 × 40 × 48 (t y x)" in capsys.readouterr().out


@pytest.mark.usefixtures("stamp")
def test_masks_take_the_labels_of_the_tracks(tmp_path: Path) -> None:
    """So that noise stays with a cell where the labels of the masks change from frame to frame."""
    masks = [two_cells(frame) + np.where(two_cells(frame) > 0, frame, 0).astype(np.uint16) for frame in range(3)]
    root = write_pairs(tmp_path / "set", [frame * 0 for frame in masks], masks)
    writer = CtcWriter(root, 3, (1.0, 0.5, 0.5), segmentation=False)
    for frame in range(3):
        writer.write(frame, two_cells(frame)[None])
    writer.finish(Lineage((Track(3, 0, 2, 0), Track(7, 0, 2, 0))))
    assert render(root, tmp_path / "out") == 0
    for frame in range(3):
        path = tmp_path / "out" / "01_GT" / "SEG" / f"man_seg{frame:03d}.tif"
        assert np.array_equal(tifffile.imread(path), two_cells(frame))


@pytest.mark.usefixtures("stamp")
def test_the_card_says_what_it_is_made_of(store: Path, tmp_path: Path) -> None:
    assert render(store, tmp_path / "out", "--seed", "5") == 0
    card = (tmp_path / "out" / "README.md").read_text("utf-8")
    about = json.loads((tmp_path / "out" / "provenance.json").read_text())
    assert about["seed"] == 5
    assert about["source"]["name"] == "cells.zarr"
    assert about["sequences"]["02"]["name"] == "b"
    for words in ("cells.zarr", about["source"]["sha256"], "| seed | 5 |", "| `02` | b | 0–2 |", "cytoform"):
        assert words in card


@pytest.mark.long
def test_the_same_bytes_with_any_number_of_workers(store: Path, tmp_path: Path) -> None:
    for workers in (1, 2):
        assert render(store, tmp_path / str(workers), model="optics", workers=workers) == 0
    assert contents(tmp_path / "1") == contents(tmp_path / "2")
    pairs = open_pairs([tmp_path / "1"])
    assert len(pairs) == 6
    assert pairs.spacing_zyx_um == pytest.approx((0.5, 0.5, 0.5))
    inside = pairs[0].labels_yx > 0
    assert pairs[0].image_yx[inside].mean() > pairs[0].image_yx[~inside].mean()


def test_a_model_that_was_replaced_is_read_again(store: Path, tmp_path: Path) -> None:
    bright, dark = ("[camera]\noffset_adu = 900\n", "[camera]\noffset_adu = 100\n")
    for number, parameters in enumerate((bright, dark)):
        (tmp_path / "microscope.toml").write_text(parameters)
        model = str(tmp_path / "microscope.toml")
        assert render(store, tmp_path / str(number), "--frames", "0", "0", model=model) == 0
    means = [tifffile.imread(tmp_path / str(number) / "01" / "t000.tif").mean() for number in range(2)]
    assert means[0] - means[1] == pytest.approx(800, abs=5)


@pytest.mark.usefixtures("stamp")
def test_faults(store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    call = ["texture", "render", "stamp", str(store), "--out", str(out)]
    for more, words in (
        (["--frames", "1", "3"], "--frames 1 3: a has the frames 0 to 2"),
        (["--frames", "2", "1"], "--frames 2 1"),
        (["--sequences", "c"], "no sequence 'c'; it has a, b"),
        (VOXEL, "leave --voxel-size out"),
        (["--workers", "0"], "--workers 0"),
    ):
        assert_refused([*call, *more], words, capsys, folder=tmp_path)
    assert render(store, out) == 0
    assert_refused(call, "pass --overwrite", capsys, folder=tmp_path)
    assert render(store, out, "--overwrite") == 0
    flat = write_movie(tmp_path / "set", 3)
    unknown = ["texture", "render", "stamp", str(flat), "--out", str(tmp_path / "other")]
    assert_refused(unknown, "pass --voxel-size Z Y X", capsys, folder=tmp_path)


def test_no_such_texture(store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call = ["texture", "render", "none", str(store), "--out", str(tmp_path / "out")]
    assert_refused(call, "none: no such file or folder; give a trained texture model", capsys, folder=tmp_path)


def test_a_fault_in_a_frame_leaves_nothing(store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(self, labels_zyx, *, frame, **_):
        if frame == 2:
            raise InputError("three dimensions of a model that learned projections; pass --projection")
        return labels_zyx

    rendering._opened.cache_clear()
    monkeypatch.setattr(rendering, "open_texture", lambda *_, **__: Stamp())
    monkeypatch.setattr(Stamp, "render", fail)
    assert render(store, tmp_path / "out") == 2
    assert not list(tmp_path.iterdir())

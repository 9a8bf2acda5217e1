"""`cytoform fill`: stores and label movies with gaps, and refusals in one line."""

from pathlib import Path

import numpy as np
import pytest
import tifffile
from moving import moving_ball, overlap
from refusals import assert_refused
from stores import ball, empty, write_store

from cytoform import cli
from cytoform.shapes.store import ShapeSequence, ShapeStore


def fill(*arguments: str | Path) -> int:
    return cli.run(["fill", *map(str, arguments), "--workers", "1"])


@pytest.fixture(scope="module")
def movie(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A label movie of a moving ball that the segmentation has missed in frame 2, on thick planes."""
    path = tmp_path_factory.mktemp("movie") / "cell.tif"
    frames = np.stack([moving_ball(0.5 * time)[1::2] <= 0 for time in range(5)]).astype(np.uint8)
    frames[2] = 0
    tifffile.imwrite(path, frames, imagej=True, metadata={"axes": "TZYX"})
    return path


def test_a_label_movie_is_prepared_and_filled(movie: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "filled.zarr"
    assert fill(movie, "--out", out, "--voxel-size", "1", "0.5", "0.5", "--grid", "32") == 0
    said = capsys.readouterr().out
    assert "4 frames known, 1 filled in, surface to ±" in said
    assert "2 known frames hidden: Jaccard index" in said
    sequence = ShapeStore.open(out)["cell"]
    volumes = [int(sequence.mask(frame).sum()) for frame in range(5)]
    assert volumes[2] == pytest.approx(np.mean(volumes), rel=0.1)
    assert np.diff(np.array(sequence.info.offsets_zyx_um)[:, 2]) == pytest.approx(0.6, abs=0.1)
    assert [path.name for path in tmp_path.iterdir()] == ["filled.zarr"]


def test_it_says_what_it_chose_and_what_is_lost(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = write_store(tmp_path / "a.zarr", {"a": [ball(3 + 0.2 * time) for time in range(4)]})
    assert fill(store, "--out", tmp_path / "finer.zarr", "--frames", "6") == 0
    said = capsys.readouterr().out
    assert "a: 2 frames known, 2 known ones are at no frame of the output, 4 filled in" in said
    assert fill(store, "--out", tmp_path / "planes.zarr", "--every-plane", "2") == 0
    said = capsys.readouterr().out
    assert "planes: " in said
    assert "next: cytoform evaluate" in said
    assert overlap(ShapeStore.open(tmp_path / "planes.zarr")["a"].mask(0), ball(3) <= 0) > 0.94
    assert fill(store, "--out", tmp_path / "two.zarr", "--every-frame", "3") == 0
    assert "no known frame could be hidden" in capsys.readouterr().out


def test_frames_are_added_and_their_worth_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = write_store(tmp_path / "a.zarr", {"a": [moving_ball(0.5 * time) for time in range(6)]})
    assert fill(store, "--out", tmp_path / "longer.zarr", "--after", "2") == 0
    said = capsys.readouterr().out
    assert "a: 6 frames known, 2 filled in" in said
    assert "beyond known frames: " in said
    assert "1 frame away 0." in said
    assert "2 frames away 0." in said
    assert ShapeStore.open(tmp_path / "longer.zarr")["a"].info.n_frames == 8


@pytest.mark.parametrize(
    ("frames", "more", "words"),
    [
        ([empty(), empty()], [], "a: 0 of 2 frames are known, so there is nothing to fill from"),
        ([ball(3), empty()], [], "a: 1 of 2 frames is known"),
        ([ball(3), ball(3)], ["--every-plane", "0"], "--every-plane 0"),
        ([ball(3), ball(3)], ["--sequences", "b"], "no sequence 'b'"),
        ([ball(3), ball(3)], ["--voxel-size", "1", "1", "1"], "a shape store knows its scale"),
    ],
)
def test_unusable_input_is_refused(
    frames: list[np.ndarray], more: list[str], words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = write_store(tmp_path / "a.zarr", {"a": frames})
    assert_refused(["fill", str(store), "--out", str(tmp_path / "out.zarr"), *more], words, capsys, folder=tmp_path)


def test_a_run_is_an_input_like_any_other(trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = write_store(tmp_path / "a.zarr", {"a": [ball(3), ball(3), ball(3)]})
    for out in (trained, trained / "filled.zarr"):
        command = ["fill", str(store), "--run", str(trained), "--out", str(out), "--overwrite", "--every-frame", "2"]
        assert_refused(command, "is the input", capsys, folder=tmp_path)
    assert (trained / "model.safetensors").exists()


def test_an_existing_output_is_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = write_store(tmp_path / "a.zarr", {"a": [ball(3), ball(3)]})
    assert_refused(["fill", str(store), "--out", str(store)], "is the input", capsys, folder=tmp_path)


def test_interrupted_while_a_movie_is_prepared_nothing_is_left_and_no_resume_is_promised(
    movie: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(ShapeSequence, "write", stop)
    more = ["--voxel-size", "1", "0.5", "0.5", "--grid", "32"]
    assert fill(movie, "--out", tmp_path / "filled.zarr", *more) == 130
    assert capsys.readouterr().err == "cytoform: stopped\n"
    assert not list(tmp_path.iterdir())

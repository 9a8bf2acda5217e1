"""`cytoform fit` as a user calls it: on a store, on a movie, and with what it cannot use."""

from pathlib import Path

import numpy as np
import pytest
import tifffile
from refusals import assert_refused
from stores import ball, empty, write_store

from cytoform import cli
from cytoform.shapes.grid import Grid
from cytoform.shapes.store import ShapeStore

GRID = Grid(32, 6.0)
FEW = ["--steps", "60"]
ANEW = [*FEW, "--grid", "24", "--no-keep-known"]


@pytest.fixture
def unseen(tmp_path: Path) -> Path:
    frames = [ball(2.5, grid=GRID), empty(GRID), ball(3.0, grid=GRID)]
    return write_store(tmp_path / "unseen.zarr", {"c": frames, "d": frames, "void": [empty(GRID)]}, grid=GRID)


def test_gaps_are_filled_in(trained: Path, unseen: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "fitted.zarr"
    assert cli.run(["fit", str(trained), str(unseen), "--out", str(out), "--sequences", "c", *ANEW]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith("c: 2 frames, 1 filled in, error 0.")
    assert "learned cells 0." in said[0]
    assert said[-1].startswith("next: cytoform evaluate")
    store = ShapeStore.open(out)
    assert (store.names, store.grid.size, store["c"].info.n_frames) == (["c"], 24, 3)
    assert all(store["c"].mask(frame).any() for frame in range(3))
    assert store["c"].info.time_step_s == 60


def test_known_frames_are_kept(trained: Path, unseen: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`fill --run` gives the same frames, since it is the same."""
    for command in (["fit", trained, unseen, *FEW], ["fill", unseen, "--run", trained, *FEW]):
        out = tmp_path / f"{command[0]}.zarr"
        assert cli.run([*map(str, command), "--out", str(out), "--sequences", "c"]) == 0
        said = capsys.readouterr().out
        assert "c: 2 frames known, 1 filled in" in said
        assert "no known frame could be hidden" in said
        known, found = ShapeStore.open(unseen)["c"], ShapeStore.open(out)["c"]
        assert all(known.sdf_um(frame).tobytes() == found.sdf_um(frame).tobytes() for frame in (0, 2))
        assert found.mask(1).any()
        assert found.latent["code"].size
        (fitted,) = ShapeStore.open(out).attributes["fits"].values()
        assert (fitted["n_known"], fitted["n_gaps"]) == (2, 1)
        assert 0 < fitted["error_um"] < 1


def test_a_movie_is_prepared_on_the_cube_of_the_run(trained: Path, tmp_path: Path) -> None:
    axis = (np.arange(20) + 0.5) * 0.5 - 5
    mask = np.linalg.norm(np.stack(np.meshgrid(axis, axis, axis, indexing="ij")), axis=0) <= 3
    movie = tmp_path / "cell.tif"
    tifffile.imwrite(movie, np.repeat(mask[None].astype(np.uint8), 2, axis=0), metadata={"axes": "TZYX"})
    arguments = ["fit", str(trained), str(movie), "--out", str(tmp_path / "fitted.zarr"), *ANEW]
    assert cli.run(arguments) == 2  # no voxel size
    assert cli.run([*arguments, "--voxel-size", "0.5", "0.5", "0.5", "--time-step", "4", "--adapt"]) == 0
    store = ShapeStore.open(tmp_path / "fitted.zarr")
    assert store.grid.half_extent_um == 6
    assert store["cell"].mask(0).sum() * store.grid.spacing_um**3 == pytest.approx(4 / 3 * np.pi * 27, rel=0.15)
    assert store["cell"].info.source == "fitted to cell.tif"
    assert {path.name for path in tmp_path.iterdir()} == {"cell.tif", "fitted.zarr"}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--sequences", "void"], "void: none of its 1 frames shows a cell"),
        (["--sequences", "zebra"], "no sequence 'zebra'"),
        (["--steps", "0"], "--steps 0"),
        (["--every-frame", "-1"], "--every-frame -1"),
        (["--every-plane", "4", "--adapt", "--no-keep-known", "--sequences", "c"], "--adapt needs whole frames"),
        (["--grid", "24", "--sequences", "c"], "known frames are kept on their grid of 32"),
        (["--voxel-size", "1", "1", "1"], "leave --voxel-size"),
    ],
)
def test_one_line_and_nothing_written(
    options: list[str], words: str, trained: Path, unseen: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["fit", str(trained), str(unseen), "--out", str(tmp_path / "fitted.zarr"), *options]
    assert_refused(arguments, words, capsys, folder=tmp_path)


def test_no_such_source(trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["fit", str(trained), str(tmp_path / "none.zarr"), "--out", str(tmp_path / "fitted.zarr")]
    assert_refused(arguments, "none.zarr", capsys, folder=tmp_path)

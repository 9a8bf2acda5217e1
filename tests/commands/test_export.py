"""`cytoform export`: each format read back by an independent reader."""

import json
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest
import tifffile
import trimesh
import zarr
from ome_zarr_models.v05.image import Image
from refusals import assert_refused
from stores import GRID, ball, empty, write_store

from cytoform import cli
from cytoform.movies.lineage import Track
from cytoform.movies.readers import open_movies
from cytoform.shapes.store import ShapeSequence, ShapeStore

# Off the middle, so that an exchange of axes shows.
SHIFT_ZYX_UM = (1.0, -2.0, 3.0)
FRAMES = {
    "a": [ball(3.0, shift_zyx_um=SHIFT_ZYX_UM), ball(3.4, shift_zyx_um=SHIFT_ZYX_UM)],
    "b": [empty(), ball(2.0), empty(), ball(2.5), ball(2.6)],
}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_store(tmp_path_factory.mktemp("export") / "cells.zarr", FRAMES)


def export(store: Path, to: str, out: Path, *more: str) -> int:
    return cli.run(["export", str(store), "--to", to, "--out", str(out), "--quiet", *more])


def test_masks(store: Path, tmp_path: Path) -> None:
    assert export(store, "masks", tmp_path / "out") == 0
    for name, frames in FRAMES.items():
        path = tmp_path / "out" / f"{name}.ome.tif"
        assert np.array_equal(tifffile.imread(path), [(sdf <= 0).astype(np.uint8) for sdf in frames])
        [movie] = open_movies(path)
        assert movie.spacing_zyx_um == pytest.approx((0.5, 0.5, 0.5))
        assert movie.time_step_s == 60
        assert np.array_equal(movie.read(1) > 0, frames[1] <= 0)


def test_meshes(store: Path, tmp_path: Path) -> None:
    assert export(store, "meshes", tmp_path / "out") == 0
    assert sorted(path.name for path in (tmp_path / "out" / "b").iterdir()) == ["t001.ply", "t003.ply", "t004.ply"]
    mesh = trimesh.load_mesh(tmp_path / "out" / "a" / "t000.ply")
    assert mesh.is_watertight
    assert mesh.volume == pytest.approx(4 / 3 * np.pi * 27, rel=0.03)
    centre_xyz_um = [GRID.half_extent_um + shift for shift in reversed(SHIFT_ZYX_UM)]
    assert mesh.center_mass == pytest.approx(centre_xyz_um, abs=0.02)


@pytest.mark.parametrize("to", ["meshes", "points"])
def test_surfaces_need_no_dense_volume(to: str, store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ShapeSequence, "sdf_um", lambda *_: pytest.fail("a whole frame was read"))
    monkeypatch.setattr(ShapeSequence, "mask", lambda *_: pytest.fail("a whole frame was read"))
    assert export(store, to, tmp_path / "out") == 0


def test_points(store: Path, tmp_path: Path) -> None:
    assert export(store, "points", tmp_path / "out", "--points", "500") == 0
    clouds = np.load(tmp_path / "out" / "a.npy")
    assert clouds.shape == (2, 500, 3)
    away = clouds - GRID.half_extent_um - np.array(SHIFT_ZYX_UM)
    assert np.linalg.norm(away, axis=2) == pytest.approx(np.array([[3.0], [3.4]]) * np.ones(500), abs=0.06)
    # Evenly spread: the centre of the points is the centre of the ball.
    assert np.abs(away.mean(axis=1)).max() < 0.3
    saved = trimesh.load(tmp_path / "out" / "a" / "t000.ply")
    assert np.asarray(saved.vertices)[:, ::-1] == pytest.approx(clouds[0], abs=1e-5)
    frames_b = np.load(tmp_path / "out" / "b.npy")
    assert np.isnan(frames_b[[0, 2]]).all()
    assert np.isfinite(frames_b[[1, 3, 4]]).all()


def test_ctc(store: Path, tmp_path: Path) -> None:
    """Two sequences; where a family is gone for a frame, another track goes on."""
    assert export(store, "ctc", tmp_path / "out") == 0
    first, second = open_movies(tmp_path / "out")
    assert np.array_equal(first.read(1), (FRAMES["a"][1] <= 0).astype(first.read(1).dtype))
    assert first.spacing_zyx_um == pytest.approx((0.5, 0.5, 0.5))
    assert second.lineage is not None
    assert second.lineage.tracks == (Track(1, 1, 1, 0), Track(2, 3, 4, 1))
    assert set(np.unique(second.read(3))) == {0, 2}
    assert (tmp_path / "out" / "01_GT" / "SEG" / "man_seg001.tif").exists()
    provenance = json.loads((tmp_path / "out" / "provenance.json").read_text())
    assert provenance["sequences"] == ["a", "b"]


def test_h5(store: Path, tmp_path: Path) -> None:
    assert export(store, "h5", tmp_path / "out", "--sequences", "a") == 0
    assert not (tmp_path / "out" / "b.h5").exists()
    with h5py.File(tmp_path / "out" / "a.h5") as file:
        volumes = file["sdf_vid"]
        assert volumes.dtype == np.float32
        assert volumes.shape == (32, 32, 32, 2)
        tzyx = volumes[:].transpose(3, 0, 2, 1) * volumes.attrs["um_per_unit"]
        assert volumes.attrs["time_step_s"] == 60
    kept = ShapeStore.open(store)["a"]
    assert tzyx == pytest.approx(np.stack([kept.sdf_um(0), kept.sdf_um(1)]), abs=1e-5)


def test_ome_zarr(store: Path, tmp_path: Path) -> None:
    """Valid by the standard's own models, with the window that viewers take; its labels are a movie that `prepare` reads."""
    assert export(store, "ome-zarr", tmp_path / "out") == 0
    kept = ShapeStore.open(store)
    for name in FRAMES:
        root = zarr.open_group(tmp_path / "out" / f"{name}.ome.zarr", mode="r")
        image = Image.from_zarr(root).attributes.ome
        (channel,) = image.omero["channels"]
        assert (channel["window"]["start"], channel["window"]["end"]) == (-kept.band_um, kept.band_um)
        assert [axis.name for axis in image.multiscales[0].axes] == list("tzyx")
        frames = np.stack([kept[name].sdf_um(frame) for frame in range(kept[name].info.n_frames)])
        assert np.array_equal(root["0"][:], frames)
        (movie,) = open_movies(tmp_path / "out" / f"{name}.ome.zarr")
        assert movie.spacing_zyx_um == (GRID.spacing_um,) * 3
        assert np.array_equal(np.stack([movie.read(frame) for frame in range(len(frames))]) > 0, frames <= 0)


@pytest.mark.parametrize("to", ["masks", "ome-zarr", "meshes", "points", "ctc", "h5", "mat"])
def test_same_seed_same_bytes(store: Path, tmp_path: Path, to: str) -> None:
    written = []
    for name in ("one", "two"):
        assert export(store, to, tmp_path / name, "--seed", "5") == 0
        files = sorted(path for path in (tmp_path / name).rglob("*") if path.is_file())
        written.append({path.relative_to(tmp_path / name).as_posix(): path.read_bytes() for path in files})
    assert written[0] == written[1]


def test_another_seed_gives_other_points(store: Path, tmp_path: Path) -> None:
    for seed in ("1", "2"):
        assert export(store, "points", tmp_path / seed, "--seed", seed, "--points", "10") == 0
    assert (tmp_path / "1" / "a.npy").read_bytes() != (tmp_path / "2" / "a.npy").read_bytes()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--to", "obj"], "obj"),
        (["--to", "masks", "--sequences", "zebra"], "no sequence 'zebra'"),
        (["--to", "points", "--points", "0"], "--points 0"),
    ],
)
def test_faults_are_one_line_and_leave_nothing(
    store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    assert_refused(["export", str(store), "--out", str(tmp_path / "out"), *arguments], message, capsys, folder=tmp_path)


def test_h5_without_h5py(
    store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "h5py", None)
    assert export(store, "h5", tmp_path / "out") == 2
    assert "pip install 'cytoform[h5]'" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []

"""Shape stores from files in the published layout, against exact shapes, and back through our own export."""

import os
import sys
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
from published import per_frame, write_published_h5, write_published_mat, write_published_mat73
from refusals import assert_refused
from scipy.io import loadmat, savemat
from stores import ball, empty, write_store

from cytoform import cli
from cytoform.errors import InputError
from cytoform.exchange.published_shapes import distance_to_zero, import_shapes
from cytoform.shapes.grid import Grid
from cytoform.shapes.store import ShapeStore
from cytoform.simulate.analytic import Ball, SpikedBall

GRID = Grid(32, 8.0)
CENTRE_ZYX_UM = (7.0, 8.5, 6.0)
# A filopodium along x and a place off the middle: every exchange and every reversal of axes shows.
SPIKED = SpikedBall(2.5, 0.9, 7.0, centre_zyx_um=CENTRE_ZYX_UM)
WRITERS = {"a.h5": write_published_h5, "a.mat": write_published_mat, "b.mat": write_published_mat73}


def exact(shape: SpikedBall | Ball, time: float, grid: Grid = GRID) -> np.ndarray:
    return shape.distance_um(grid.points_zyx_um(), time).reshape(grid.shape)


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize("option", ["--half-extent", "--voxel-size"])
def test_distances_are_measured_anew(name: str, option: str, tmp_path: Path) -> None:
    """In µm, whatever each frame was divided by, for x, y and z where they belong."""
    frames = [exact(SPIKED, time) for time in (0.2, 1.0)]
    path = WRITERS[name](tmp_path / name, frames)
    scale = "8" if option == "--half-extent" else "0.5"
    out = tmp_path / "out.zarr"
    arguments = [
        "import",
        str(path),
        "--out",
        str(out),
        option,
        scale,
        "--time-step",
        "20",
        "--workers",
        "1",
        "--quiet",
    ]
    assert cli.run(arguments) == 0
    store = ShapeStore.open(out)
    assert store.grid == GRID
    sequence = store[path.stem]
    assert (store.attributes["sources"], sequence.info.source) == ([path.name], path.name)
    assert (sequence.info.n_frames, sequence.info.time_step_s) == (2, 20.0)
    for number, frame in enumerate(frames):
        assert np.array_equal(sequence.mask(number), frame <= 0)
        near = np.abs(frame) < 0.95 * store.band_um
        errors = np.abs(sequence.sdf_um(number)[near] - frame[near])
        # A voxel is 0.5 µm; the largest error is at the rim where the filopodium leaves the ball.
        assert errors.mean() < 0.025
        assert np.quantile(errors, 0.99) < 0.1


def test_remeasured_distance_of_a_ball() -> None:
    """Whatever the unit of the level, and a level that bends away from a distance."""
    grid = Grid(48, 6.0)
    distance = exact(Ball(3.3, centre_zyx_um=(6.1, 5.8, 6.2)), 0, grid)
    for level in (distance, 1e-4 * distance, np.sign(distance) * np.abs(distance) ** 1.02):
        found = distance_to_zero(level.astype(np.float32), grid)
        near = np.abs(distance) < 1.0
        assert np.abs(found[near] - distance[near]).max() < 0.02
        assert np.array_equal(found <= 0, level <= 0)


def test_a_cell_cut_by_the_border_stays_itself() -> None:
    distance = exact(Ball(3.0, centre_zyx_um=(8.0, 8.0, 1.0)), 0)
    assert np.array_equal(distance_to_zero(distance, GRID) <= 0, distance <= 0)


def test_workers_change_nothing(tmp_path: Path) -> None:
    path = write_published_mat(tmp_path / "a.mat", [exact(SPIKED, time) for time in (0.2, 0.6, 1.0)])
    for workers in (1, 2):
        import_shapes([path], tmp_path / f"{workers}.zarr", half_extent_um=8.0, workers=workers)
    one, two = (ShapeStore.open(tmp_path / f"{workers}.zarr")["a"] for workers in (1, 2))
    assert all(np.array_equal(one.sdf_um(frame), two.sdf_um(frame)) for frame in range(3))


def test_several_files_one_store(tmp_path: Path) -> None:
    first = write_published_h5(tmp_path / "a.h5", [exact(SPIKED, 0.5)])
    second = write_published_mat(tmp_path / "b.mat", [exact(SPIKED, 1.0), empty(GRID)])
    import_shapes([first, second], tmp_path / "out.zarr", half_extent_um=8.0)
    store = ShapeStore.open(tmp_path / "out.zarr")
    assert store.names == ["a", "b"]
    assert not store["b"].mask(1).any()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.h5", "b.mat", "out.zarr"]


@pytest.mark.parametrize("to", ["h5", "mat"])
def test_our_own_export_comes_back_as_it_was(to: str, tmp_path: Path) -> None:
    frames = [ball(3.0, shift_zyx_um=(1.0, -2.0, 3.0)), empty(), ball(2.7, shift_zyx_um=(0, 0, 0.3))]
    store = write_store(tmp_path / "cells.zarr", {"a": frames, "b": frames[:1]})
    assert cli.run(["export", str(store), "--to", to, "--out", str(tmp_path / "files"), "--quiet"]) == 0
    sources = [str(tmp_path / "files" / f"{name}.{to}") for name in "ab"]
    assert cli.run(["import", *sources, "--out", str(tmp_path / "back.zarr"), "--workers", "1", "--quiet"]) == 0
    before, after = ShapeStore.open(store), ShapeStore.open(tmp_path / "back.zarr")
    assert (after.grid, after.band_um) == (before.grid, before.band_um)
    for sequence in before:
        back = after[sequence.info.name]
        assert back.info.time_step_s == sequence.info.time_step_s
        for frame in range(sequence.info.n_frames):
            assert np.array_equal(back.sdf_um(frame), sequence.sdf_um(frame))
            assert np.array_equal(back.mask(frame), sequence.mask(frame))


def test_the_published_loader_reads_our_mat(tmp_path: Path) -> None:
    store = write_store(tmp_path / "cells.zarr", {"a": [exact(SPIKED, 1.0).astype(np.float32)]}, grid=GRID)
    assert cli.run(["export", str(store), "--to", "mat", "--out", str(tmp_path / "files"), "--quiet"]) == 0
    volumes = loadmat(tmp_path / "files" / "a.mat")["sdf_vid"]
    assert volumes.dtype == np.float32
    kept = ShapeStore.open(store)["a"]
    assert volumes[0].transpose(2, 0, 1) * 8.0 == pytest.approx(kept.sdf_um(0), abs=1e-6)


def test_mat_refuses_what_version_5_cannot_hold(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    store = write_store(tmp_path / "cells.zarr", {"a": [empty(Grid(8, 1.0))] * 3}, grid=Grid(8, 1.0))
    monkeypatch.setattr("cytoform.exchange.formats.MAT5_BYTES", 4 * 3 * 8**3 - 1)
    assert cli.run(["export", str(store), "--to", "mat", "--out", str(tmp_path / "files"), "--quiet"]) == 2
    assert "use --to h5" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["cells.zarr"]


def h5(values: np.ndarray, **attributes: float) -> Path:
    with h5py.File("bad.h5", "w") as file:
        file.create_dataset("sdf_vid", data=values).attrs.update(attributes)
    return Path("bad.h5")


def published(frame: int = 0, value: float | None = None) -> np.ndarray:
    """Two good frames as h5py sees them; one value changed."""
    values = per_frame([exact(SPIKED, time) for time in (0.5, 1.0)]).transpose(3, 2, 1, 0)
    if value is not None:
        values[3, 4, 5, frame] = value
    return values


def truncated(name: str) -> Path:
    path = WRITERS[name](Path(name), [exact(SPIKED, 1.0)])
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    return path


def declared(shape: tuple[int, ...], **options: object) -> Path:
    """A shape that was promised and never written."""
    with h5py.File("bad.h5", "w") as file:
        file.create_dataset("sdf_vid", shape, np.float32, **options)
    return Path("bad.h5")


def half_written() -> Path:
    path = declared((32, 32, 32, 4), chunks=(32, 32, 32, 1), compression="gzip")
    with h5py.File(path, "r+") as file:
        file["sdf_vid"][..., 0] = published()[..., 0]
    return path


def group() -> Path:
    with h5py.File("bad.h5", "w") as file:
        file.create_group("sdf_vid")
    return Path("bad.h5")


def mat(variables: dict[str, object]) -> Path:
    savemat("bad.mat", variables)
    return Path("bad.mat")


def lying_mat() -> Path:
    """A .mat of version 5 whose array says that it is a thousand times as long."""
    path = mat({"sdf_vid": np.ones((1, 8, 8, 8), np.float32)})
    whole = bytearray(path.read_bytes())
    place = whole.index(np.array([1, 8, 8, 8], "<i4").tobytes())
    whole[place : place + 16] = np.array([10**6, 1000, 1000, 1000], "<i4").tobytes()
    path.write_bytes(bytes(whole))
    return path


def text() -> Path:
    Path("bad.mat").write_text("words " * 100)
    return Path("bad.mat")


FAULTS: dict[str, tuple[Callable[[], Path], str]] = {
    "truncated HDF5": (lambda: truncated("a.h5"), "damaged HDF5"),
    "truncated mat": (lambda: truncated("a.mat"), "or damaged"),
    "truncated mat 7.3": (lambda: truncated("b.mat"), "damaged HDF5"),
    "text": (text, "bad.mat"),
    "an empty file": (lambda: Path("bad.h5").write_bytes(b"") or Path("bad.h5"), "bad.h5"),
    "no file": (lambda: Path("none.h5"), "none.h5"),
    "a missing array": (lambda: mat({"other": np.ones(3)}), "no array 'sdf_vid'; it holds other"),
    "a group": (group, "no array 'sdf_vid'"),
    "a wrong rank": (lambda: h5(published()[..., 0]), "3 axes"),
    "a wrong rank in mat": (lambda: mat({"sdf_vid": np.ones((9, 9))}), "2 axes"),
    "no cube": (lambda: h5(published()[:, :, :-1]), "cubes"),
    "no frames": (lambda: h5(published()[..., :0]), "0 frames"),
    "NaN": (lambda: h5(published(1, np.nan)), "bad.h5, frame 1: holds NaN"),
    "infinity": (lambda: h5(published(1, np.inf)), "frame 1"),
    "integers": (lambda: h5(published().astype(np.int16)), "int16"),
    "integers in mat": (lambda: mat({"sdf_vid": np.ones((1, 8, 8, 8), np.uint8)}), "uint8"),
    "a struct": (lambda: mat({"sdf_vid": {"a": 1.0}}), "sdf_vid"),
    "inside out": (lambda: h5(-published()), "all corners"),
    "no cell": (lambda: h5(np.abs(published()) + 1), "no voxel of any frame"),
    "a gigantic shape": (lambda: declared((50_000,) * 3 + (10**6,), chunks=(64, 64, 64, 1)), "never written"),
    "gigantic frames": (lambda: declared((256, 256, 256, 10**9), chunks=(64, 64, 64, 1)), "never written"),
    "a gigantic shape at once": (lambda: declared((256, 256, 256, 10**6)), "never written"),
    "half written": (half_written, "never written"),
    "a gigantic mat": (lying_mat, "bad.mat"),
    "a voxel too many": (lambda: h5(np.ones((4, 4, 4, 1), np.float32)), "--grid 4"),
    "a scale that is none": (lambda: h5(published(), um_per_unit=-1.0, band_um=1.0), "um_per_unit"),
    "half a scale": (lambda: h5(published(), um_per_unit=1.0), "band_um"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_one_line_and_nothing_written(
    fault: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    make, words = FAULTS[fault]
    options = ["--half-extent", "8", "--workers", "1"]
    assert_refused(["import", str(make()), "--out", "s.zarr", *options], words, capsys, folder=tmp_path)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ([], "--voxel-size or --half-extent"),
        (["--half-extent", "0"], "--half-extent 0"),
        (["--voxel-size", "nan"], "--voxel-size nan"),
        (["--half-extent", "8", "--codes", "x.mat"], "leave --codes out"),
        (["--half-extent", "8", "--workers", "0"], "--workers 0"),
    ],
)
def test_options_that_do_not_fit(
    options: list[str], words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_published_h5(tmp_path / "a.h5", [exact(SPIKED, 1.0)])
    assert_refused(["import", str(path), "--out", str(tmp_path / "s.zarr"), *options], words, capsys, folder=tmp_path)


def test_files_that_do_not_belong_together(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    small = Grid(16, 8.0)
    first = write_published_h5(tmp_path / "a.h5", [exact(SPIKED, 1.0)])
    other = write_published_h5(tmp_path / "b.h5", [exact(Ball(3.0, centre_zyx_um=(8, 8, 8)), 0, small)])
    for sources, words in (([first, other], "16³"), ([first, first], "a second sequence 'a'")):
        arguments = ["import", *map(str, sources), "--out", str(tmp_path / "s.zarr"), "--half-extent", "8"]
        assert cli.run(arguments) == 2
        assert words in capsys.readouterr().err


def test_without_h5py(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_published_h5(tmp_path / "a.h5", [exact(SPIKED, 1.0)])
    monkeypatch.setitem(sys.modules, "h5py", None)
    assert cli.run(["import", str(path), "--out", str(tmp_path / "s.zarr"), "--half-extent", "8"]) == 2
    assert "pip install 'cytoform[h5]'" in capsys.readouterr().err


def test_own_scale_is_not_overruled(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = write_store(tmp_path / "cells.zarr", {"a": [ball(3.0)]})
    assert cli.run(["export", str(store), "--to", "h5", "--out", str(tmp_path / "files"), "--quiet"]) == 0
    source = tmp_path / "files" / "a.h5"
    assert cli.run(["import", str(source), "--out", str(tmp_path / "s.zarr"), "--half-extent", "4"]) == 2
    assert "records its own scale" in capsys.readouterr().err


@pytest.mark.parametrize("how", ["external", "virtual", "link"])
def test_values_in_other_files_are_not_read(how: str, tmp_path: Path) -> None:
    """A file could name any other file of the machine."""
    secret = tmp_path / "secret.bin"
    np.ones((8, 8, 8, 2), np.float32).tofile(secret)
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["sdf_vid"] = np.ones((8, 8, 8, 2), np.float32)
    with h5py.File(tmp_path / "a.h5", "w") as file:
        if how == "external":
            place = [(str(secret), 0, secret.stat().st_size)]
            file.create_dataset("sdf_vid", (8, 8, 8, 2), np.float32, external=place)
        elif how == "virtual":
            layout = h5py.VirtualLayout((8, 8, 8, 2), np.float32)
            layout[...] = h5py.VirtualSource(tmp_path / "other.h5", "sdf_vid", (8, 8, 8, 2))
            file.create_virtual_dataset("sdf_vid", layout)
        else:
            file["sdf_vid"] = h5py.ExternalLink(str(tmp_path / "other.h5"), "/sdf_vid")
    with pytest.raises(InputError, match=r"other file|another file"):
        import_shapes([tmp_path / "a.h5"], tmp_path / "out.zarr", voxel_size_um=1.0)


def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.h5")
    with pytest.raises(InputError, match="a pipe"):
        import_shapes([tmp_path / "a.h5"], tmp_path / "out.zarr", voxel_size_um=1.0)

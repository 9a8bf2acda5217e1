"""`cytoform prepare`: what it prints, and one line for every fault."""

import errno
import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import tifffile
from processes import Cytoform, cytoform
from refusals import assert_refused

from cytoform import cli
from cytoform.shapes.store import ShapeSequence, ShapeStore

SPACING_UM = 0.5


def write_movie(path: Path, *, radius_um: float = 3.0, n_frames: int = 3, spacing: bool = True) -> Path:
    """A ball in the middle of 9 µm."""
    axis = (np.arange(18) + 0.5) * SPACING_UM - 4.5
    ball = np.linalg.norm(np.stack(np.meshgrid(axis, axis, axis, indexing="ij")), axis=0) <= radius_um
    sizes = {f"PhysicalSize{a}": SPACING_UM for a in "ZYX"} if spacing else {}
    units = {f"PhysicalSize{a}Unit": "µm" for a in "ZYX"} if spacing else {}
    frames = np.repeat(ball[None].astype(np.uint8), n_frames, axis=0)
    tifffile.imwrite(path, frames, ome=True, metadata={"axes": "TZYX", **sizes, **units}, photometric="minisblack")
    return path


def run(*arguments: object) -> int:
    return cli.run(["prepare", *(str(argument) for argument in arguments), "--grid", "16", "--workers", "1"])


def test_it_says_what_it_found_and_what_comes_next(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(write_movie(tmp_path / "cell.ome.tif"), "--out", tmp_path / "s.zarr") == 0
    printed = capsys.readouterr()
    assert "1 cell family, 3 frames" in printed.out
    assert f"wrote {tmp_path / 's.zarr'}" in printed.out
    assert "next: cytoform train" in printed.out
    assert len(ShapeStore.open(tmp_path / "s.zarr")) == 1


def test_quiet_prints_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(write_movie(tmp_path / "cell.ome.tif"), "--out", tmp_path / "s.zarr", "--quiet") == 0
    assert capsys.readouterr() == ("", "")


def test_several_sources_and_options(tmp_path: Path) -> None:
    sources = [write_movie(tmp_path / f"{name}.ome.tif") for name in "ab"]
    options = ["--frames", 2, "--voxel-size", 1, 0.5, 0.25, "--time-step", 30, "--half-extent", 9, "--keep-motion"]
    assert run(*sources, "--out", tmp_path / "s.zarr", *options) == 0
    store = ShapeStore.open(tmp_path / "s.zarr")
    assert store.names == ["a", "b"]
    assert store.grid.half_extent_um == 9.0
    assert (store["a"].info.n_frames, store["a"].info.time_step_s) == (2, 30.0)
    # Stretched by the given voxel size: higher than wide.
    z, _, x = (np.ptp(where) for where in np.nonzero(store["a"].mask(0)))
    assert z > 2 * x


FAULTS: dict[str, tuple[list[object], str]] = {
    "missing source": (["no.tif"], "no.tif: no such file"),
    "half extent too small": (["cell.ome.tif", "--half-extent", 2], "--half-extent 2.0: too small for cell"),
    "half extent negative": (["cell.ome.tif", "--half-extent", -2], "--half-extent"),
    "grid too small": (["cell.ome.tif", "--grid", 2], "--grid 2"),
    "no frames": (["cell.ome.tif", "--frames", 0], "--frames 0"),
    "voxel size unknown": (["bare.ome.tif"], "--voxel-size"),
    "voxel size negative": (["cell.ome.tif", "--voxel-size", 1, -1, 1], "-1"),
    "voxel size not a number": (["cell.ome.tif", "--voxel-size", "nan", 1, 1], "nan"),
    "two voxel sizes": (["cell.ome.tif", "--voxel-size", 1, 1], "voxel-size"),
    "the same source twice": (["cell.ome.tif", "cell.ome.tif"], "given twice"),
    "workers and a scheduler": (["cell.ome.tif", "--scheduler", "localhost:1", "--workers", 2], "give one of them"),
    "no workers": (["cell.ome.tif", "--workers", 0], "--workers 0"),
    "unknown option": (["cell.ome.tif", "--girth", 3], "girth"),
    "cut by the border": (["cut.ome.tif"], "cut by the border"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_faults_are_one_line_and_write_nothing(
    fault: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    write_movie(Path("cell.ome.tif"))
    write_movie(Path("bare.ome.tif"), spacing=False)
    write_movie(Path("cut.ome.tif"), radius_um=4.5)
    arguments, words = FAULTS[fault]
    given = [str(argument) for argument in arguments]
    defaults = [word for option, value in (("--grid", "16"), ("--workers", "1")) if option not in given
                for word in (option, value)]  # fmt: skip
    assert_refused(["prepare", *given, "--out", "s.zarr", *defaults], words, capsys, folder=tmp_path)


def test_an_existing_output_is_refused_and_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    movie = write_movie(tmp_path / "cell.ome.tif")
    assert run(movie, "--out", tmp_path / "s.zarr", "--frames", 1) == 0
    assert run(movie, "--out", tmp_path / "s.zarr") == 2
    assert "--overwrite" in capsys.readouterr().err
    assert ShapeStore.open(tmp_path / "s.zarr")["cell"].info.n_frames == 1
    assert run(movie, "--out", tmp_path / "s.zarr", "--overwrite") == 0
    assert ShapeStore.open(tmp_path / "s.zarr")["cell"].info.n_frames == 3


def test_a_full_disk_keeps_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    movie = write_movie(tmp_path / "cell.ome.tif")
    assert run(movie, "--out", tmp_path / "s.zarr", "--frames", 1) == 0
    before = sorted(tmp_path.iterdir())

    def full(self: ShapeSequence, frame: int, sdf_um: np.ndarray) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", str(tmp_path / "s.zarr"))

    with monkeypatch.context() as patch:
        patch.setattr(ShapeSequence, "write", full)
        capsys.readouterr()
        assert run(movie, "--out", tmp_path / "s.zarr", "--overwrite") == 2
    printed = capsys.readouterr().err
    assert "no space left on the disk" in printed
    assert "--resume goes on" in printed
    assert printed.count("\n") == 1
    assert [path for path in sorted(tmp_path.iterdir()) if path.name != ".s.zarr.partial"] == before
    assert ShapeStore.open(tmp_path / "s.zarr")["cell"].info.n_frames == 1
    assert run(movie, "--out", tmp_path / "s.zarr", "--resume") == 0
    assert ShapeStore.open(tmp_path / "s.zarr")["cell"].info.n_frames == 3
    assert sorted(tmp_path.iterdir()) == before


def test_a_truncated_movie_among_good_ones(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    movies = [write_movie(tmp_path / f"{name}.ome.tif") for name in "abc"]
    whole = movies[1].read_bytes()
    movies[1].write_bytes(whole[:-4000])
    command = [*movies, "--out", tmp_path / "s.zarr"]
    assert run(*command) == 2
    printed = capsys.readouterr()
    assert printed.err.startswith("cytoform: ")
    assert printed.err.count("\n") == 1
    assert "b.ome.tif" in printed.err
    assert "2 cell families, 6 frames" in printed.out
    assert "--resume" in printed.out.splitlines()[-1]
    assert run(*command, "--resume", "--quiet") == 2
    assert capsys.readouterr() == ("", printed.err)
    movies[1].write_bytes(whole)
    assert run(*command, "--resume") == 0
    assert "1 cell family, 3 frames" in capsys.readouterr().out
    assert ShapeStore.open(tmp_path / "s.zarr").names == ["a", "b", "c"]
    assert run(*command, "--resume") == 0
    assert capsys.readouterr() == (f"nothing is missing in {tmp_path / 's.zarr'}\n", "")


STOPS = [
    (1, signal.SIGTERM),
    *(pytest.param(2, stop, marks=pytest.mark.long) for stop in (signal.SIGTERM, signal.SIGINT)),
]


@pytest.mark.slow
@pytest.mark.parametrize(("workers", "stop"), STOPS)
def test_stopping_it_is_quick_and_loses_nothing(workers: int, stop: signal.Signals, tmp_path: Path) -> None:
    """Ctrl-C (all processes of the terminal hear it), or SIGTERM, while frames are being written."""
    movie = write_movie(tmp_path / "cell.ome.tif", n_frames=400)
    out = tmp_path / "out"
    out.mkdir()
    process = Cytoform("prepare", movie, "--out", out / "s.zarr", "--workers", workers, group=True)
    records = out / ".s.zarr.partial" / "frames" / "cell"
    deadline = time.monotonic() + 120
    while not (records.is_dir() and len(list(records.iterdir())) > 3) and process.poll() is None:
        assert time.monotonic() < deadline, "it never began to write"
        time.sleep(0.05)
    (os.killpg if stop is signal.SIGINT else os.kill)(process.pid, stop)
    stopped = time.monotonic()
    _, errors = process.communicate(timeout=60)
    assert time.monotonic() - stopped < 10
    assert process.returncode == 130
    assert re.fullmatch(r"cytoform: stopped; \d+ of 400 frames are kept; .* --resume goes on\n", errors)
    assert [path.name for path in out.iterdir()] == [".s.zarr.partial"]
    time.sleep(0.5)  # for the system to clear up
    assert living(process.pid) == []


def living(session: int) -> list[str]:
    """Processes of a session."""
    lines = subprocess.run(["ps", "-eo", "sid=,stat=,args="], capture_output=True, text=True).stdout.splitlines()
    return [line for line in lines if line.split()[0] == str(session) and not line.split()[1].startswith("Z")]


@pytest.fixture(scope="module")
def scheduler() -> Iterator[str]:
    """Address of a Dask scheduler with two workers, each a process of its own."""
    from distributed import LocalCluster

    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address="127.0.0.1:0", silence_logs=50) as cluster:
        yield cluster.scheduler_address


@pytest.mark.parametrize("scheme", ["tcp://", ""])
def test_work_on_a_cluster(scheduler: str, scheme: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Relative paths, from a folder that is not the workers'."""
    write_movie(tmp_path / "cell.ome.tif")
    monkeypatch.chdir(tmp_path)
    address = scheme + scheduler.removeprefix("tcp://")
    command = ["prepare", "cell.ome.tif", "--grid", "16"]
    for out, where in (("a.zarr", ["--scheduler", address]), ("b.zarr", ["--workers", "1"])):
        status, _, error = cytoform(*command, "--out", out, *where)
        assert (status, error) == (0, "")
    assert files_of(Path("a.zarr")) == files_of(Path("b.zarr"))


def files_of(folder: Path) -> dict[Path, bytes]:
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}

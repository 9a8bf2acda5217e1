"""An interrupted preparation is gone on with, to the bytes of one that was not."""

import contextlib
import errno
import json
import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from processes import Cytoform
from same_files import assert_same_files

from cytoform.errors import InputError
from cytoform.prepare import prepare
from cytoform.prepare.partial import PartialStore
from cytoform.shapes.store import ShapeSequence

Writer = Callable[[Path, np.ndarray], Path]
GRID = 24


def at(out: Path) -> PartialStore:
    return PartialStore.at(out, inputs=[], overwrite=False)


def files_of(folder: Path) -> dict[Path, bytes]:
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@contextlib.contextmanager
def stopping_at(frame: int, fault: BaseException) -> Iterator[list[int]]:
    """Frames are written until `frame` comes, of which half is; gives those begun."""
    begun: list[int] = []
    write = ShapeSequence.write

    def stop(self: ShapeSequence, t: int, sdf_um: np.ndarray) -> None:
        begun.append(t)
        if t == frame:
            write(self, t, np.where(sdf_um < 0, sdf_um, self.band_um).astype(np.float32))
            raise fault
        write(self, t, sdf_um)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ShapeSequence, "write", stop)
        yield begun


@pytest.fixture
def sources(tmp_path: Path, write: dict[str, Writer], division: np.ndarray) -> list[Path]:
    return [write["ome-tiff"](tmp_path / name, division[:3]) for name in "ab"]


STOPS = [KeyboardInterrupt(), OSError(errno.ENOSPC, "No space left on device"), MemoryError()]


@pytest.mark.parametrize("stop", STOPS, ids=lambda stop: type(stop).__name__)
def test_what_is_complete_is_kept_and_not_done_again(stop: BaseException, sources: list[Path], tmp_path: Path) -> None:
    prepare(sources, tmp_path / "t.zarr", grid_size=GRID)
    out = tmp_path / "s.zarr"
    with stopping_at(2, stop), pytest.raises(type(stop)) as stopped:
        prepare(sources, out, grid_size=GRID)
    assert not out.exists()
    assert stopped.value.__notes__ == ["2 of 6 frames are kept; the same command with --resume goes on"]
    with stopping_at(99, stop) as begun:
        prepared = prepare(sources, out, grid_size=GRID, resume=True)
    assert begun == [2, 0, 1, 2]
    assert prepared.n_frames == 6
    assert files_of(out) == files_of(tmp_path / "t.zarr")
    assert not at(out).folder.exists()


def interrupt(sources: list[Path], out: Path, **options) -> None:
    with stopping_at(2, KeyboardInterrupt()), pytest.raises(KeyboardInterrupt):
        prepare(sources, out, grid_size=GRID, **options)


def test_without_resume_it_begins_anew(sources: list[Path], tmp_path: Path) -> None:
    interrupt(sources, tmp_path / "s.zarr")
    with stopping_at(99, KeyboardInterrupt()) as begun:
        prepare(sources, tmp_path / "s.zarr", grid_size=GRID)
    assert begun == [0, 1, 2] * 2


def test_resuming_what_was_never_begun_begins(sources: list[Path], tmp_path: Path) -> None:
    assert prepare(sources, tmp_path / "s.zarr", grid_size=GRID, resume=True).n_frames == 6


def test_frames_that_the_power_took_are_written_again(sources: list[Path], tmp_path: Path) -> None:
    """A frame was noted as complete, but its bytes never reached the disk."""
    prepare(sources, tmp_path / "t.zarr", grid_size=GRID)
    out = tmp_path / "s.zarr"
    interrupt(sources, out)
    chunk = next(path for path in (at(out).store / "a/sdf/c/1").rglob("*") if path.is_file())
    chunk.write_bytes(b"")
    chunk.with_name("0.1234.partial").write_bytes(b"of a killed worker")
    with stopping_at(99, KeyboardInterrupt()) as begun:
        prepare(sources, out, grid_size=GRID, resume=True)
    assert begun == [1, 2, 0, 1, 2]
    assert files_of(out) == files_of(tmp_path / "t.zarr")


def test_what_was_begun_of_other_movies_is_worth_nothing(
    sources: list[Path], tmp_path: Path, write: dict[str, Writer], division: np.ndarray
) -> None:
    interrupt(sources, tmp_path / "s.zarr")
    write["ome-tiff"](tmp_path / "a", np.roll(division[:3], 3, axis=3))
    prepare(sources, tmp_path / "t.zarr", grid_size=GRID)
    prepare(sources, tmp_path / "s.zarr", grid_size=GRID, resume=True)
    assert files_of(tmp_path / "s.zarr") == files_of(tmp_path / "t.zarr")


def test_an_interrupted_overwrite_keeps_the_old_and_is_gone_on_with(sources: list[Path], tmp_path: Path) -> None:
    out = tmp_path / "s.zarr"
    prepare(sources[:1], out, grid_size=GRID)
    old = files_of(out)
    interrupt(sources, out, overwrite=True)
    assert files_of(out) == old
    prepare(sources, out, grid_size=GRID, resume=True)
    prepare(sources, tmp_path / "t.zarr", grid_size=GRID)
    assert files_of(out) == files_of(tmp_path / "t.zarr")


def test_it_goes_on_from_another_folder(sources: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    interrupt([Path(source.name) for source in sources], tmp_path / "s.zarr")
    monkeypatch.chdir(tmp_path.parent)
    with stopping_at(99, KeyboardInterrupt()) as begun:
        prepare(sources, tmp_path / "s.zarr", grid_size=GRID, resume=True)
    assert begun == [2, 0, 1, 2]


def test_other_options_are_refused(sources: list[Path], tmp_path: Path) -> None:
    interrupt(sources, tmp_path / "s.zarr")
    with pytest.raises(InputError, match=r"--frames \(None before, 2 now\)"):
        prepare(sources, tmp_path / "s.zarr", grid_size=GRID, resume=True, frames=2)


def test_two_at_once_are_refused(sources: list[Path], tmp_path: Path) -> None:
    with at(tmp_path / "s.zarr").locked(), pytest.raises(InputError, match="another process"):
        prepare(sources, tmp_path / "s.zarr", grid_size=GRID)
    assert not list(tmp_path.glob(".*"))
    prepare(sources, tmp_path / "s.zarr", grid_size=GRID)


def test_adding_a_mended_movie_can_be_interrupted_too(sources: list[Path], tmp_path: Path) -> None:
    out = tmp_path / "s.zarr"
    mended = sources[1].read_bytes()
    sources[1].write_text("x")
    assert len(prepare(sources, out, grid_size=GRID).failures) == 1
    before = files_of(out)
    sources[1].write_bytes(mended)
    interrupt(sources, out, resume=True)
    assert files_of(out) == before
    with stopping_at(99, KeyboardInterrupt()) as begun:
        assert prepare(sources, out, grid_size=GRID, resume=True).n_families == 1
    assert begun == [2]
    assert not at(out).folder.exists()


@pytest.mark.long
@pytest.mark.parametrize("workers", [1, 2])
def test_killed_at_random_moments(workers: int, tmp_path: Path, write: dict[str, Writer], division: np.ndarray) -> None:
    """kill -9, again and again; at last the bytes are those of a run in peace."""
    movies = [write["ome-tiff"](tmp_path / name, np.repeat(division[:3], 8, axis=0)) for name in "ab"]
    out, rng = tmp_path / "s.zarr", random.Random(workers)
    prepare(movies, tmp_path / "t.zarr", grid_size=48)
    command = ["prepare", *movies, "--out", out, "--grid", "48", "--resume", "--workers", workers]
    records = at(out).folder / "frames"
    n_kills = 0
    for kill in range(20):
        process = Cytoform(*command)
        if kill < 4:
            target = rng.randint(10 * kill, 10 * kill + 10)
            while process.poll() is None and len(list(records.glob("*/*"))) < target:
                time.sleep(0.01)
            time.sleep(rng.uniform(0, 0.05))
        else:
            process.wait(timeout=120)
        if process.poll() is not None:
            break
        process.kill()
        process.wait()
        n_kills += 1
    assert process.returncode == 0
    assert n_kills >= 3
    assert_same_files(out, tmp_path / "t.zarr")
    assert json.loads((out / "zarr.json").read_text())["attributes"]["cytoform"]["failed"] == []
    assert not list(tmp_path.glob(".*"))

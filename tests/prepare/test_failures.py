"""Broken movies are listed and do not lose the others; mended, they are added."""

import errno
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from cytoform.errors import InputError
from cytoform.prepare import Prepared, prepare
from cytoform.shapes.distance import signed_distance
from cytoform.shapes.store import ShapeStore

Writer = Callable[[Path, np.ndarray], Path]


def run(sources: list[Path], out: Path, **options) -> Prepared:
    return prepare(sources, out, **{"grid_size": 24, "frames": 2, **options})


def files_of(folder: Path) -> dict[Path, bytes]:
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def texts_of(store: Path) -> str:
    """All attributes."""
    return "".join(path.read_text() for path in store.rglob("zarr.json"))


@pytest.fixture
def sources(tmp_path: Path, write: dict[str, Writer], division: np.ndarray) -> list[Path]:
    """Three movies of a ball."""
    return [write["ome-tiff"](tmp_path / name, division[:3]) for name in ("a", "b", "c")]


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-3000])


def empty_frame(path: Path, write: dict[str, Writer], division: np.ndarray) -> None:
    frames = division[:3].copy()
    frames[1] = 0
    write["ome-tiff"](path.with_name("b"), frames)


def cut(path: Path, write: dict[str, Writer], division: np.ndarray) -> None:
    frames = division[:3].copy()
    frames[0, :, 30, 24] = 7
    write["ome-tiff"](path.with_name("b"), frames)


BREAK = {
    "missing": (lambda path, *_: path.unlink(), "b.ome.tif: no such file"),
    "no movie": (lambda path, *_: path.write_text("x"), "b.ome.tif: not a TIFF"),
    "truncated": (lambda path, *_: truncate(path), "b.ome.tif"),
    "an empty frame": (empty_frame, "b.ome.tif, frame 1: no foreground"),
    "cut by the border": (cut, "b.ome.tif: no whole cell; b: label 7 is cut by the border in frame 0"),
}


@pytest.mark.parametrize("fault", BREAK)
def test_a_broken_movie_is_listed_and_added_when_mended(
    fault: str, sources: list[Path], tmp_path: Path, write: dict[str, Writer], division: np.ndarray
) -> None:
    out, broken = tmp_path / "s.zarr", sources[1]
    shutil.copy(broken, tmp_path / "whole")
    how, words = BREAK[fault]
    how(broken, write, division)
    prepared = run(sources, out)
    assert (prepared.n_families, prepared.n_frames) == (2, 4)
    (failure,) = prepared.failures
    assert words in failure.reason
    assert failure.source == str(broken)
    store = ShapeStore.open(out)
    assert store.names == ["a", "c"]
    assert [(entry["source"], entry["reason"]) for entry in store.attributes["failed"]] == [
        (broken.name, failure.reason.replace(str(broken), broken.name))
    ]
    assert str(tmp_path) not in texts_of(out)
    before = files_of(out)
    again = run(sources, out, resume=True)
    assert (again.n_families, again.failures) == (0, (failure,))
    assert files_of(out) == before
    shutil.copy(tmp_path / "whole", broken)
    added = run(sources, out, resume=True)
    assert (added.n_families, added.n_frames, added.failures) == (1, 2, ())
    assert added.grid == prepared.grid
    store = ShapeStore.open(out)
    assert (store.names, store.attributes["failed"]) == (["a", "b", "c"], [])
    after = files_of(out)
    assert {path: after[path] for path in before if path.name != "zarr.json" or len(path.parts) > 1} == {
        path: content for path, content in before.items() if path.name != "zarr.json" or len(path.parts) > 1
    }
    assert run(sources, out, resume=True).n_families == 0
    # All three are the same cell, so the same as one that was there from the beginning.
    assert np.array_equal(store["b"].sdf_um(1), store["a"].sdf_um(1))
    assert not list(tmp_path.glob(".*"))


class After:
    """A progress that does something when so many units are through."""

    def __init__(self, n_units: int, action: Callable[[], object]) -> None:
        self.left, self.action = n_units, action

    def __call__(self, what: str, total: float) -> "After":
        return self

    def __enter__(self) -> Callable[..., None]:
        return self.advance

    def __exit__(self, *fault: object) -> None: ...

    def advance(self, units: float = 1, *, note: str = "") -> None:
        self.left -= 1
        if self.left == 0:
            self.action()


@pytest.mark.parametrize("workers", [1, 2])
def test_a_movie_that_goes_after_it_was_read_loses_nothing(
    workers: int, write: dict[str, Writer], division: np.ndarray, tmp_path: Path
) -> None:
    """Frames are read once: nobody misses a file when cells are measured and written."""
    sources = [write["folder"](tmp_path / name, division[:3]) for name in ("a", "b", "c")]
    run(sources, tmp_path / "t.zarr", frames=3)
    gone = After(3, lambda: shutil.rmtree(sources[1]))
    prepared = run(sources, tmp_path / "s.zarr", frames=3, workers=workers, progress=gone)
    assert (prepared.n_families, prepared.failures) == (3, ())
    assert files_of(tmp_path / "s.zarr") == files_of(tmp_path / "t.zarr")


def test_a_frame_that_breaks_while_others_are_read(
    write: dict[str, Writer], division: np.ndarray, tmp_path: Path
) -> None:
    """A frame of the second movie goes when the first has been read."""
    sources = [write["folder"](tmp_path / name, division[:3]) for name in ("a", "b", "c")]
    last = sources[2] / "t8.tif"
    prepared = run(sources, tmp_path / "s.zarr", frames=3, progress=After(1, last.unlink))
    (failure,) = prepared.failures
    assert str(last) in failure.reason
    assert "No such file" in failure.reason
    assert (prepared.n_families, prepared.n_frames) == (2, 6)
    assert ShapeStore.open(tmp_path / "s.zarr").names == ["a", "b"]


def test_a_movie_that_fails_while_it_is_written_is_dropped(
    sources: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when its worker dies again and again."""
    calls: list[int] = []

    def dies(*arguments: object) -> np.ndarray:
        calls.append(1)
        if len(calls) == 4:
            raise InputError("the worker died")
        return signed_distance(*arguments)

    monkeypatch.setattr("cytoform.prepare.write.signed_distance", dies)
    prepared = run(sources, tmp_path / "s.zarr")
    (failure,) = prepared.failures
    assert failure.reason == f"{sources[1]}: the worker died"
    assert (prepared.n_families, prepared.n_frames) == (2, 4)
    assert ShapeStore.open(tmp_path / "s.zarr").names == ["a", "c"]
    assert not list(tmp_path.glob(".*"))


def test_a_full_disk_is_no_fault_of_a_movie(
    sources: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Masks cannot be kept: the work ends, and leaves nothing behind."""

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    before = sorted(tmp_path.iterdir())
    monkeypatch.setattr("numpy.savez_compressed", full)
    with pytest.raises(OSError, match="No space left"):
        run(sources, tmp_path / "s.zarr")
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize("relative", [False, True])
def test_a_store_of_an_older_version_is_added_to(
    relative: bool, sources: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Older versions recorded paths as they were given."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    given = [Path("..") / source.name for source in sources] if relative else sources
    whole = sources[1].read_bytes()
    truncate(sources[1])
    out = tmp_path / "s.zarr"
    run(given, out)
    for path in out.rglob("zarr.json"):
        text = path.read_text()
        for source, recorded in zip(given, sources, strict=True):
            text = text.replace(f'"{recorded.name}"', f'"{source}"')
        path.write_text(text)
    assert ShapeStore.open(out)["a"].info.source == str(given[0])
    assert ShapeStore.open(out).attributes["failed"][0]["source"] == str(given[1])
    assert run(given, out, resume=True).n_families == 0
    sources[1].write_bytes(whole)
    assert run(given, out, resume=True).n_families == 1
    store = ShapeStore.open(out)
    assert (store.names, store.attributes["failed"]) == (["a", "b", "c"], [])
    assert [sequence.info.source for sequence in store] == [str(source) for source in given]
    monkeypatch.chdir(tmp_path)
    assert run(sources, out, resume=True).n_families == 0


def test_adding_from_another_folder(sources: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = sources[1].read_bytes()
    truncate(sources[1])
    monkeypatch.chdir(tmp_path.parent)
    run([Path(tmp_path.name) / source.name for source in sources], tmp_path / "s.zarr")
    sources[1].write_bytes(whole)
    monkeypatch.chdir("/")
    assert run(sources, tmp_path / "s.zarr", resume=True).n_families == 1
    store = ShapeStore.open(tmp_path / "s.zarr")
    assert [sequence.info.source for sequence in store] == [f"{tmp_path.name}/{source.name}" for source in sources]


def test_when_all_are_broken_nothing_is_written(sources: list[Path], tmp_path: Path) -> None:
    for source in sources:
        truncate(source)
    before = sorted(tmp_path.iterdir())
    with pytest.raises(InputError, match=r"none of 3 movies can be prepared; .*a.ome.tif"):
        run(sources, tmp_path / "s.zarr")
    with pytest.raises(InputError, match=r"^[^;]*c.ome.tif"):
        run(sources[2:], tmp_path / "s.zarr")
    assert sorted(tmp_path.iterdir()) == before


def test_a_mended_cell_that_does_not_fit_is_reported(
    sources: list[Path], tmp_path: Path, write: dict[str, Writer], division: np.ndarray
) -> None:
    sources[1].unlink()
    run(sources, tmp_path / "s.zarr")
    frames = division[:3].copy()
    frames[1, 11:13, 4:56, 23:25] = 7  # a long arm
    write["ome-tiff"](tmp_path / "b", frames)
    (failure,) = run(sources, tmp_path / "s.zarr", resume=True).failures
    assert "too large for the store's half extent" in failure.reason
    assert "--half-extent" in failure.reason
    assert ShapeStore.open(tmp_path / "s.zarr").names == ["a", "c"]


def test_one_broken_sequence_of_a_challenge_folder(
    write: dict[str, Writer], division: np.ndarray, tmp_path: Path
) -> None:
    root = write["challenge"](tmp_path / "set", division)
    shutil.copytree(root / "01_GT", root / "02_GT")
    tracks = root / "02_GT" / "TRA" / "man_track.txt"
    whole = tracks.read_text()
    tracks.write_text(whole + "gibberish\n")
    prepared = run([root], tmp_path / "s.zarr")
    (failure,) = prepared.failures
    assert "02_GT" in failure.reason
    assert prepared.n_families == 1
    tracks.write_text(whole)
    assert run([root], tmp_path / "s.zarr", resume=True).n_families == 1
    assert ShapeStore.open(tmp_path / "s.zarr").names == ["set_01_00007", "set_02_00007"]


@pytest.mark.parametrize("broken", ["a", "c"])
def test_one_broken_file_of_a_folder_of_movies(broken: str, sources: list[Path], tmp_path: Path) -> None:
    folder = tmp_path / "movies"
    folder.mkdir()
    for source in sources:
        source.rename(folder / source.name)
    (folder / f"{broken}.ome.tif").write_text("x")
    prepared = run([folder], tmp_path / "s.zarr")
    assert [failure.reason.split(":")[0] for failure in prepared.failures] == [str(folder / f"{broken}.ome.tif")]
    assert prepared.n_families == 2


OTHERS: dict[str, tuple[dict[str, object], str]] = {
    "grid": ({"grid_size": 32}, "--grid (24 before, 32 now)"),
    "frames": ({"frames": 3}, "--frames (2 before, 3 now)"),
    "motion": ({"keep_motion": True}, "--keep-motion"),
    "voxels": ({"voxel_size_zyx_um": (1.0, 1.0, 1.0)}, "--voxel-size"),
}


@pytest.mark.parametrize("other", OTHERS)
def test_resuming_with_other_options_is_refused(other: str, sources: list[Path], tmp_path: Path) -> None:
    sources[1].write_text("x")
    run(sources, tmp_path / "s.zarr")
    before = files_of(tmp_path)
    options, words = OTHERS[other]
    with pytest.raises(InputError) as fault:
        run(sources, tmp_path / "s.zarr", resume=True, **options)
    assert words in str(fault.value)
    with pytest.raises(InputError, match="list of sources"):
        run(sources[:2], tmp_path / "s.zarr", resume=True)
    assert files_of(tmp_path) == before


def test_a_move_that_was_interrupted_is_finished(
    write: dict[str, Writer], division: np.ndarray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The power goes when one of the two cells of a mended movie is in its place."""
    sources = [write["ome-tiff"](tmp_path / name, division[3:5]) for name in ("a", "b")]
    truncate(sources[1])
    run(sources, tmp_path / "s.zarr")
    write["ome-tiff"](tmp_path / "b", division[3:5])
    moved = []

    def power_off(old: Path, new: Path) -> None:
        if moved:
            raise OSError(errno.EIO, "power")
        moved.append(new.name)
        shutil.move(old, new)

    with monkeypatch.context() as patch:
        patch.setattr("os.rename", power_off)
        with pytest.raises(OSError, match="power"):
            run(sources, tmp_path / "s.zarr", resume=True)
    assert moved == ["b_00040"]
    run(sources, tmp_path / "s.zarr", resume=True)
    store = ShapeStore.open(tmp_path / "s.zarr")
    assert store.names == ["a_00040", "a_00300", "b_00040", "b_00300"]
    assert store.attributes["failed"] == []
    assert np.array_equal(store["b_00300"].sdf_um(1), store["a_00300"].sdf_um(1))
    assert not list(tmp_path.glob(".*"))

"""The rule for outputs, over every command that writes: what is there stays there, unless it is ours and to be replaced."""

import contextlib
import os
import random
import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
from processes import Cytoform
from writers import WRITERS, write_inputs

from cytoform import cli
from cytoform.base.output import Output

ALL = pytest.mark.parametrize("name", WRITERS)
# One of each kind: a store, a run, a folder of files, a page, an archive, an image; the others are long.
EACH_KIND = {
    "prepare",
    "train",
    "fill",
    "export",
    "view",
    "publish as an archive",
    "movie as pictures",
    "texture render",
}


@pytest.fixture(scope="module")
def inputs(trained: Path, balls: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_inputs(tmp_path_factory.mktemp("inputs"), trained, balls)


@pytest.fixture
def here(inputs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with copies of the inputs."""
    folder = Path(shutil.copytree(inputs, tmp_path / "here"))
    monkeypatch.chdir(folder)
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    """All files by name, and links and other things by what they are."""
    found = {}
    for path in folder.rglob("*"):
        name = str(path.relative_to(folder))
        if path.is_symlink():
            found[name] = os.fsencode(os.readlink(path))
        elif path.is_file():
            found[name] = path.read_bytes()
        elif not path.is_dir():
            found[name] = b"special"
    return found


def make_folder(out: Path) -> None:
    out.mkdir()
    (out / "thesis.tex").write_text("years of work")


def make_marked(out: Path) -> None:
    make_folder(out)
    for name in ("config.toml", "zarr.json", "provenance.json", "results.json"):
        (out / name).write_text("{}")


def make_file(out: Path) -> None:
    out.write_text("years of work")


def make_link(out: Path) -> None:
    make_folder(out.with_name("elsewhere"))
    out.symlink_to("elsewhere")


STANDING: dict[str, Callable[[Path], None]] = {
    "a folder": make_folder,
    "a folder with files named like ours": make_marked,
    "a file": make_file,
    "a link": make_link,
    "a pipe": os.mkfifo,
}


def assert_refused(arguments: list[str], here: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """One line, exit status 2, and every file as it was; returns the line."""
    before = contents(here)
    capsys.readouterr()
    assert cli.run(arguments) == 2
    assert contents(here) == before
    line = capsys.readouterr().err
    assert line.startswith("cytoform: ")
    assert line.count("\n") == 1
    return line


@ALL
def test_what_is_not_ours_is_refused(name: str, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    writer = WRITERS[name]
    for number, (kind, make) in enumerate(STANDING.items()):
        out = here / f"out{number}{writer.ending}"
        make(out)
        assert "exists; pass --overwrite" in assert_refused(writer.call(out), here, capsys), kind
        assert "--overwrite does not replace it" in assert_refused(writer.call(out, "--overwrite"), here, capsys), kind


@ALL
def test_an_input_is_refused(name: str, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    writer = WRITERS[name]
    (here.parent / "link").symlink_to(here)
    for given in writer.inputs:
        for out in (Path(given), here, here / given / f"new{writer.ending}", here.parent / "link" / given):
            for more in ([], ["--overwrite"]):
                line = assert_refused(writer.call(out, *more), here, capsys)
                # An output below an input that is a file has no folder.
                words = ("the input", "give --out the name of a file", "ends in .html", "no such folder")
                assert any(each in line for each in words)


@ALL
def test_what_another_process_is_making_is_refused(name: str, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    writer = WRITERS[name]
    out = here / f"out{writer.ending}"
    with Output.at(out, inputs=[], overwrite=False).locked():
        assert "another process is making it" in assert_refused(writer.call(out), here, capsys)
    assert not list(here.glob(".out*"))


@pytest.mark.usefixtures("blank_figures")
@ALL
@pytest.mark.parametrize(
    "more", [(), pytest.param(("--overwrite",), marks=pytest.mark.long)], ids=["new", "overwriting"]
)
def test_what_appears_during_the_work_stays(
    name: str, more: tuple[str, ...], here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    writer = WRITERS[name]
    out = here / f"out{writer.ending}"
    place, appeared = Output.place, make_folder if more else make_file

    def late(self: Output, new: Path) -> None:
        if self.out == out:
            appeared(out)
        place(self, new)

    monkeypatch.setattr(Output, "place", late)
    before = contents(here)
    assert cli.run(writer.call(out, *more)) == 2
    assert "out" in capsys.readouterr().err
    after = contents(here)
    assert {name: after[name] for name in before} == before
    assert b"years of work" in (after.get(out.name), after.get(f"{out.name}/thesis.tex"))


@pytest.mark.usefixtures("blank_figures")
@pytest.mark.parametrize("called", ["new", pytest.param("grown", marks=pytest.mark.long)])
@pytest.mark.parametrize("name", [name for name, writer in WRITERS.items() if writer.resumes])
def test_an_output_may_have_the_name_of_a_folder_of_our_own(name: str, called: str, here: Path) -> None:
    writer = WRITERS[name]
    out = here / f"{called}{writer.ending}"
    assert cli.run(writer.call(out)) == 0
    before = outcome(out)
    assert cli.run(writer.call(out, "--overwrite")) == 0
    assert outcome(out) == before
    assert not list(here.glob(f".{called}*"))


def outcome(out: Path) -> dict[str, bytes]:
    """All that is the same each time: not the time that epochs took, nor the events of TensorBoard."""
    files = contents(out) if out.is_dir() else {"": out.read_bytes()}
    return {name: data for name, data in files.items() if "tfevents" not in name and name != "metrics.csv"}


Made = Callable[[str], tuple[Path, Path]]


@pytest.fixture(scope="module")
def made(inputs: Path, tmp_path_factory: pytest.TempPathFactory) -> Made:
    """An older output of a command, made with another seed, and a new one that nobody disturbed."""

    @cache
    def of(name: str) -> tuple[Path, Path]:
        writer = WRITERS[name]
        folder = Path(shutil.copytree(inputs, tmp_path_factory.mktemp("made") / "here"))
        older, whole = (folder / f"{out}{writer.ending}" for out in ("older", "whole"))
        with contextlib.chdir(folder):
            assert cli.run(writer.call(older, "--seed", "1")) == 0
            assert cli.run(writer.call(whole)) == 0
        return older, whole

    return of


def killed(name: str, here: Path, made: Made, kill_at: int) -> None:
    """Replace an older output, be killed before a change to a file, and go on."""
    writer = WRITERS[name]
    out = here / f"out{writer.ending}"
    older, whole = made(name)
    (shutil.copytree if older.is_dir() else shutil.copy2)(older, out)
    old = outcome(out)
    process = Cytoform(*writer.call(out, "--overwrite"), cwd=here, kill_at=kill_at)
    process.wait(timeout=300)
    finished = outcome(whole)
    trained = {name: data for name, data in finished.items() if name != "choice.json"}  # its prior is not chosen yet
    assert outcome(out) in (old, finished, trained), kill_at
    if cli.run(writer.again(out)):  # nothing was begun, and it says so
        assert cli.run(writer.call(out, "--overwrite")) == 0
    assert outcome(out) == finished, kill_at
    assert not list(here.glob(".out*")), kill_at
    shutil.rmtree(out) if out.is_dir() else out.unlink()


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[] if name in EACH_KIND else pytest.mark.long) for name in WRITERS]
)
def test_killed_it_goes_on_or_begins_anew_and_the_older_output_is_there(name: str, here: Path, made: Made) -> None:
    killed(name, here, made, random.Random(name).randint(1, WRITERS[name].changes))


@pytest.mark.long
@ALL
def test_more_kills_of_each(name: str, here: Path, made: Made) -> None:
    """`KILLS=20` in the environment gives the twenty of docs/results.md."""
    dice = random.Random(name)
    for _ in range(int(os.environ.get("KILLS", "6"))):
        killed(name, here, made, dice.randint(1, WRITERS[name].changes))

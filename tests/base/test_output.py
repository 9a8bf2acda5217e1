"""One rule for outputs: complete or not there, and nothing else is touched."""

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from cytoform.base import output as module
from cytoform.base.files import write_json
from cytoform.base.output import Output
from cytoform.errors import InputError


def at(out: Path, *inputs: Path, overwrite: bool = False) -> Output:
    return Output.at(out, inputs=inputs, overwrite=overwrite)


def write(out: Path, text: str = "old", *, overwrite: bool = False) -> Path:
    """An output of one file."""
    with at(out, overwrite=overwrite).staged() as folder:
        (folder / "a").write_text(text)
        write_json(folder / "provenance.json", {})
    return out


@pytest.fixture(params=[True, False], ids=["exchange", "without exchange"])
def exchanging(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Whether the system can exchange two names at once."""
    if not request.param:
        monkeypatch.setattr("cytoform.base.renames._renameat2", lambda *_: False)
    return bool(request.param)


@pytest.mark.usefixtures("exchanging")
def test_an_output_appears_only_when_complete(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with at(out).staged() as partial:
        (partial / "a").write_text("1")
        assert not out.exists()
    assert (out / "a").read_text() == "1"
    with at(tmp_path / "file").staged(folder=False) as partial:
        partial.write_text("2")
    assert (tmp_path / "file").read_text() == "2"
    assert {path.name for path in tmp_path.iterdir()} == {"out", "file"}


def fail_while_writing(out: Path, fault: BaseException) -> None:
    with at(out, overwrite=True).staged() as partial:
        (partial / "a").write_text("new")
        raise fault


@pytest.mark.parametrize("fault", [KeyboardInterrupt(), OSError(errno.ENOSPC, "full"), InputError("no")])
def test_a_fault_leaves_nothing_and_loses_nothing(tmp_path: Path, fault: BaseException) -> None:
    out = write(tmp_path / "out")
    with pytest.raises(type(fault)):
        fail_while_writing(out, fault)
    assert (out / "a").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


@pytest.mark.usefixtures("exchanging")
def test_an_older_output_is_replaced_when_asked_for(tmp_path: Path) -> None:
    out = write(tmp_path / "out")
    with pytest.raises(InputError, match="exists; pass --overwrite"):
        at(out).check()
    write(out, "new", overwrite=True)
    assert (out / "a").read_text() == "new"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


@pytest.mark.usefixtures("exchanging")
@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize("kind", ["folder", "empty folder", "file", "link"])
def test_what_appears_meanwhile_stays(tmp_path: Path, overwrite: bool, kind: str) -> None:
    out, thesis = tmp_path / "out", tmp_path / "thesis.tex"
    thesis.write_text("years of work")

    def appear() -> None:
        if "folder" in kind:
            out.mkdir()
        if kind == "folder":
            (out / "thesis.tex").write_text("years of work")
        elif kind == "file":
            out.write_text("years of work")
        elif kind == "link":
            out.symlink_to(thesis)

    def late() -> None:
        with at(out, overwrite=overwrite).staged() as partial:
            (partial / "a").write_text("new")
            appear()

    if kind == "empty folder" and overwrite:
        late()  # nothing is lost
        return
    with pytest.raises(InputError, match=r"exists; pass|not replace it"):
        late()
    assert {path.name for path in tmp_path.iterdir()} == {"out", "thesis.tex"}
    if kind == "folder":
        assert (out / "thesis.tex").read_text() == "years of work"
    else:
        assert not (out / "a").exists()


@pytest.mark.usefixtures("exchanging")
def test_what_becomes_foreign_between_the_look_and_the_exchange_returns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = write(tmp_path / "out")
    look = Output.refuse_existing

    def look_and_be_late(self: Output) -> None:
        look(self)
        (out / "thesis.tex").write_text("years of work")

    monkeypatch.setattr(Output, "refuse_existing", look_and_be_late)
    monkeypatch.setattr(Output, "check", look)
    with pytest.raises(InputError, match=r"out holds thesis\.tex"):
        write(out, "new", overwrite=True)
    assert (out / "thesis.tex").read_text() == "years of work"
    assert (out / "a").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_the_folder_around_it_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such folder"):
        at(tmp_path / "a" / "b").check()
    with pytest.raises(InputError, match="the root"):
        at(Path("/")).check()


def ways_to(store: Path) -> dict[str, Path]:
    """Outputs that would touch the store."""
    link = store.parent / "link"
    link.symlink_to(store.parent, target_is_directory=True)
    return {
        "itself": store,
        "around": store.parent,
        "inside": store / "new",
        "deep inside": store / "labels" / "new",
        "by dots": store.parent / "other" / ".." / "store",
        "by a link": link / "store",
        "inside by a link": link / "store" / "new",
    }


@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize(
    "way", ["itself", "around", "inside", "deep inside", "by dots", "by a link", "inside by a link"]
)
def test_an_input_is_never_touched(tmp_path: Path, way: str, overwrite: bool) -> None:
    store = write(tmp_path / "inner" / "store") if (tmp_path / "inner").mkdir() is None else tmp_path
    (store / "labels").mkdir()
    out = ways_to(store)[way]
    with pytest.raises(InputError, match="the input"):
        at(out, store, overwrite=overwrite).check()


def test_links_inside_an_input_lead_to_inputs(tmp_path: Path) -> None:
    out, given = write(tmp_path / "out"), tmp_path / "given"
    given.mkdir()
    (given / "a").symlink_to(out / "a")
    with pytest.raises(InputError, match="holds the input"):
        at(out, given, overwrite=True).check()


def test_names_of_no_file_are_no_inputs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Output.at(Path("out"), inputs=["optics", None], overwrite=False).check()


def test_one_process_at_a_time(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with at(out).staged() as partial:
        with pytest.raises(InputError, match="another process is making it"), at(out).staged():
            pass
        assert partial.exists()
    write(out, overwrite=True)


def test_a_hidden_folder_of_someone_else_stays(tmp_path: Path) -> None:
    hidden = tmp_path / ".out.partial"
    hidden.mkdir()
    (hidden / "thesis.tex").write_text("years of work")
    with pytest.raises(InputError, match="move it elsewhere"):
        write(tmp_path / "out")
    assert (hidden / "thesis.tex").exists()


KILLED = """
import os, signal, sys
from pathlib import Path
from cytoform.base import output, renames
moment = sys.argv[2]
def kill(*_): os.kill(os.getpid(), signal.SIGKILL)
if moment == "before":
    output.Output.place = kill
if moment == "between":
    renames._renameat2 = lambda *_: False
    output.rename_new = lambda new, whole: kill() if not whole.exists() else (_ for _ in ()).throw(FileExistsError())
if moment == "after":
    output.os.rename = kill
with output.Output.at(Path(sys.argv[1]), inputs=[], overwrite=True).staged() as partial:
    (partial / "a").write_text("new")
    (partial / "provenance.json").write_text("{}")
"""


@pytest.mark.parametrize(("moment", "left"), [("before", "old"), ("between", None), ("after", "new")])
def test_a_process_killed_while_replacing_loses_nothing(tmp_path: Path, moment: str, left: str | None) -> None:
    """Where names cannot be exchanged, the older output is aside for a moment; the next process brings it back."""
    out = write(tmp_path / "out")
    done = subprocess.run([sys.executable, "-c", KILLED, str(out), moment])
    assert done.returncode == -signal.SIGKILL
    assert (None if left is None else (out / "a").read_text()) == left
    assert out.exists() == (left is not None)
    with at(out, overwrite=True).locked():
        assert (out / "a").read_text() == left or "old"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_strays_of_a_killed_process_are_removed(tmp_path: Path) -> None:
    (tmp_path / ".out.partial" / "new" / "out").mkdir(parents=True)
    (tmp_path / ".out.partial" / "lock").touch()
    write(tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_the_lock_of_a_file_system_without_locks_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def without(*_: object) -> None:
        raise OSError(errno.ENOLCK, "no locks")

    monkeypatch.setattr("fcntl.flock", without)
    write(tmp_path / "out")
    assert os.listdir(tmp_path) == ["out"]
    assert module.LOCK not in os.listdir(tmp_path / "out")

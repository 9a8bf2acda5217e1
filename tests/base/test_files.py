"""Outputs are complete or not there."""

import errno
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from cytoform.base.files import clear_strays, refuse_existing, staged, write_atomically, write_json
from cytoform.errors import InputError


def test_output_appears_only_when_complete(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with staged(out) as partial:
        (partial / "a").write_text("1")
        assert not out.exists()
    assert (out / "a").read_text() == "1"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def fail_while_writing(out: Path, fault: BaseException) -> None:
    with staged(out, overwrite=True) as partial:
        (partial / "provenance.json").write_text("new")
        raise fault


@pytest.mark.parametrize("fault", [KeyboardInterrupt(), OSError(errno.ENOSPC, "full"), InputError("no")])
def test_a_fault_leaves_nothing_and_loses_nothing(tmp_path: Path, fault: BaseException) -> None:
    out = tmp_path / "out"
    with staged(out) as partial:
        (partial / "provenance.json").write_text("old")
    with pytest.raises(type(fault)):
        fail_while_writing(out, fault)
    assert (out / "provenance.json").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_existing_output_is_refused_unless_ours_and_asked_for(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "thesis.tex").write_text("years of work")
    with pytest.raises(InputError, match="--overwrite"):
        refuse_existing(out, overwrite=False)
    with pytest.raises(InputError, match="not written by cytoform"):
        refuse_existing(out, overwrite=True)
    (out / "provenance.json").write_text("{}")
    refuse_existing(out, overwrite=True)


def test_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such folder"):
        refuse_existing(tmp_path / "a" / "b", overwrite=False)


def test_a_file_is_replaced_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.json"
    write_json(path, {"b": 1, "a": 2})
    assert path.read_text() == '{\n  "a": 2,\n  "b": 1\n}\n'

    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="full"):
        write_atomically(path, b"new")
    assert path.read_text().startswith("{")
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.json"]


KILLED_WHILE_REPLACING = """
import os, signal, sys
from pathlib import Path
from cytoform.base import files
files.os.rename = lambda *paths: (os.replace(*paths), os.kill(os.getpid(), signal.SIGKILL))
with files.staged(Path(sys.argv[1]), overwrite=True) as partial:
    (partial / "provenance.json").write_text("new")
"""


def test_a_process_killed_while_replacing_loses_nothing(tmp_path: Path) -> None:
    """Killed after the old output was moved aside and before the new one took its name."""
    out = tmp_path / "out"
    with staged(out) as partial:
        (partial / "provenance.json").write_text("old")
    done = subprocess.run([sys.executable, "-c", KILLED_WHILE_REPLACING, str(out)])
    assert done.returncode == -signal.SIGKILL
    assert not out.exists()
    clear_strays(out)
    assert (out / "provenance.json").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_strays_are_removed_but_not_what_is_being_written(tmp_path: Path) -> None:
    (tmp_path / ".out.partial-stray" / "out").mkdir(parents=True)
    with staged(tmp_path / "out") as partial:
        assert not (tmp_path / ".out.partial-stray").exists()
        clear_strays(tmp_path / "out")
        assert partial.exists()

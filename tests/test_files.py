"""Outputs are complete or not there."""

import errno
from pathlib import Path

import pytest

from cytoform.errors import InputError
from cytoform.files import refuse_existing, staged, write_atomically, write_json


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

    def full(self: Path, data: bytes) -> int:
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match="full"):
        write_atomically(path, b"new")
    assert path.read_text().startswith("{")
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.json"]

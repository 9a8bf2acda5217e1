"""Files are written whole, or not at all."""

import errno
from pathlib import Path
from typing import Any

import pytest
from pydantic import RootModel

from cytoform.base.files import write_atomically, write_json
from cytoform.base.gate import parse_json


def test_the_name_of_a_file_that_is_no_text_is_escaped(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", {"file": "\udcff µ \\n", "\udcfe": ["\udc80"]})
    assert parse_json((tmp_path / "a.json").read_text(), RootModel[dict[str, Any]], where="a").root == {
        "file": r"\udcff µ \n",
        r"\udcfe": [r"\udc80"],
    }


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

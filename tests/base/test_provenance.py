"""Paths as outputs record them."""

from pathlib import Path

import pytest

from cytoform.base.provenance import recorded_path


def test_a_path_keeps_what_lies_in_the_working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for path in ("a/b.tif", tmp_path / "a" / "b.tif", "./c/../a/b.tif"):
        assert recorded_path(path) == "a/b.tif"
    assert recorded_path(tmp_path.parent / "b.tif") == "b.tif"
    assert recorded_path("../b.tif") == "b.tif"

"""Checks that a command refuses unusable input."""

from pathlib import Path

import pytest

from cytoform import cli


def assert_refused(arguments: list[str], words: str, capsys: pytest.CaptureFixture[str], *, folder: Path) -> None:
    """Assert exit status 2, one line on stderr that contains `words`, and an unchanged `folder`."""
    before = sorted(folder.rglob("*"))
    capsys.readouterr()
    assert cli.run(arguments) == 2
    error = capsys.readouterr().err
    assert error.startswith("cytoform: ")
    assert error.count("\n") == 1
    assert words in error
    assert sorted(folder.rglob("*")) == before

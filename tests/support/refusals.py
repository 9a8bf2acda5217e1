"""How a command refuses what it cannot use."""

from pathlib import Path

import pytest

from cytoform import cli


def assert_refused(arguments: list[str], words: str, capsys: pytest.CaptureFixture[str], *, folder: Path) -> None:
    """One line with `words` in it, exit status 2, and `folder` left as it was."""
    before = sorted(folder.rglob("*"))
    capsys.readouterr()
    assert cli.run(arguments) == 2
    error = capsys.readouterr().err
    assert error.startswith("cytoform: ")
    assert error.count("\n") == 1
    assert words in error
    assert sorted(folder.rglob("*")) == before

"""Further members of each class of inputs are read right, or refused with the true reason."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from members import check
from members_named import NAMED
from members_silent import SILENT

from cytoform import cli

MEMBERS = SILENT | NAMED


@pytest.mark.parametrize("name", MEMBERS)
def test_member(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def run(arguments: Sequence[str]) -> tuple[int, str]:
        capsys.readouterr()
        status = cli.run(list(arguments))
        out, error = capsys.readouterr()
        return status, error if status else out + error

    check(MEMBERS[name], tmp_path, run)

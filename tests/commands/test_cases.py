"""Every input that users have gives the store, or the line, that they may expect."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from cases import CASES, check

from cytoform import cli

pytestmark = pytest.mark.real


@pytest.mark.parametrize("name", CASES)
def test_case(name: str, shared_cases: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def run(arguments: Sequence[str]) -> tuple[int, str]:
        capsys.readouterr()
        status = cli.run(list(arguments))
        out, error = capsys.readouterr()
        return status, error if status else out + error

    check(CASES[name], shared_cases, tmp_path, run)

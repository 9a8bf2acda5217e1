"""`cytoform latent` as a user runs it."""

from pathlib import Path

import pytest
from refusals import assert_refused

from cytoform import cli


def test_a_look_with_generated_cells(trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    new, out = str(tmp_path / "new.zarr"), tmp_path / "look"
    assert cli.run(["generate", str(trained), "--out", new, "-n", "2", "--grid", "16", "--frames", "1"]) == 0
    sizes = ["--grid", "16", "--frames", "2", "--components", "1"]
    assert cli.run(["latent", str(trained), "--out", str(out), "--generated", new, *sizes]) == 0
    printed = capsys.readouterr().out
    assert f"wrote {out / 'index.html'}" in printed
    assert "next: cytoform" in printed
    assert (out / "neighbours.csv").is_file()
    assert cli.run(["info", str(out)]) == 0
    assert "2 learned" in capsys.readouterr().out
    assert_refused(["latent", str(trained), "--out", str(out)], "--overwrite", capsys, folder=tmp_path)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--components", "0"], "--components 0"),
        (["--grid", "4"], "--grid 4"),
        (["--frames", "0"], "--frames 0"),
        (["--generated", "no-such.zarr"], "no such shape store"),
    ],
)
def test_faults_are_one_line(
    trained: Path, tmp_path: Path, arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    out = ["--out", str(tmp_path / "look")]
    assert_refused(["latent", str(trained), *out, *arguments], words, capsys, folder=tmp_path)

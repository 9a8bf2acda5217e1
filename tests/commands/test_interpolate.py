"""`cytoform interpolate` as a user runs it."""

from pathlib import Path

import pytest
from refusals import assert_refused

from cytoform import cli
from cytoform.shapes.store import ShapeStore


def test_a_path_in_space_and_time(trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "mix.zarr"
    ends, sizes = ["--from", "a", "--to", "b", "--steps", "3"], ["--grid", "24", "--frames", "5"]
    assert cli.run(["interpolate", str(trained), "--out", str(out), *ends, *sizes, "--path", "spherical"]) == 0
    printed = capsys.readouterr().out
    assert f"wrote {out}" in printed
    assert "next: cytoform export" in printed
    store = ShapeStore.open(out)
    assert (store.names, store.grid.size) == (["step_000", "step_001", "step_002"], 24)
    assert [sequence.info.n_frames for sequence in store] == [5, 5, 5]
    assert all(sequence.mask(frame).any() for sequence in store for frame in range(5))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--from", "a", "--to", "zebra"], "no sequence 'zebra' was learned"),
        (["--from", "a", "--to", "a"], "one and the same"),
        (["--from", "a", "--to", "b", "--steps", "1"], "--steps 1"),
        (["--from", "a", "--to", "b", "--path", "crooked"], "crooked"),
        (["--from", "a"], "--to"),
    ],
)
def test_faults_are_one_line(
    trained: Path, tmp_path: Path, arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    out = ["--out", str(tmp_path / "mix.zarr")]
    assert_refused(["interpolate", str(trained), *out, *arguments], words, capsys, folder=tmp_path)

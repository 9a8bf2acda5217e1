"""`cytoform reconstruct` as a user calls it, with a store of known frames."""

from pathlib import Path

import pytest
from refusals import assert_refused

from cytoform import cli
from cytoform.shapes.store import ShapeStore


def reconstruct(run: Path, known: Path, out: Path, *more: str) -> list[str]:
    return ["reconstruct", str(run), "--known", str(known), "--out", str(out), "--sequences", "a", *more]


def test_a_finer_movie_keeps_the_known_frames(
    trained: Path, balls: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    known = ShapeStore.open(balls)["a"]
    n = known.info.n_frames
    out = tmp_path / "finer.zarr"
    assert cli.run(reconstruct(trained, balls, out, "--frames", str(2 * n - 1), "--steps", "40")) == 0
    assert f"a: {n} frames known, {n - 1} filled in" in capsys.readouterr().out
    found = ShapeStore.open(out)["a"]
    assert all(known.sdf_um(frame).tobytes() == found.sdf_um(2 * frame).tobytes() for frame in range(n))
    assert found.mask(1).any()


@pytest.mark.parametrize(
    ("more", "words"),
    [([], "has learned every frame, so none lies between them; give more --frames"), (["--grid", "24"], "--frames")],
)
def test_refusals(
    trained: Path, balls: Path, tmp_path: Path, more: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert_refused(reconstruct(trained, balls, tmp_path / "out.zarr", *more), words, capsys, folder=tmp_path)

"""`cytoform generate` as a user calls it: priors, seeds, requests."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from refusals import assert_refused
from tiny import small_config, write_balls

from cytoform import cli
from cytoform.assess.measures.masks import topology
from cytoform.priors.file import write_priors
from cytoform.runs.stage import train
from cytoform.shapes.store import ShapeSequence, ShapeStore

PRIORS = ("gaussian", "around", "covariance", "mixture")
RADII_UM = np.linspace(2.2, 4.0, 8)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of eight balls that grow from 2 µm to different radii, without a comparison of priors."""
    home = tmp_path_factory.mktemp("sizes")
    shapes = write_balls(home / "balls.zarr", {f"ball{r:.2f}": float(r) for r in RADII_UM}, n_frames=2)
    config = small_config("training.epochs=240", "training.code_noise=0.01")
    train(shapes, home / "run", config, at_end=write_priors)
    return home / "run"


def generate(run: Path, out: Path, *arguments: str) -> ShapeStore:
    assert cli.run(["generate", str(run), "--out", str(out), "--grid", "24", "--quiet", *arguments]) == 0
    return ShapeStore.open(out)


def volumes_um3(store: ShapeStore) -> list[float]:
    """Mean volume of every sequence."""
    return [float(np.mean([s.mask(t).sum() * s.grid.spacing_um**3 for t in range(s.info.n_frames)])) for s in store]


def pieces(sequence: ShapeSequence) -> list[int]:
    """Of every frame."""
    return [topology(sequence.mask(t)).components for t in range(sequence.info.n_frames)]


def contents(folder: Path) -> list[bytes]:
    return [path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()]


@pytest.mark.parametrize("prior", PRIORS)
def test_every_prior_repeats_with_its_seed(run: Path, tmp_path: Path, prior: str) -> None:
    stores = [
        generate(run, tmp_path / name, "-n", "2", "--prior", prior, "--seed", seed)
        for name, seed in (("a", "1"), ("b", "1"), ("c", "2"))
    ]
    assert stores[0].attributes["prior"] == prior
    assert contents(tmp_path / "a") == contents(tmp_path / "b") != contents(tmp_path / "c")


def test_a_run_without_the_file_draws_the_same_and_is_not_written_to(run: Path, tmp_path: Path) -> None:
    older = Path(shutil.copytree(run, tmp_path / "run"))
    assert (older / "priors.safetensors").is_file()
    generate(older, tmp_path / "new", "--prior", "mixture")
    stored = contents(tmp_path / "new")
    (older / "priors.safetensors").unlink()
    before = sorted(older.rglob("*"))
    generate(older, tmp_path / "new", "--prior", "mixture", "--overwrite")
    assert contents(tmp_path / "new") == stored
    assert sorted(older.rglob("*")) == before


def test_cells_as_requested(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["--prior", "covariance", "-n", "4", "--where", "size_um3=80±8", "--where", "growth>2", "--seed", "3"]
    store = generate(run, tmp_path / "new", *asked)
    assert store.attributes["where"] == ["size_um3=80±8", "growth>2"]
    found = volumes_um3(store)
    assert len(found) == 4
    assert all(72 <= size <= 88 for size in found)
    assert len(set(found)) > 1
    for sequence in store:
        assert sequence.mask(1).sum() > 2 * sequence.mask(0).sum()
    generate(run, tmp_path / "again", *asked)
    assert contents(tmp_path / "new") == contents(tmp_path / "again")
    # Unconditional cells are mostly of other sizes.
    others = volumes_um3(generate(run, tmp_path / "any", "--prior", "covariance", "-n", "12"))
    assert np.mean([72 <= size <= 88 for size in others]) < 0.6


def test_the_error_of_the_regression_is_stated(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["generate", str(run), "--out", str(tmp_path / "new"), "--grid", "24", "--prior", "covariance"]
    assert cli.run([*arguments, "--where", "size_um3>60"]) == 0
    line = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("size_um3: predicted to ±"))
    assert "µm³ (leave one out of 8 cells, R² 0." in line


def test_cells_in_one_piece(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wide = ["--prior", "covariance", "--sigma", "10", "-n", "8", "--seed", "1"]
    assert any(pieces(sequence) != [1, 1] for sequence in generate(run, tmp_path / "any", *wide))
    capsys.readouterr()
    arguments = ["generate", str(run), "--out", str(tmp_path / "new"), "--grid", "24", *wide]
    assert cli.run([*arguments, "--where", "pieces<2"]) == 0
    assert "pieces: 1 in all 8 learned cells" in capsys.readouterr().out
    store = ShapeStore.open(tmp_path / "new")
    assert store.attributes["sigma"] == 10
    assert len(store.names) == 8
    assert all(pieces(sequence) in ([1, 1], [1, 2]) for sequence in store)  # whole, or divided


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--where", "size_um3=40"], "--where size_um3=40: not understood"),
        (["--where", "volume=40±5"], "no descriptor volume"),
        (["--where", "size_um3=4000±5"], "outside the data's range; size_um3 of the learned cells lies between"),
        (["--where", "division_frame=0..1"], "only 0 learned cells have it, a regression needs at least 4"),
        (["--where", "size_um3>60", "--grid", "5000"], "--grid 5000"),
        (["--where", "size_um3>60", "--frames", "0"], "--frames 0"),
        (["--where", "size_um3>60", "-n", "0"], "-n 0"),
        (["--where", "size_um3=80.05±1e-9"], "in 40 attempts; widen the range, or choose another --prior"),
        (["--prior", "between", "--sigma", "0.1"], "--sigma 0.1: the prior between has none"),
        (["--prior", "poisson"], "poisson"),
    ],
)
def test_impossible_requests(
    run: Path, tmp_path: Path, arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    small = [] if "--grid" in arguments else ["--grid", "24"]
    command = ["generate", str(run), "--out", str(tmp_path / "new"), *small, *arguments]
    assert_refused(command, words, capsys, folder=tmp_path)


def test_a_prior_of_two_cells(trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for prior in ("covariance", "mixture"):
        command = ["generate", str(trained), "--out", str(tmp_path / "new"), "--prior", prior]
        assert_refused(
            command, "learned codes, there are 2; choose gaussian, around, between, or", capsys, folder=tmp_path
        )


def test_a_damaged_file_of_priors(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    damaged = Path(shutil.copytree(run, tmp_path / "run"))
    path = damaged / "priors.safetensors"
    path.write_bytes(path.read_bytes()[:-10])
    command = ["generate", str(damaged), "--out", str(tmp_path / "new"), "--prior", "mixture"]
    assert_refused(command, "priors.safetensors: not a readable", capsys, folder=tmp_path)

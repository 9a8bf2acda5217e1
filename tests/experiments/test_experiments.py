"""The three experiments on the smallest of everything, from the command line to the table."""

import dataclasses
import json
import tomllib
from pathlib import Path
from typing import Any

import pytest
from stores import ball, write_store

import data_sets
import experiment
import generation
import interpolation
import reconstruction

TINY = dataclasses.replace(
    data_sets.SIZES["tiny"],
    sequences=2,
    held_out=1,
    frames=3,
    settings=(*data_sets.SIZES["tiny"].settings, "training.epochs=40"),
    generated=2,
    cloud_points=50,
)
ALL = (reconstruction, generation, interpolation)


def run(module: Any, out: Path, *more: str, data: str = "mitosis") -> int:
    """An experiment at a size smaller than tiny, on one core."""
    table = ["--docs", str(docs_in(out))]
    arguments = ["--size", "tiny", "--data", data, "--out", str(out / "work"), "--workers", "1", *table, *more]
    return experiment.main(module.EXPERIMENT, arguments)


def docs_in(folder: Path) -> Path:
    """A file with the markers of all tables."""
    path = folder / "results.md"
    if not path.exists():
        names = [module.EXPERIMENT.name for module in ALL]
        path.write_text("".join(f"<!-- {n}: written by experiments/{n}.py -->\n<!-- end of {n} -->\n" for n in names))
    return path


@pytest.fixture(autouse=True)
def smaller(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(data_sets.SIZES, "tiny", TINY)


def results(out: Path, module: Any) -> dict[str, Any]:
    """results.json."""
    found: dict[str, Any] = json.loads((out / "work" / module.EXPERIMENT.name / "results.json").read_text())
    return found


@pytest.mark.long
def test_all_three_on_simulated_cells_share_what_they_learn_and_do_nothing_twice(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for module in ALL:
        assert run(module, tmp_path) == 0
    said = capsys.readouterr().out
    assert [said.count(f"run {name}") for name in ("sine", "relu", "every-second")] == [1, 1, 1]
    once = {module: results(tmp_path, module) for module in ALL}
    for module in ALL:
        assert run(module, tmp_path) == 0
    assert "learning" not in capsys.readouterr().out
    assert {module: results(tmp_path, module) for module in ALL} == once

    found = once[reconstruction]["mitosis"]
    assert 0 < found["relu"]["jaccard"]["mean"] < 1
    assert len(found["sine"]["jaccard"]["per_frame"]) == 2 * 3
    assert found["provenance"]["sequences"]["held_out"] == ["movies_03_00001"]
    found = once[generation]["mitosis"]
    topology = found["originals"]["topology"]
    whole = topology["whole_frames"] == topology["frames"]
    models = generation.models(aligned=True, whole=whole)
    wanted = {f"{prior}{model.suffix}" for model in models for prior in model.priors}
    assert {"around", "covariance", "covariance, aligned"} < wanted
    assert set(found["priors"]) | set(found["left_out"]) == wanted
    assert {len(each["values"]) for each in found["novelty_um2"].values()} == {1, 2}
    # A reconstruction is nearer to what was learned than a cell that was not.
    assert found["novelty_um2"]["reconstructed"]["mean"] < found["novelty_um2"]["held_out"]["mean"]
    aligned = tomllib.loads((tmp_path / "work" / "mitosis" / "aligned" / "config.toml").read_text())
    assert aligned["data"]["align"] == "principal"
    found = once[interpolation]["mitosis"]
    assert [found["all"]["model"]["n"], found["between"]["distance_fields"]["n"]] == [6, 2]

    lines = docs_in(tmp_path).read_text().splitlines()
    assert any(line.startswith("| mitosis | published | C. elegans, sine | 0.821 ± 0.029") for line in lines)
    mean = once[reconstruction]["mitosis"]["sine"]["jaccard"]["mean"]
    assert any(line.startswith(f"| mitosis | tiny | sine | {mean:.3f}") for line in lines)


@pytest.mark.long
def test_the_default_model_is_measured_once_and_an_interrupted_experiment_goes_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for module in ALL:
        assert run(module, tmp_path, "--preset", "auto") == 0
    said = capsys.readouterr().out
    assert [said.count(f"run {name}") for name in ("sine", "default", "every-second")] == [0, 1, 1]
    once = {module: results(tmp_path, module)["mitosis"] for module in ALL}
    assert 0.9 < once[reconstruction]["linear"]["jaccard"]["mean"] < 1
    # Of two cells every prior would be a copy.
    assert set(once[generation]["priors"]) == {"around, chosen"}
    assert once[interpolation]["all"]["all_learned"]["mean"] > once[interpolation]["all"]["model"]["mean"]
    lines = docs_in(tmp_path).read_text().splitlines()
    assert any(line.startswith("| mitosis | tiny, preset auto | linear | 0.9") for line in lines)

    # Stopped before the end: everything but the last figures is on disk.
    for module in ALL:
        (tmp_path / "work" / module.EXPERIMENT.name / "results.json").unlink()
    measured = sorted((path, path.stat().st_mtime_ns) for path in (tmp_path / "work" / "mitosis").glob("*"))
    for module in ALL:
        assert run(module, tmp_path, "--preset", "auto") == 0
    assert "learning" not in capsys.readouterr().out
    assert measured == sorted((path, path.stat().st_mtime_ns) for path in (tmp_path / "work" / "mitosis").glob("*"))
    for module, found in once.items():
        again = results(tmp_path, module)["mitosis"]
        assert {**again, "provenance": None} == {**found, "provenance": None}


def test_a_preset_replaces_the_settings_of_a_size() -> None:
    cpu = data_sets.SIZES["cpu"].with_preset("paper")
    for name in data_sets.NAMES:
        assert (cpu.of(name).preset, cpu.of(name).settings, cpu.of(name).name) == ("paper", (), "cpu, preset paper")
    assert data_sets.SIZES["paper"].preset == "auto"


@pytest.mark.long
@pytest.mark.real
def test_interpolation_of_real_cells_knows_the_frames_that_the_masks_skip(tmp_path: Path, real_data: Path) -> None:
    assert run(interpolation, tmp_path, "--tcells", str(real_data / "tcells"), data="tcells") == 0
    found = results(tmp_path, interpolation)["tcells"]
    strided = [name for name in found["provenance"]["sequences"]["training"] if name != "seq04_cell02"]
    assert found["real"]["model"]["n"] == 2 * len(strided)
    for way in ("distance_fields", "harmonics"):
        assert found["between"][way]["mean"] > 0.85
        assert found["real"][way]["mean"] > 0.9


@pytest.mark.parametrize(("whole", "name"), [(True, "covariance σ 1.5, whole"), (False, "covariance σ 1.5")])
def test_wide_draws_are_whole_where_the_learned_cells_are(whole: bool, name: str) -> None:
    as_they_lie, in_frames = generation.models(aligned=True, whole=whole)
    for model in (as_they_lie, in_frames):
        assert [str(draws) for draws in model.priors if draws.sigma] == [name]
    assert {"gaussian", "around"} == {str(d) for d in as_they_lie.priors} - {str(d) for d in in_frames.priors}
    assert generation.models(aligned=False, whole=whole) == (as_they_lie,)


@pytest.mark.parametrize(
    ("name", "pieces", "whole"),
    [
        ("mitosis", (1, 1, 2, 2), 4),
        ("mitosis", (1, 2, 1, 2), 3),  # a second piece that goes again is no division
        ("mitosis", (1, 3, 0, 1), 2),
        ("tcells", (1, 1, 2, 2), 2),
    ],
)
def test_a_frame_is_whole_in_one_piece_or_after_a_division(
    name: data_sets.Name, pieces: tuple[int, ...], whole: int
) -> None:
    counts = [[float(n) for n in pieces]]
    found = generation._topology({"components": counts, "euler": counts}, name)
    assert found == {"whole_frames": whole, "simple_frames": 4, "frames": 4}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--size", "huge"], "huge"),
        (["--data", "yeast"], "yeast"),
        (["--data", "tcells", "--tcells", "nowhere"], "--tcells"),
    ],
)
def test_bad_options_are_one_line(
    arguments: list[str], words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = ["--out", str(tmp_path / "out"), "--no-docs", "--workers", "1", *arguments]
    assert experiment.main(reconstruction.EXPERIMENT, given) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert words in error


def test_a_folder_of_another_size_is_refused(tmp_path: Path) -> None:
    write_store(tmp_path / "shapes.zarr", {"a": [ball(3.0)]})
    with pytest.raises(data_sets.InputError, match="another size"):
        data_sets._checked(data_sets.Split(("a",), ()), tmp_path / "shapes.zarr", TINY)


def test_t_cells_are_spread_over_the_list_and_split_by_cell(real_data: Path) -> None:
    rows = data_sets.sequence_rows(real_data / "tcells")
    names = [name for name, row in rows.items() if row["split"] == "train"]
    assert len(names) == 27
    assert data_sets._spread(names, 33) == tuple(names)
    ten = data_sets._spread(names, 10)
    assert len(set(ten)) == 10
    assert (ten[0], ten[-1]) == (names[0], names[-1])
    assert len({rows[name]["cell"] for name in ten}) >= 9

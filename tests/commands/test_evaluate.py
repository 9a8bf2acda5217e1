"""`cytoform evaluate` as a user runs it."""

import csv
import html
import json
from pathlib import Path

import pytest
from player_decoding import decode_actor, scenes_of
from protruding import GRID as SPIKY
from refusals import assert_refused
from spikes import moving
from stores import ball, empty, write_store

from cytoform import cli
from cytoform.shapes.grid import Grid

pytestmark = pytest.mark.usefixtures("blank_figures")


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str, str]:
    """Originals, their reconstruction, and the reconstruction of one of two only."""
    home = tmp_path_factory.mktemp("stores")
    reference = write_store(home / "ref.zarr", {"a": [ball(3.0), ball(3.5)], "b": [ball(4.0), empty()]})
    rebuilt = {"a": [ball(3.1), ball(3.4)], "b": [ball(3.9), empty()]}
    whole = write_store(home / "rec.zarr", rebuilt, command="reconstruct")
    part = write_store(home / "part.zarr", {"a": rebuilt["a"]}, command="reconstruct")
    return str(reference), str(whole), str(part)


def test_paired(stores: tuple[str, str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    assert cli.run(["evaluate", stores[0], stores[1], "--out", str(out), "--paired", "--workers", "1"]) == 0
    found = json.loads((out / "results.json").read_text())
    assert 0.8 < found["jaccard"]["mean"] < 1
    assert "Reconstructed against original" in (out / "report.html").read_text()
    files = ["figures", "provenance.json", "report.html", "results.json", "tables"]
    assert sorted(path.name for path in out.iterdir()) == files
    printed = capsys.readouterr().out
    assert f"wrote {out / 'report.html'}" in printed
    assert "next: cytoform export" in printed
    assert cli.run(["info", str(out)]) == 0
    assert "Jaccard" in capsys.readouterr().out


def test_several_stores_on_one_page(stores: tuple[str, str, str], tmp_path: Path) -> None:
    """Those whose sequences bear the names of the reference are paired."""
    new = write_store(tmp_path / "new.zarr", {"n": [ball(3.2)]}, command="generate")
    out = tmp_path / "out"
    run = ["evaluate", stores[0], stores[1], str(new), stores[1], "--out", str(out), "--workers", "1", "--quiet"]
    assert cli.run(run) == 0
    found = {path.name: json.loads(path.read_text()) for path in out.glob("results*.json")}
    again = "results_reconstructed_rec_3.json"
    assert set(found) == {"results.json", "results_generated.json", again}
    assert found["results.json"]["jaccard"]["mean"] == found[again]["jaccard"]["mean"]
    assert found["results_generated.json"]["jaccard"] is None
    page = (out / "report.html").read_text()
    assert 'id="cell=n"' in page
    assert "Generated against original" in page
    assert "Reconstructed (rec) against original" in page
    assert set(json.loads((out / "provenance.json").read_text())) > {"Generated", "Reconstructed (rec)"}


def test_existing_output_is_kept_without_overwrite(
    stores: tuple[str, str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    run = ["evaluate", stores[0], stores[1], "--out", str(out), "--workers", "1", "--quiet"]
    assert cli.run(run) == 2
    assert "--overwrite" in capsys.readouterr().err
    assert list(out.iterdir()) == []
    assert cli.run([*run, "--overwrite"]) == 0
    assert json.loads((out / "results.json").read_text())["jaccard"] is None


def test_named_sequences_of_an_incomplete_reconstruction(stores: tuple[str, str, str], tmp_path: Path) -> None:
    run = ["evaluate", stores[0], stores[2], "--paired", "--workers", "1", "--quiet"]
    assert cli.run([*run, "--out", str(tmp_path / "x")]) == 2
    assert not (tmp_path / "x").exists()
    assert cli.run([*run, "--out", str(tmp_path / "x"), "--sequences", "a"]) == 0
    assert "1 original sequence with " in (tmp_path / "x" / "report.html").read_text()


def test_faults_are_one_line_and_leave_nothing(
    stores: tuple[str, str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    reference, rebuilt, part = stores
    out = ["--out", str(tmp_path / "out")]
    for arguments, message in {
        (reference, "no-such.zarr"): "no such shape store",
        (reference, part, "--paired"): "'b' is only in",
        (reference, rebuilt, "--workers", "0"): "--workers 0",
        (reference, rebuilt, "--sequences", "zebra"): "no sequence 'zebra'",
        (reference, str(Path(reference) / "a")): "not a shape store",
        (reference, rebuilt, "--run", reference): "ref.zarr",
    }.items():
        assert_refused(["evaluate", *arguments, *out], message, capsys, folder=tmp_path)


def test_held_out_cells(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """In results.json, on the page and in the tables; stores that cannot be held out are refused."""
    sets = {"ref": (3.0, 3.5, 4.0), "new": (3.1, 3.6), "held": (3.2, 3.8)}
    home = tmp_path / "stores"
    reference, new, held_out = (
        str(write_store(home / f"{name}.zarr", {f"{name}{i}": [ball(r)] * 2 for i, r in enumerate(radii)}))
        for name, radii in sets.items()
    )
    out = tmp_path / "out"
    run = ["evaluate", reference, new, "--out", str(out), "--workers", "1", "--quiet"]
    assert cli.run([*run, "--held-out", held_out]) == 0
    found = json.loads((out / "results.json").read_text())["held_out"]
    assert set(found["sets"]["novelty_um2"]["held_out"]["per_sequence"]) == {"held0", "held1"}
    page = (out / "report.html").read_text()
    for words in (
        "beside 2 held-out sequences from held.zarr",
        "<th>Held out</th>",
        "Tests: held out against original",
    ):
        assert words in page
    assert page.count("<th>Held out</th>") == 3  # descriptors, over time, beside held-out cells
    assert "\nHeld out,size_um3,Size," in (out / "tables" / "descriptors.csv").read_text()
    assert ",memorisation_z,," in (out / "tables" / "sets.csv").read_text()
    assert "\nHeld out,size_um3," in (out / "tables" / "tests.csv").read_text()
    assert cli.run(["info", str(out)]) == 0
    capsys.readouterr()
    empty_store = str(write_store(home / "none.zarr", {}))
    coarse = Grid(24, 8.0)
    other_scale = str(write_store(home / "coarse.zarr", {"c": [ball(3.0, grid=coarse)]}, grid=coarse))
    for arguments, message in {
        (reference, new, "--held-out", reference): "all its cells are learned ones",
        (reference, new, "--held-out", empty_store): "holds no sequence",
        (reference, new, "--held-out", other_scale): "--grid 32",
        (reference, new, "--held-out", str(home / "gone.zarr")): "no such shape store",
        (reference, reference, "--paired", "--held-out", held_out): "every store here is paired",
    }.items():
        assert_refused(["evaluate", *arguments, "--out", str(tmp_path / "x")], message, capsys, folder=tmp_path)


def test_cells_with_protrusions(tmp_path: Path) -> None:
    """Sentences, tables and files on protrusions, of a reconstruction that lacks one of three and of new cells."""
    lengths_um = {"a": (1.6, 2.0, 1.2), "b": (1.4, 1.8, 2.2)}
    new_um = {"n": (1.5, 1.9, 1.4), "m": (1.7, 1.5, 1.2)}

    def stored(command: str, cells_um: dict[str, tuple[float, ...]], n_spikes: int) -> str:
        frames = {name: moving(2, each[:n_spikes]) for name, each in cells_um.items()}
        return str(write_store(tmp_path / f"{command}.zarr", frames, grid=SPIKY, command=command))

    reference = stored("prepare", lengths_um, 3)
    rebuilt, new = stored("reconstruct", lengths_um, 2), stored("generate", new_um, 3)
    out = tmp_path / "out"
    assert cli.run(["evaluate", reference, rebuilt, new, "--out", str(out), "--workers", "1", "--quiet"]) == 0
    found = json.loads((out / "results.json").read_text())
    assert found["protrusions"]["measures"]["protrusions_on_body"]["other"]["mean"] == 2
    page = (out / "report.html").read_text()
    for words in (
        "The originals are bodies with protrusions: 3 a frame",
        "On protrusions alone the centre-line Dice is 0.8",
        "tests of protrusions over sequences tells the sets apart, but 2 sequences are too few",
        "Protrusions alone",
        "Length of the longest protrusion [µm]",
    ):
        assert words in page, words
    tables = {
        name: list(csv.DictReader((out / "tables" / f"{name}.csv").open())) for name in ("frames", "overlap", "tests")
    }
    assert {row["measure"] for row in tables["overlap"]} > {"thin_jaccard", "centre_line_dice"}
    assert {(row["cells"], row["protrusions_on_body"]) for row in tables["frames"]} == {
        *(("Original", "3"), ("Reconstructed", "2"), ("Generated", "3"))
    }
    dice = [float(row["centre_line_dice"]) for row in tables["frames"] if row["cells"] == "Reconstructed"]
    assert dice == pytest.approx([0.8] * 4, abs=0.1)
    assert "lengths_total_um" in {row["measure"] for row in tables["tests"]}
    assert "\nGenerated,lifetime_s,Lifetime,s,120," in (out / "tables" / "descriptors.csv").read_text()
    # Drawn in colours: on a sheet, and in every player. The spikes of a cell have the first colours.
    assert (out / "figures" / "protrusions.png").exists()
    scenes = scenes_of(page)
    assert [[actor["paint"] for actor in each["actors"]] for each in scenes] == [[True, True]] * 2 + [[True]] * 2
    for number, n_spikes in ((0, 3), (1, 2)):
        for frame in decode_actor(scenes[0], number):
            assert frame is not None
            assert set(frame.paint) == set(range(n_spikes + 1))


def test_cells_without_protrusions_say_so(stores: tuple[str, str, str], tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert cli.run(["evaluate", stores[0], stores[2], "--out", str(out), "--workers", "1", "--quiet"]) == 0
    found = json.loads((out / "results.json").read_text())
    assert found["protrusions"]["measures"] is found["thin_parts"] is None
    assert html.escape(found["protrusions"]["verdict"]["sentence"]) in (page := (out / "report.html").read_text())
    assert not any(actor["paint"] for scene in scenes_of(page) for actor in scene["actors"])
    assert not (out / "figures" / "protrusions.png").exists()

"""`evaluate` with held-out cells: figures, and stores that cannot be held out."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import ks_2samp
from stores import GRID, ball, empty, write_store

from cytoform.assess.results import evaluate, evaluate_all
from cytoform.assess.stores import select
from cytoform.errors import InputError
from cytoform.shapes.grid import Grid

LEARNED, HELD, NEW = (3.0, 3.4, 3.8), (3.1, 3.6), (2.9, 3.3, 3.5)


def balls(name: str, radii_um: tuple[float, ...], *, grid: Grid = GRID) -> dict[str, list[np.ndarray]]:
    """A sequence of three growing balls for each radius."""
    return {f"{name}{i}": [ball(r + 0.2 * t, grid=grid) for t in range(3)] for i, r in enumerate(radii_um)}


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    home = tmp_path_factory.mktemp("held")
    sets = {"learned": LEARNED, "held": HELD, "new": NEW}
    return {name: write_store(home / f"{name}.zarr", balls(name, radii)) for name, radii in sets.items()}


def sizes(radii_um: tuple[float, ...]) -> list[list[float]]:
    return [[float((ball(r + 0.2 * t) <= 0).sum()) * 0.125 for t in range(3)] for r in radii_um]


def test_section_of_results_json(stores: dict[str, Path], tmp_path: Path) -> None:
    results = evaluate(stores["learned"], stores["new"], paired=False, held_out=stores["held"])
    results.write(tmp_path / "results.json")
    found = json.loads((tmp_path / "results.json").read_text())
    assert found["provenance"]["held_out"]["name"] == "held.zarr"
    section = found["held_out"]
    size = section["descriptors"]["size_um3"]
    assert size["mean"] == pytest.approx(np.mean(sizes(HELD)))
    assert size["per_sequence"]["held1"] == pytest.approx(sizes(HELD)[1])
    for key, pair in {"other_to_held_out": (HELD, NEW), "held_out_to_reference": (LEARNED, HELD)}.items():
        frames, sequences = ([f(sizes(radii)) for radii in pair] for f in (np.ravel, lambda s: np.mean(s, axis=1)))
        contrast = section[key]["descriptors"]["size_um3"]
        assert contrast["ks_p"] == pytest.approx(ks_2samp(*frames).pvalue)
        assert contrast["ks_p_sequences"] == pytest.approx(ks_2samp(*sequences).pvalue)
        assert 0 < contrast["ks_p_permuted"] <= 1
        assert section[key]["temporal"]["size_autocorrelation"]["ks_p_sequences"] > 0
    sets = section["sets"]
    assert sets["sequences_each"] == 2
    assert set(sets["novelty_um2"]["held_out"]["per_sequence"]) == {"held0", "held1"}
    assert set(sets["novelty_um2"]["other"]["per_sequence"]) == {"new0", "new1", "new2"}
    assert sets["novelty_um2"]["other"]["median"] == found["sets"]["novelty_um2"]["median"]
    medians = [sets["novelty_um2"][side]["median"] - sets["novelty_offset_um2"] for side in ("other", "held_out")]
    assert sets["novelty_ratio"] == pytest.approx(max(medians[0], 0) / medians[1])
    for pair in ("other_to_held_out", "other_to_reference", "held_out_to_reference"):
        assert 0 <= sets[pair]["one_nna"]["value"] <= 1


def test_all_other_fields_stay_as_they_are_without_held_out_cells(stores: dict[str, Path]) -> None:
    without = evaluate(stores["learned"], stores["new"], paired=False).to_json()
    beside = evaluate(stores["learned"], stores["new"], paired=False, held_out=stores["held"]).to_json()
    assert without["held_out"] is None
    assert without["provenance"].pop("held_out") is None
    beside["provenance"].pop("held_out")
    assert repr(without | {"held_out": 0}) == repr(beside | {"held_out": 0})


def test_cells_that_were_not_named_are_held_out_of_one_store(tmp_path: Path, stores: dict[str, Path]) -> None:
    whole = write_store(tmp_path / "all.zarr", balls("learned", LEARNED) | balls("held", HELD))
    names = list(balls("learned", LEARNED))
    results = evaluate(whole, stores["new"], paired=False, sequences=names, held_out=whole)
    assert results.held_out is not None
    assert results.held_out.store.names == ["held0", "held1"]
    apart = evaluate(stores["learned"], stores["new"], paired=False, held_out=stores["held"])
    assert apart.held_out is not None
    assert repr(results.held_out.to_json()) == repr(apart.held_out.to_json())


def test_paired_stores_have_no_held_out_cells(stores: dict[str, Path]) -> None:
    selection = select(
        stores["learned"], [stores["learned"], stores["new"]], paired=[True, False], held_out=stores["held"]
    )
    assert [each.held_out is None for each in evaluate_all(selection)] == [True, False]


def test_stores_that_cannot_be_held_out(stores: dict[str, Path], tmp_path: Path) -> None:
    fine = Grid(48, 8.0)
    copy = tmp_path / "copy.zarr"
    shutil.copytree(stores["learned"], copy)
    for held, message in {
        stores["learned"]: "all its cells are learned ones",
        write_store(tmp_path / "none.zarr", {}): "holds no sequence",
        write_store(
            tmp_path / "fine.zarr", balls("f", HELD, grid=fine), grid=fine
        ): "voxels are 0.333 µm wide .* 0.5 µm",
        copy: "sequence 'learned0' is 'learned0' of .*, so it is not held out",
        write_store(tmp_path / "renamed.zarr", balls("x", (3.05, 3.4))): "sequence 'x1' is 'learned1' of",
    }.items():
        with pytest.raises(InputError, match=message) as raised:
            evaluate(stores["learned"], stores["new"], paired=False, held_out=held)
        assert str(held) in str(raised.value)
    with pytest.raises(InputError, match="every store here is paired"):
        evaluate(stores["learned"], stores["learned"], paired=True, held_out=stores["held"])


def test_empty_cells_are_not_taken_for_learned_ones(stores: dict[str, Path], tmp_path: Path) -> None:
    learned = write_store(tmp_path / "l.zarr", balls("l", LEARNED) | {"gone": [empty()] * 3})
    held = write_store(tmp_path / "h.zarr", balls("h", HELD) | {"gone": [empty()] * 3})
    results = evaluate(learned, stores["new"], paired=False, held_out=held)
    results.write(tmp_path / "results.json")
    assert '"memorisation_z"' in (tmp_path / "results.json").read_text()

"""`evaluate`: pairing, figures against independent ones, results.json, faults."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import ks_2samp
from stores import GRID, ball, empty, write_store

from cytoform.assess import stores
from cytoform.assess.measures import sequences
from cytoform.assess.measures.descriptors import DESCRIPTORS
from cytoform.assess.measures.dynamics import DYNAMICS
from cytoform.assess.measures.kinds import MEASURES, Measures
from cytoform.assess.measures.sequences import Shape, measure_frame
from cytoform.assess.results import TESTS, estimators, evaluate, evaluate_all
from cytoform.base.digest import folder_sha256
from cytoform.errors import InputError
from cytoform.shapes.grid import Grid
from cytoform.shapes.store import ShapeSequence


@pytest.fixture(scope="module")
def originals(tmp_path_factory: pytest.TempPathFactory) -> Path:
    frames = {"a": [ball(3.0), ball(3.4), ball(3.8)], "b": [ball(4.0), ball(4.2)]}
    return write_store(tmp_path_factory.mktemp("originals") / "ref.zarr", frames)


@pytest.fixture(scope="module")
def rebuilt(tmp_path_factory: pytest.TempPathFactory) -> Path:
    frames = {"a": [ball(3.2), ball(3.6), ball(4.0)], "b": [ball(4.0), ball(4.2)]}
    return write_store(tmp_path_factory.mktemp("rebuilt") / "rec.zarr", frames, command="reconstruct")


def brute_jaccard(a: np.ndarray, b: np.ndarray) -> float:
    return float(((a <= 0) & (b <= 0)).sum() / ((a <= 0) | (b <= 0)).sum())


def test_paired_figures(originals: Path, rebuilt: Path) -> None:
    results = evaluate(originals, rebuilt, paired=True)
    expected = [brute_jaccard(ball(r), ball(r + 0.2)) for r in (3.0, 3.4, 3.8)] + [1.0, 1.0]
    found = results.to_json()
    assert found["jaccard"]["per_frame"] == pytest.approx(expected)
    assert found["jaccard"]["per_sequence"]["a"]["per_frame"] == pytest.approx(expected[:3])
    assert found["jaccard"]["mean"] == pytest.approx(np.mean(expected))
    assert found["jaccard"]["std"] == pytest.approx(np.std(expected))
    assert found["dice"]["per_frame"] == pytest.approx([2 * j / (1 + j) for j in expected])
    distances = found["surface_distance"]["assd_um"]
    assert distances["per_frame"] == pytest.approx([0.2, 0.2, 0.2, 0, 0], abs=0.01)
    assert distances["per_sequence"]["b"]["mean"] == pytest.approx(0, abs=1e-6)


def test_descriptors_and_tests(originals: Path, rebuilt: Path) -> None:
    size = evaluate(originals, rebuilt, paired=False).to_json()["descriptors"]["size_um3"]
    counted = [
        [float((ball(r) <= 0).sum()) * GRID.spacing_um**3 for r in radii]
        for radii in ((3.0, 3.4, 3.8, 4.0, 4.2), (3.2, 3.6, 4.0, 4.0, 4.2))
    ]
    assert size["reference"]["mean"] == pytest.approx(np.mean(counted[0]))
    assert size["other"]["std"] == pytest.approx(np.std(counted[1]))
    assert size["reference"]["per_sequence"]["b"] == pytest.approx(counted[0][3:])
    assert size["ks_p"] == pytest.approx(ks_2samp(*counted).pvalue)
    means = [[np.mean(values[:3]), np.mean(values[3:])] for values in counted]
    assert size["ks_p_sequences"] == pytest.approx(ks_2samp(*means).pvalue)


def test_results_json(originals: Path, rebuilt: Path, tmp_path: Path) -> None:
    """The fields that others read, and the same bytes again."""
    for name in ("first", "second"):
        evaluate(originals, rebuilt, paired=True).write(tmp_path / name)
    text = (tmp_path / "first").read_text()
    assert text == (tmp_path / "second").read_text()
    found = json.loads(text)
    assert {"jaccard", "dice", "surface_distance", "descriptors", "topology", "provenance"} <= set(found)
    for name in ("size_um3", "surface_um2", "sphericity"):
        assert {"reference", "other", "ks_p", "ks_p_sequences"} <= set(found["descriptors"][name])
        assert {"mean", "std"} <= set(found["descriptors"][name]["reference"])
    assert found["topology"]["other"]["components"] == {"1": 5}
    assert found["topology"]["reference"]["single_component_share"] == 1
    provenance = found["provenance"]
    assert provenance["parameters"] == {"paired": True, "sequences": None, "seed": 0}
    assert provenance["reference"]["name"] == "ref.zarr"
    assert len(provenance["other"]["sha256"]) == 64
    assert provenance["other"]["sha256"] != provenance["reference"]["sha256"]
    assert "diplib" in provenance["versions"]


def test_unpaired_stores_may_differ_in_everything(originals: Path, tmp_path: Path) -> None:
    """Other names, frames, grid and cube: micrometres stay comparable."""
    grid = Grid(48, 7.0)
    other = write_store(tmp_path / "new.zarr", {"new": [ball(3.0, grid=grid)] * 4}, grid=grid)
    found = evaluate(originals, other, paired=False).to_json()
    assert found["jaccard"] is found["dice"] is found["surface_distance"] is None
    assert found["descriptors"]["size_um3"]["other"]["mean"] == pytest.approx(4 / 3 * math.pi * 27, rel=0.02)
    assert found["descriptors"]["surface_um2"]["other"]["mean"] == pytest.approx(4 * math.pi * 9, rel=0.01)


def test_empty_frames_are_results(tmp_path: Path) -> None:
    a = write_store(tmp_path / "a.zarr", {"s": [empty(), empty(), ball(3.0)]})
    b = write_store(tmp_path / "b.zarr", {"s": [empty(), ball(3.0), ball(3.0)]})
    results = evaluate(a, b, paired=True)
    results.write(tmp_path / "results.json")
    found = json.loads((tmp_path / "results.json").read_text())
    assert found["jaccard"]["per_frame"] == [1, 0, 1]
    assert found["surface_distance"]["assd_um"]["per_frame"] == [0, None, pytest.approx(0, abs=1e-6)]
    assert found["descriptors"]["size_um3"]["reference"]["per_sequence"]["s"][:2] == [0, 0]
    assert found["descriptors"]["sphericity"]["reference"]["per_sequence"]["s"][0] is None
    assert found["descriptors"]["sphericity"]["reference"]["n"] == 1
    assert found["topology"]["reference"]["components"] == {"0": 2, "1": 1}


def test_only_named_sequences(originals: Path, rebuilt: Path) -> None:
    results = evaluate(originals, rebuilt, paired=True, sequences=["b"])
    assert results.other.names == ["b"]
    assert results.to_json()["jaccard"]["mean"] == 1
    # Cells of no pair have names of their own.
    results = evaluate(originals, rebuilt, paired=False, sequences=["b"])
    assert [store.names for store in (results.reference, results.other)] == [["b"], ["a", "b"]]


def test_workers_do_not_change_the_result(originals: Path, rebuilt: Path) -> None:
    steps = []
    alone = evaluate(originals, rebuilt, paired=True, done=lambda: steps.append(1))
    assert alone == evaluate(originals, rebuilt, paired=True, workers=2)
    assert len(steps) == 2


def test_several_stores_give_what_each_gives_alone_and_the_reference_is_measured_once(
    originals: Path, rebuilt: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    new = write_store(tmp_path / "new.zarr", {"n": [ball(3.0)] * 3, "m": [ball(2.5), empty()]})
    others, paired = [rebuilt, new, rebuilt], [True, False, False]
    alone = [evaluate(originals, other, paired=pair).to_json() for other, pair in zip(others, paired, strict=True)]
    measured: list[str] = []
    hashed: list[str] = []

    def measure(sequence: ShapeSequence, t: int) -> Shape:
        measured.append(f"{sequence.info.name} {t}")
        return measure_frame(sequence, t)

    def digest(folder: Path) -> str:
        hashed.append(folder.name)
        return folder_sha256(folder)

    monkeypatch.setattr(sequences, "measure_frame", measure)
    monkeypatch.setattr(stores, "folder_sha256", digest)
    steps = []
    selection = stores.select(originals, others, paired=paired)
    found = evaluate_all(selection, done=lambda: steps.append(1))
    assert [json.dumps(each.to_json()) for each in found] == [json.dumps(each) for each in alone]
    frames = {"a": 3, "b": 2, "n": 3, "m": 2}  # a and b are in the reference, and twice in its reconstruction
    once = [f"{name} {t}" for name, n in frames.items() for t in range(n)]
    assert sorted(measured) == sorted([*once, *2 * [name for name in once if name[0] in "ab"]])
    assert hashed == ["ref.zarr", "rec.zarr", "new.zarr"]
    assert len(steps) == len(selection.cells) == 2 + 2 + 2


FAULTS = {
    "grid": ({"a": [ball(3.0, grid=Grid(24, 8.0))] * 3}, Grid(24, 8.0), "grids are 24³ and 32³"),
    "cube": ({"a": [ball(3.0)] * 3}, Grid(32, 9.0), "half extents are 9 and 8 µm"),
    "missing sequence": ({"a": [ball(3.0)] * 3}, GRID, "sequence 'b' is only in"),
    "strange sequence": ({"a": [ball(3.0)] * 3, "b": [ball(3.0)] * 2, "c": [ball(3.0)]}, GRID, "'c' is only in"),
    "frames": ({"a": [ball(3.0)] * 3, "b": [ball(3.0)] * 4}, GRID, "'b' has 4 and 2 frames"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_stores_that_cannot_be_paired(originals: Path, tmp_path: Path, fault: str) -> None:
    frames, grid, message = FAULTS[fault]
    other = write_store(tmp_path / "other.zarr", frames, grid=grid)
    with pytest.raises(InputError, match=message) as raised:
        evaluate(originals, other, paired=True)
    assert "leave out --paired" in str(raised.value)
    assert str(other) in str(raised.value)


def test_stores_without_what_is_asked_for(originals: Path, tmp_path: Path) -> None:
    nothing = write_store(tmp_path / "nothing.zarr", {})
    with pytest.raises(InputError, match="holds no sequence"):
        evaluate(originals, nothing, paired=False)
    with pytest.raises(InputError, match="no sequence 'zebra'"):
        evaluate(originals, originals, paired=True, sequences=["zebra"])


def test_new_keys_of_results_json(originals: Path, rebuilt: Path) -> None:
    paired, unpaired = (evaluate(originals, rebuilt, paired=paired).to_json() for paired in (True, False))
    assert paired["sets"] is None
    assert paired["normal_consistency"]["mean"] == pytest.approx(1, abs=0.01)
    assert unpaired["normal_consistency"] is None
    assert set(unpaired["sets"]) == {
        *("mmd_um2", "coverage", "one_nna", "novelty_um2", "reference_nearest_um2", "nearest", "frames", "points"),
        "pose",
    }
    for found in (paired, unpaired):
        assert set(found["descriptors"]) == set(DESCRIPTORS)
        assert set(found["temporal"]) == set(DYNAMICS)
        size = found["descriptors"]["size_um3"]
        assert size["wasserstein_sequences"]["low"] <= size["wasserstein_sequences"]["value"]
        assert len(size["qq"][0]) == 5
        assert size["ks_p_corrected_sequences"] >= size["ks_p_sequences"]
        changes = found["temporal"]["size_change"]["reference"]["per_sequence"]
        assert changes["b"] == pytest.approx((ball(4.2) <= 0).sum() / (ball(4.0) <= 0).sum() - 1)
        assert {"ks_p_sequences", "ks_p_corrected_sequences", "wasserstein_sequences"} <= set(
            found["temporal"]["splits"]
        )


@pytest.mark.parametrize("measures", MEASURES.values(), ids=MEASURES)
def test_every_measure_has_a_definition_and_a_source(measures: Measures) -> None:
    assert not [name for name, text in estimators(measures).items() if text.startswith(" (") or text.endswith("()")]
    documented = (Path(__file__).parents[2] / "docs" / "measures.md").read_text()
    assert not [name for name in estimators(measures).keys() - TESTS.keys() if f"`{name}`" not in documented]


def test_sequences_of_different_length_are_compared_as_sets_at_common_times(tmp_path: Path) -> None:
    """As many times as the shortest has frames: of the long one every other."""
    long = write_store(tmp_path / "long.zarr", {n: [ball(2.0 + 0.25 * t) for t in range(5)] for n in "ab"})
    short = write_store(tmp_path / "short.zarr", {n: [ball(2.0 + 0.5 * t) for t in range(3)] for n in "ab"})
    drift = write_store(tmp_path / "drift.zarr", {n: [ball(2.0 + 0.2 * t) for t in range(3)] for n in "ab"})
    found = evaluate(long, short, paired=False).to_json()["sets"]
    assert found["frames"] == 3
    other = evaluate(long, drift, paired=False).to_json()["sets"]
    # Random points on equal balls of 2, 2.5 and 3 µm: 2 · area / (π · points).
    floor = np.mean([8 * r**2 / 512 for r in (2.0, 2.5, 3.0)])
    assert found["mmd_um2"]["value"] == pytest.approx(floor, rel=0.15)
    assert other["mmd_um2"]["value"] > 2 * floor


def test_one_sequence_a_side_has_no_interval_and_no_set_measures(tmp_path: Path) -> None:
    a, b = (write_store(tmp_path / name, {"s": [ball(3.0), ball(3.5)]}) for name in ("a.zarr", "b.zarr"))
    results = evaluate(a, b, paired=False)
    results.write(tmp_path / "results.json")
    found = json.loads((tmp_path / "results.json").read_text())
    assert found["sets"]["one_nna"] == {"value": None, "low": None, "high": None}
    assert found["sets"]["reference_nearest_um2"]["mean"] is None
    assert found["sets"]["novelty_um2"]["mean"] < 0.2
    wasserstein = found["descriptors"]["size_um3"]["wasserstein_sequences"]
    assert wasserstein == {"value": 0, "low": None, "high": None}
    assert found["descriptors"]["size_um3"]["ks_p_sequences"] == 1


def test_an_empty_frame_is_far_from_all_others_and_spoils_no_mean(tmp_path: Path) -> None:
    a = write_store(tmp_path / "a.zarr", {"s": [ball(3.0), ball(3.5)], "t": [ball(3.0), ball(3.2)]})
    b = write_store(tmp_path / "b.zarr", {"s": [ball(3.0), empty()], "t": [ball(3.1), ball(3.2)]})
    results = evaluate(a, b, paired=False)
    results.write(tmp_path / "results.json")
    found = json.loads((tmp_path / "results.json").read_text())
    assert found["sets"]["novelty_um2"]["per_sequence"]["s"] is None
    assert found["sets"]["novelty_um2"]["n"] == 1
    assert found["temporal"]["size_change"]["other"]["per_sequence"]["s"] is None
    assert found["descriptors"]["solidity"]["other"]["n"] == 3
    assert found["descriptors"]["protrusions"]["other"]["mean"] == 0


@pytest.mark.parametrize("paired", [True, False])
def test_nan_distances_are_named(originals: Path, tmp_path: Path, paired: bool) -> None:
    broken = ball(3.4)
    broken[5, 5, 5:8] = np.nan
    other = write_store(tmp_path / "other.zarr", {"a": [ball(3.0), broken, ball(3.0)], "b": [ball(3.0)] * 2})
    with pytest.raises(InputError, match=r"other.zarr/a/sdf, frame 1: damaged shape store \(3 distances are NaN"):
        evaluate(originals, other, paired=paired)


def test_the_same_seed_gives_the_same_figures_another_one_others(originals: Path, rebuilt: Path) -> None:
    first, again, other = (evaluate(originals, rebuilt, paired=False, seed=seed).to_json() for seed in (0, 0, 1))
    assert first["sets"] == again["sets"]
    assert first["sets"]["mmd_um2"] != other["sets"]["mmd_um2"]

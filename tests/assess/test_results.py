"""`evaluate`: pairing, figures against independent ones, results.json, faults."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import ks_2samp
from stores import GRID, ball, empty, write_store

from cytoform.assess.results import evaluate
from cytoform.errors import InputError
from cytoform.shapes.grid import Grid


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
    assert set(found) == {"jaccard", "dice", "surface_distance", "descriptors", "topology", "provenance"}
    for name in ("size_um3", "surface_um2", "sphericity"):
        assert {"reference", "other", "ks_p", "ks_p_sequences"} <= set(found["descriptors"][name])
        assert {"mean", "std"} <= set(found["descriptors"][name]["reference"])
    assert found["topology"]["other"]["components"] == {"1": 5}
    assert found["topology"]["reference"]["single_component_share"] == 1
    provenance = found["provenance"]
    assert provenance["parameters"] == {"paired": True, "sequences": None}
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
    assert [sequence.name for sequence in results.other] == ["b"]
    assert results.to_json()["jaccard"]["mean"] == 1


def test_workers_do_not_change_the_result(originals: Path, rebuilt: Path) -> None:
    steps = []
    alone = evaluate(originals, rebuilt, paired=True, done=lambda: steps.append(1))
    assert alone == evaluate(originals, rebuilt, paired=True, workers=2)
    assert len(steps) == 2


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

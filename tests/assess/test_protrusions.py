"""`evaluate` on cells with protrusions: verdict, contrasts, pairs, held-out cells, and cells without."""

import json
from pathlib import Path

import numpy as np
import pytest
from protruding import GRID, THIN_UM
from scipy.stats import ks_2samp
from spikes import moving
from stores import ball, write_store

from cytoform.assess.judgement import Judgement
from cytoform.assess.measures.protrusion_tracks import PROTRUSION_MEASURES
from cytoform.assess.results import Results, evaluate
from cytoform.assess.store_contrasts import StoreContrasts
from cytoform.assess.stores import MeasuredStore, measure_stores, select
from cytoform.protrusions.verdict import Verdict

VOXEL_UM = GRID.spacing_um
REFERENCE = {"a": (1.6, 2.0, 1.2), "b": (1.4, 1.8, 2.2), "c": (1.2, 1.6, 2.0)}
FEWER = {"a": (1.6, 2.0), "b": (1.4, 1.8), "c": (1.2, 1.6)}  # without the last of each


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    home = tmp_path_factory.mktemp("protrusions")
    cells = {"reference": REFERENCE, "fewer": FEWER, "held": {"h": (2.0, 1.5, 1.4), "i": (1.7, 1.7, 1.7)}}
    return {
        name: write_store(home / f"{name}.zarr", {key: moving(3, um) for key, um in each.items()}, grid=GRID)
        for name, each in cells.items()
    }


@pytest.fixture(scope="module")
def unpaired(stores: dict[str, Path]) -> Results:
    return evaluate(stores["reference"], stores["fewer"], paired=False, held_out=stores["held"])


def test_measures_and_tests(unpaired: Results) -> None:
    section = unpaired.to_json()["protrusions"]
    assert section["verdict"]["applies"]
    assert section["verdict"]["sentence"].startswith("bodies with protrusions: 3 a frame of ")
    assert section["verdict"]["thickness_um"] == pytest.approx(THIN_UM, rel=0.1)
    measures = section["measures"]
    assert list(measures) == list(PROTRUSION_MEASURES)
    number = measures["protrusions_on_body"]
    assert number["reference"]["per_sequence"] == {name: [3, 3, 3] for name in "abc"}
    assert number["other"]["per_sequence"] == {name: [2, 2, 2] for name in "abc"}
    assert number["ks_statistic"] == number["ks_statistic_sequences"] == 1
    assert number["ks_p"] == pytest.approx(ks_2samp([3] * 9, [2] * 9).pvalue)
    assert number["ks_p_sequences"] == pytest.approx(ks_2samp([3] * 3, [2] * 3).pvalue)
    assert number["ks_p_permuted"] > number["ks_p"]
    assert number["mean_difference_sequences"]["value"] == -1
    total = measures["lengths_total_um"]
    for side, cells in {"reference": REFERENCE, "other": FEWER}.items():
        for name, lengths_um in cells.items():
            expected = [sum(lengths_um) + 0.4 * len(lengths_um) * (t == 1) for t in range(3)]
            assert total[side]["per_sequence"][name] == pytest.approx(expected, abs=VOXEL_UM * len(lengths_um))
    assert total["unit"] == "µm"
    assert measures["lifetime_frames"]["other"]["per_sequence"] == dict.fromkeys("abc", 3)
    assert measures["lifetime_s"]["reference"]["mean"] == 180
    assert measures["cut_off_share"]["reference"]["mean"] == 1
    assert measures["growth_um_per_min"]["reference"]["mean"] == pytest.approx(0.4, abs=0.1)


def test_a_measure_in_frames_is_tested_where_no_time_is_known(unpaired: Results, tmp_path: Path) -> None:
    tested = unpaired.protrusions_over_sequences
    assert "lifetime_s" in tested
    assert "lifetime_frames" not in tested
    assert "ks_p_sequences" not in unpaired.to_json()["protrusions"]["measures"]["lifetime_frames"]
    frames = {name: moving(2, um) for name, um in REFERENCE.items()}
    untimed = write_store(tmp_path / "untimed.zarr", frames, grid=GRID, time_step_s=None)
    tested = evaluate(untimed, untimed, paired=False).protrusions_over_sequences
    assert {"lifetime_frames", "growth_um_per_frame"} <= set(tested)
    assert not {"lifetime_s", "growth_um_per_min", "withdrawal_um_per_min"} & set(tested)
    assert tested["lifetime_frames"].ks.p == 1


def test_held_out_cells_stand_beside(unpaired: Results) -> None:
    section = unpaired.to_json()["held_out"]
    number = section["protrusions"]["protrusions_on_body"]
    assert number["per_sequence"] == {"h": [3, 3, 3], "i": [3, 3, 3]}
    assert section["held_out_to_reference"]["protrusions"]["protrusions_on_body"]["ks_statistic"] == 0
    assert section["other_to_held_out"]["protrusions"]["protrusions_on_body"]["ks_statistic"] == 1


def test_pairs(stores: dict[str, Path], tmp_path: Path) -> None:
    same = evaluate(stores["reference"], stores["reference"], paired=True).to_json()["thin_parts"]
    assert same["thin_jaccard"]["per_frame"] == same["centre_line_dice"]["per_frame"] == [1.0] * 9
    results = evaluate(stores["reference"], stores["fewer"], paired=True)
    results.write(tmp_path / "results.json")
    found = json.loads((tmp_path / "results.json").read_text())
    assert found["jaccard"]["mean"] > 0.9
    # The last spike of each cell is missing.
    for name, lengths_um in REFERENCE.items():
        share = sum(lengths_um[:2]) / sum(lengths_um)
        dice = found["thin_parts"]["centre_line_dice"]["per_sequence"][name]["per_frame"]
        assert dice[::2] == pytest.approx([2 * share / (1 + share)] * 2, abs=0.05)
        overlap = found["thin_parts"]["thin_jaccard"]["per_sequence"][name]["per_frame"]
        assert overlap[::2] == pytest.approx([share] * 2, abs=0.06)


def test_judgement_counts_protrusions(unpaired: Results) -> None:
    judgement = Judgement.of(unpaired)
    tested = unpaired.protrusions_over_sequences
    assert {name: judgement.p_sequences[name] for name in tested} == {name: tested[name].ks.p for name in tested}
    # Of three cells a side p is at least 0.1; a smaller one makes the judgement fail.
    assert "protrusions_on_body over sequences" in judgement.shares


def test_cells_without_protrusions(tmp_path: Path) -> None:
    path = write_store(tmp_path / "balls.zarr", {"a": [ball(3.0), ball(3.4)], "b": [ball(4.0), ball(4.2)]})
    results = evaluate(path, path, paired=True)
    found = results.to_json()
    assert found["protrusions"]["measures"] is found["thin_parts"] is None
    assert found["protrusions"]["verdict"]["sentence"].startswith(
        "not bodies with protrusions: without its parts thinner"
    )
    assert results.protrusions_over_sequences == results.protrusions_over_frames == {}
    assert set(Judgement.of(results).p_sequences).isdisjoint(PROTRUSION_MEASURES)
    assert np.isnan(results.pair_summary("thin_jaccard").mean)


def test_a_known_verdict_is_not_found_again(stores: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """Stores that are measured one by one are compared where they were taken apart with one ball."""
    monkeypatch.setattr("cytoform.assess.stores.judge", None)

    def measured(name: str, verdict: Verdict) -> MeasuredStore:
        return measure_stores(select(stores[name], [], paired=[]), verdict=verdict)[0]

    none, fine, coarse = Verdict(("asked for",)), Verdict((), radius_um=0.6), Verdict((), radius_um=0.8)
    assert measured("reference", none).sequences[0].protrusions is None
    reference = measured("reference", fine)
    assert reference.sequences[0].protrusions is not None
    assert [StoreContrasts(reference, measured("fewer", each)).taken_apart for each in (fine, coarse, none)] == [
        *(True, False, False)
    ]


@pytest.mark.long
def test_workers_do_not_change_the_result(unpaired: Results, stores: dict[str, Path]) -> None:
    shared = evaluate(stores["reference"], stores["fewer"], paired=False, held_out=stores["held"], workers=2)
    assert repr(shared.to_json()) == repr(unpaired.to_json())

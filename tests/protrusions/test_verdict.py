"""The verdict, in words: for filopodia it applies; for balls, lobes, single frames and coarse voxels it does not."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
from blebbing import blebbing_frames
from protruding import BODY_UM, GRID, OFF, cell, direction, filopodial_frames, spike
from stores import write_store

from cytoform.protrusions.verdict import Verdict, judge
from cytoform.shapes.grid import Grid
from cytoform.shapes.store import ShapeStore


def store_of(path: Path, sequences: dict[str, list[np.ndarray]], grid: Grid = GRID) -> ShapeStore:
    return ShapeStore.open(write_store(path, sequences, grid=grid))


@pytest.fixture(scope="module")
def filopodia(tmp_path_factory: pytest.TempPathFactory) -> ShapeStore:
    sequences = {name: filopodial_frames(5, seed=seed) for seed, name in enumerate("ab")}
    return store_of(tmp_path_factory.mktemp("verdict") / "filopodia.zarr", sequences)


@pytest.mark.parametrize("quick", [False, True])
def test_it_applies_to_filopodia(filopodia: ShapeStore, quick: bool) -> None:
    verdict = judge(filopodia, quick=quick)
    assert verdict.applies
    assert verdict.number == pytest.approx(9, abs=0.2)
    assert verdict.thickness_um == pytest.approx(0.3, rel=0.12)
    assert verdict.once == 0
    assert verdict.sentence.startswith("bodies with protrusions: 9 a frame of 0.")
    record = json.loads(json.dumps(verdict.to_json()))
    assert record["applies"] is True
    assert record["sentence"] == verdict.sentence


def test_a_given_radius_replaces_the_one_that_is_found(filopodia: ShapeStore) -> None:
    assert judge(filopodia, radius_um=0.7).radius_um == 0.7


@pytest.mark.parametrize("quick", [False, True])
def test_it_applies_to_blebs_where_no_ball_does(quick: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cytoform.protrusions.verdict.UNSTEADINESS", -1.0)
    frames = {name: blebbing_frames(seed) for seed, name in enumerate("ab")}
    verdict = judge(store_of(tmp_path / "blebs.zarr", frames), quick=quick)
    assert verdict.applies
    assert verdict.lasting
    assert verdict.thick == 1
    assert verdict.number == pytest.approx(1.5, abs=0.5)
    assert verdict.sentence.startswith("bodies with thick protrusions: ")


def test_thick_protrusions_of_fine_grids_are_told_on_coarser_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cytoform.protrusions.verdict.UNSTEADINESS", -1.0)
    monkeypatch.setattr("cytoform.protrusions.verdict.ENOUGH_VOXELS", GRID.size)
    found = []
    for grid in (GRID, Grid(2 * GRID.size, GRID.half_extent_um)):
        frames = {"a": blebbing_frames(grid=grid)}
        found.append(judge(store_of(tmp_path / f"{grid.size}.zarr", frames, grid)))
        assert found[-1].applies
    usual, fine = found
    assert fine.number == usual.number
    assert fine.share == pytest.approx(usual.share, rel=0.02)
    assert fine.thickness_um == pytest.approx(usual.thickness_um, rel=0.02)


def test_not_to_blebs_where_one_movie_is_too_short(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A training would refuse it, so the verdict must not send cells there."""
    monkeypatch.setattr("cytoform.protrusions.verdict.UNSTEADINESS", -1.0)
    frames = {"a": blebbing_frames(0), "b": blebbing_frames(1)[:9]}
    assert not judge(store_of(tmp_path / "blebs.zarr", frames)).applies


def test_not_to_necked_parts_of_cells_that_wander(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Most of a cell that moves by half its width is outside of what lasts."""
    monkeypatch.setattr("cytoform.protrusions.verdict.NECKED", 0.0)
    monkeypatch.setattr("cytoform.protrusions.verdict.ONCE", 1.0)
    monkeypatch.setattr("cytoform.protrusions.verdict.FEWEST", 0.0)
    grid = Grid(64, 10.0)
    frames = [cell([], balls=[(np.array([10, 10, 10 + 0.5 * (t - 5.5)]), 2.0)], grid=grid) for t in range(12)]
    assert not judge(store_of(tmp_path / "wandering.zarr", {"a": frames}, grid)).applies


def test_not_to_balls_that_swell_or_stay(tmp_path: Path) -> None:
    swelling = [cell([], balls=[(OFF, 1.6 + 0.05 * t)]) for t in range(4)]
    verdict = judge(store_of(tmp_path / "swelling.zarr", {"a": swelling}))
    assert not verdict.applies
    assert "as much from frame to frame" in verdict.sentence
    verdict = judge(store_of(tmp_path / "still.zarr", {"a": swelling[:1] * 3}))
    assert verdict.sentence.startswith("not bodies with protrusions: only 0.0 protrusions a frame")


def test_not_to_lobed_cells(tmp_path: Path) -> None:
    """Lobes as thick as the body, at other places in every frame."""
    rng = np.random.default_rng(0)
    frames = []
    for _ in range(5):
        lobes = [(OFF + 1.3 * direction(*rng.uniform((0, -50), (360, 50))), rng.uniform(0.7, 1.1)) for _ in range(4)]
        frames.append(cell([], balls=[(OFF, 1.6), *lobes]))
    verdict = judge(store_of(tmp_path / "lobes.zarr", {"a": frames}))
    assert not verdict.applies
    assert verdict.sentence.startswith("not bodies with protrusions: without its parts thinner than")


def test_not_to_parts_that_are_seen_once_only(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    frames = [
        cell(
            [spike(direction(*rng.uniform((0, -60), (360, 60))), 1.2, centre=OFF) for _ in range(4)],
            balls=[(OFF, BODY_UM)],
        )
        for _ in range(6)
    ]
    verdict = judge(store_of(tmp_path / "chance.zarr", {"a": frames}))
    assert not verdict.applies
    assert "of the parts are seen in one frame only" in verdict.sentence


def test_not_to_single_frames(tmp_path: Path) -> None:
    verdict = judge(store_of(tmp_path / "single.zarr", {"a": filopodial_frames(1), "b": filopodial_frames(1, seed=1)}))
    assert not verdict.applies
    assert "seen at one time only" in verdict.sentence
    assert math.isfinite(verdict.radius_um)


def test_not_to_voxels_that_are_too_coarse(tmp_path: Path) -> None:
    coarse = Grid(14, GRID.half_extent_um)
    frames = [cell([], balls=[(OFF, BODY_UM + 0.02 * t)], grid=coarse) for t in range(2)]
    verdict = judge(store_of(tmp_path / "coarse.zarr", {"a": frames}, coarse))
    assert not verdict.applies
    assert "voxels too coarse" in verdict.sentence


def test_a_verdict_without_reasons_applies() -> None:
    assert Verdict(()).applies
    assert Verdict(("because",)).sentence == "not bodies with protrusions: because"

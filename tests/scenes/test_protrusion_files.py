"""Truth about protrusions beside the masks of a data set, from a run of balls with protrusions."""

import csv
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from parts_run import BODY_RADIUS, GRID, HALF_UM, TIME_STEP_S, write_parts_run
from scipy.ndimage import distance_transform_edt

from cytoform.reports.scenes.page import write_scene_report
from cytoform.scenes.compose import View
from cytoform.scenes.dataset import Dataset
from cytoform.scenes.protrusion_files import GRAPH, SIGHTINGS, TRACKS, look_for, write_protrusions
from cytoform.scenes.protrusions import FollowedProtrusions
from cytoform.scenes.request import SceneRequest
from cytoform.scenes.scene import Scene
from cytoform.scenes.stage import Made, benchmark
from scenes import files_of, read_labels, request, write_pairs

VOXEL_UM = 2 * HALF_UM / GRID
N_FRAMES = 5
Row = dict[str, float]


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_parts_run(tmp_path_factory.mktemp("parts") / "run")


def small(*sources: Path, **options: Any) -> SceneRequest:
    size = {"cells": 2, "frames": N_FRAMES, "size_zyx": (70, 110, 110), "voxel_size_zyx_um": (VOXEL_UM,) * 3}
    return request(*sources, **{**size, "geff": True, **options})


@pytest.fixture(scope="module")
def made(parts: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Scene, Made]:
    """Two cells whose centres stay where they are known."""
    out = tmp_path_factory.mktemp("set") / "set"
    kept: list[Scene] = []
    (one,) = benchmark(small(parts), out, report=lambda folder, scene, made: kept.append(scene))
    return out, kept[0], one


def read(path: Path) -> list[Row]:
    with path.open() as file:
        return [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]


def place(row: Row, name: str) -> np.ndarray:
    return np.array([row[f"{name}_{axis}_um"] for axis in "zyx"])


def from_the_mask(mask: np.ndarray, points: list[np.ndarray]) -> np.ndarray:
    """Distances of points to the nearest voxel of a mask, in voxels."""
    away = distance_transform_edt(~mask)
    voxels = np.floor(np.array(points) / VOXEL_UM).astype(int).clip(0, np.array(mask.shape) - 1)
    return away[tuple(voxels.T)]


def test_tips_lie_where_the_masks_say_and_outside_the_bodies(made: tuple[Path, Scene, Made]) -> None:
    out, scene, one = made
    rows = read(out / SIGHTINGS)
    assert len(rows) > 30
    bodies = dict(zip((track.label for track in one.tracked.tracks), one.tracked.bodies, strict=True))
    for frame in range(N_FRAMES):
        for cell, body in bodies.items():
            mine = [row for row in rows if (row["frame"], row["cell"]) == (frame, cell)]
            if not mine:
                continue
            tips = [place(row, "tip") for row in mine]
            assert from_the_mask(read_labels(out, frame) == cell, tips).max() <= 2
            # The body is a ball of unknown size and place: erosion by more than a protrusion's radius leaves it alone.
            depth = distance_transform_edt(read_labels(out, frame) == cell) * VOXEL_UM
            centre = (np.argwhere(depth > 0.6 * depth.max()).mean(axis=0) + 0.5) * VOXEL_UM
            radius = depth.max()
            roots = np.array([place(row, "root") for row in mine if not row["parent"]])
            assert np.linalg.norm(roots - centre, axis=1) == pytest.approx(radius, abs=1.5 * VOXEL_UM)
            assert (np.linalg.norm(np.array(tips) - centre, axis=1) > radius).all()
            assert radius == pytest.approx(BODY_RADIUS * HALF_UM, rel=0.35)
            assert scene.bodies[body].shape(frame).protrusions is not None


def test_lengths_are_those_of_straight_lines_from_root_to_tip(made: tuple[Path, Scene, Made]) -> None:
    """The protrusions of the run are straight, and bend a little where they are mixed."""
    for row in read(made[0] / SIGHTINGS):
        straight = np.linalg.norm(place(row, "tip") - place(row, "root"))
        assert straight <= row["length_um"] + 1e-3
        assert row["length_um"] < 1.2 * straight + 0.05
        assert row["length_um"] >= VOXEL_UM
        assert 0.2 < row["radius_um"] < 0.8


def test_numbers_last_and_parents_come_before_their_branches(made: tuple[Path, Scene, Made]) -> None:
    out = made[0]
    rows, tracks = read(out / SIGHTINGS), {row["protrusion"]: row for row in read(out / TRACKS)}
    assert list(tracks) == [float(number) for number in range(1, len(tracks) + 1)]
    assert any(track["parent"] for track in tracks.values())
    for number, track in tracks.items():
        mine = [row for row in rows if row["protrusion"] == number]
        assert [row["frame"] for row in mine] == list(range(int(track["first"]), int(track["last"]) + 1))
        assert {(row["cell"], row["parent"]) for row in mine} == {(track["cell"], track["parent"])}
        assert track["longest_um"] == max(row["length_um"] for row in mine)
        assert track["lifetime_s"] == len(mine) * TIME_STEP_S
        assert (track["born"], track["ended"]) == (track["first"] > 0, track["last"] < N_FRAMES - 1)
        # From frame to frame a root stays where it is on the cell, far from any other.
        steps = [np.linalg.norm(place(a, "root") - place(b, "root")) for a, b in pairwise(mine)]
        assert max(steps, default=0) < 2.0
        if track["parent"]:
            parent = tracks[track["parent"]]
            assert parent["protrusion"] < number
            assert parent["first"] <= track["first"]
            assert parent["cell"] == track["cell"]
            between = [row for row in rows if row["protrusion"] == track["parent"] and row["frame"] == track["first"]]
            ends = place(between[0], "root"), place(between[0], "tip")
            ways = [np.linalg.norm(place(mine[0], "root") - end) for end in ends]
            assert sum(ways) < between[0]["length_um"] + 0.1  # it starts on its parent


def test_the_graph_passes_its_own_checks_and_says_the_same(made: tuple[Path, Scene, Made]) -> None:
    import geff
    from geff.core_io import read_to_memory
    from geff.validate.data import ValidationConfig, validate_data

    out = made[0]
    rows = read(out / SIGHTINGS)
    geff.validate_structure(out / GRAPH)
    validate_data(read_to_memory(out / GRAPH), ValidationConfig(graph=True, tracklet=True))
    graph, _ = geff.read(out / GRAPH)
    found = sorted(
        (node["t"], node["protrusion"], *(round(node[a], 4) for a in "zyx")) for _, node in graph.nodes(data=True)
    )
    assert found == sorted((row["frame"], row["protrusion"], *place(row, "tip")) for row in rows)
    for before, after in graph.edges:
        assert graph.nodes[before]["protrusion"] == graph.nodes[after]["protrusion"]
        assert graph.nodes[before]["t"] + 1 == graph.nodes[after]["t"]
    assert graph.number_of_edges() == len(rows) - len(read(out / TRACKS))


def test_the_masks_say_what_is_visible(parts: Path, tmp_path: Path) -> None:
    """Out of view, between planes, and in a projection."""
    cropped = small(parts, size_zyx=(70, 60, 60), leave="xy", geff=False, speed_um_per_min=20.0)
    benchmark(cropped, tmp_path / "cropped")
    shown = set()
    for row in read(tmp_path / "cropped" / SIGHTINGS):
        tip = place(row, "tip") / VOXEL_UM
        if (tip < -1).any() or (tip > np.array(cropped.size_zyx) + 1).any():
            assert not row["visible"]
        shown.add(row["visible"])
    assert shown == {0, 1}
    benchmark(small(parts, projection=True, geff=False), tmp_path / "flat")
    rows = read(tmp_path / "flat" / SIGHTINGS)
    assert np.mean([row["visible"] for row in rows]) > 0.9
    assert max(row["tip_z_um"] for row in rows) > VOXEL_UM


@pytest.mark.long
def test_the_same_bytes_with_one_worker_and_with_two(parts: Path, tmp_path: Path) -> None:
    wanted = small(parts, frames=3)
    for workers in (1, 2):
        benchmark(wanted, tmp_path / str(workers), workers=workers)
    assert files_of(tmp_path / "1") == files_of(tmp_path / "2")


def test_the_card_says_what_is_known(parts: Path, tmp_path: Path, blank_figures: None) -> None:
    pairs = write_pairs(tmp_path / "pairs.zarr")
    (one,) = benchmark(small(parts, frames=3), tmp_path / "set", report=write_scene_report)
    card = (tmp_path / "set" / "README.md").read_text()
    assert one.protrusions is not None
    assert f"The {len(one.protrusions.tracks)} protrusions of the cells of run are exact. They are" in card
    assert "µm long" in card
    assert f"`{SIGHTINGS}`" in card
    assert "| Prior of codes | compose |" in card
    benchmark(request(pairs), tmp_path / "stored", report=write_scene_report)
    card = (tmp_path / "stored" / "README.md").read_text()
    assert "The protrusions of the cells of pairs.zarr are not known exactly, so there is no file of them." in card
    assert not list((tmp_path / "stored").glob("protrusion*"))
    both = small(parts, pairs, frames=3, geff=False)
    benchmark(both, tmp_path / "both", report=write_scene_report)
    assert "Nothing is known about those of the cells of pairs.zarr." in (tmp_path / "both" / "README.md").read_text()


def test_cells_without_protrusions_give_empty_files(tmp_path: Path) -> None:
    import geff

    dataset = Dataset(tmp_path, View((8, 8, 8), (1.0, 1.0, 1.0), 1), 1, 20.0)
    nothing = look_for(FollowedProtrusions((), ()), dataset, workers=1)
    write_protrusions(nothing, dataset, geff=True, labels=None)
    geff.validate_structure(tmp_path / GRAPH)
    assert read(tmp_path / SIGHTINGS) == []

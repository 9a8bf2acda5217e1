"""Discs with strips: cells in images whose protrusions are known exactly, taken apart, followed, written and drawn."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from flat import write_flat
from protruding import boxed, cell, spike, tube

from cytoform.assess.measures.protrusion_tracks import TakenApart, TrackedProtrusions
from cytoform.assess.measures.thin_parts import compare_thin_parts
from cytoform.completion.fields import fields_of
from cytoform.completion.tracked import PairOfFrames, parts_between
from cytoform.pictures.painting import colour_of, painted
from cytoform.protrusions.curves import Curve
from cytoform.protrusions.decompose import parts_of, take_apart
from cytoform.protrusions.parts import PartsOfFrame
from cytoform.protrusions.stage import track_protrusions
from cytoform.protrusions.verdict import judge
from cytoform.reports.contents import info
from cytoform.runs.auto import automatic
from cytoform.shapes.grid import Grid
from cytoform.shapes.store import ShapeStore

GRID = Grid(64, 6.4, 2)  # pixels of 0.2 µm
PIXEL_UM, BODY_UM, OPENING_UM = GRID.spacing_um, 2.0, 0.8
OFF = np.full(2, GRID.half_extent_um) + np.array([0.03, 0.07])  # no symmetry with the pixels
AZIMUTHS_DEG = np.array([10.0, 80.0, 155.0, 230.0, 300.0])
LENGTHS_UM = np.array([1.0, 1.6, 2.2, 2.8, 1.3])


def out_at(azimuth_deg: float) -> np.ndarray:
    """A unit vector, y x: azimuth 0 is along x."""
    return np.array([np.sin(np.deg2rad(azimuth_deg)), np.cos(np.deg2rad(azimuth_deg))])


def spiky(lengths_um: np.ndarray, radius_um: float = 0.3, body_um: float = BODY_UM) -> np.ndarray:
    """Signed distance to a disc with straight strips that end round, twice `radius_um` wide."""
    strips = [
        spike(out_at(azimuth), length, radius_um=radius_um, centre=OFF, body_um=body_um)
        for azimuth, length in zip(AZIMUTHS_DEG, lengths_um, strict=True)
    ]
    return cell(strips, balls=[(OFF, body_um)], grid=GRID)


def parts(sdf_um: np.ndarray) -> PartsOfFrame:
    return parts_of(boxed(sdf_um, GRID), OPENING_UM)[0]


def place(curve: Curve) -> int:
    """Which of the strips a curve is."""
    return int(np.argmax([(curve.line_zyx_um[0] - OFF) @ out_at(azimuth) for azimuth in AZIMUTHS_DEG]))


@pytest.mark.parametrize("radius_um", [0.15, 0.2, 0.3, 0.45])
def test_strips_have_their_number_lengths_roots_tips_and_widths(radius_um: float) -> None:
    found = parts(spiky(LENGTHS_UM, radius_um))
    assert sorted(map(place, found.curves)) == list(range(len(LENGTHS_UM)))
    for curve in found.curves:
        out, length_um = out_at(AZIMUTHS_DEG[place(curve)]), LENGTHS_UM[place(curve)]
        assert curve.parent is None
        assert curve.length_um == pytest.approx(length_um, abs=PIXEL_UM)
        assert np.linalg.norm(curve.line_zyx_um[0] - (OFF + BODY_UM * out)) < PIXEL_UM
        assert np.linalg.norm(curve.line_zyx_um[-1] - (OFF + (BODY_UM + length_um) * out)) < 1.5 * PIXEL_UM
        assert curve.normal_zyx @ out > np.cos(np.deg2rad(15))
    assert np.mean([curve.radius_um for curve in found.curves]) == pytest.approx(radius_um, rel=0.12)


def test_areas_and_the_centre_of_the_body() -> None:
    found = parts(spiky(LENGTHS_UM))
    assert found.n_bodies == 1
    assert found.body_um3 == pytest.approx(np.pi * BODY_UM**2, rel=0.03)
    assert found.cell_um3 - found.body_um3 == pytest.approx(0.6 * LENGTHS_UM.sum(), rel=0.1)
    assert found.centre_zyx_um == pytest.approx(OFF, abs=0.1)


def test_a_fork_is_a_parent_with_a_branch() -> None:
    out, side = out_at(35), out_at(35 + 60)
    fork = OFF + (BODY_UM + 1.2) * out
    main, twig = spike(out, 3.2, radius_um=0.2, centre=OFF), tube(fork, fork + 1.6 * side, radius_um=0.2)
    parent, branch = parts(cell([main, twig], balls=[(OFF, BODY_UM)], grid=GRID)).curves
    assert (parent.parent, branch.parent) == (None, 0)
    assert parent.length_um == pytest.approx(3.0, abs=1.5 * PIXEL_UM)  # the spike starts from a smaller disc
    assert branch.length_um == pytest.approx(1.8, abs=1.5 * PIXEL_UM)
    assert branch.at_um == pytest.approx(1.2, abs=2 * PIXEL_UM)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Cells whose strips grow and withdraw; the third is there in the first three frames only."""
    frames = []
    for t in range(4):
        lengths_um = LENGTHS_UM + 0.2 * t * np.array([1, 1, -1, -1, 1])
        lengths_um[2] *= t < 3
        frames.append(spiky(np.maximum(lengths_um, 0.05), body_um=BODY_UM * (1 + 0.003 * t)))
    return write_flat(tmp_path_factory.mktemp("flat") / "cells.zarr", {"a": frames, "b": frames[::-1]}, grid=GRID)


def test_they_are_followed_and_written_without_z(store: Path, tmp_path: Path) -> None:
    found = track_protrusions(store, tmp_path / "out")
    assert found.verdict.applies
    assert found.verdict.number == pytest.approx(4.75, abs=0.01)
    assert (found.n_tracks, found.n_sightings) == (10, 2 * (4 * 5 - 1))
    with (tmp_path / "out" / "protrusions.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [name for name in rows[0] if name.startswith(("root", "tip"))] == [
        f"{end}_{axis}_um" for end in ("root", "tip") for axis in "yx"
    ]
    lengths_um = [float(row["length_um"]) for row in rows if row["sequence"] == "a" and row["frame"] == "0"]
    assert sorted(lengths_um) == pytest.approx(sorted(LENGTHS_UM), abs=PIXEL_UM)
    graph = json.loads((tmp_path / "out" / "a.geff" / "zarr.json").read_text())["attributes"]["geff"]
    assert [axis["name"] for axis in graph["axes"]] == ["t", "y", "x"]


def test_the_verdict_speaks_of_discs_and_areas(store: Path) -> None:
    shapes = ShapeStore.open(store)
    verdict = judge(shapes, quick=True)
    assert verdict.sentence.startswith("bodies with protrusions: 5 a frame of 0.")
    assert "of the area; without" in verdict.sentence
    assert "opened by a disc of" in verdict.sentence
    assert verdict.sentence.split(":")[1] in "\n".join(info(store))
    assert automatic(shapes).preset == "parts"


def test_discs_that_swell_have_none(tmp_path: Path) -> None:
    swelling = [cell([], balls=[(OFF, 1.6 + 0.05 * t)], grid=GRID) for t in range(12)]
    verdict = judge(ShapeStore.open(write_flat(tmp_path / "discs.zarr", {"a": swelling}, grid=GRID)))
    assert verdict.sentence.startswith("not bodies with protrusions: without its parts thinner than")


def test_they_are_measured_painted_and_filled(store: Path) -> None:
    sequence = ShapeStore.open(store)["a"]
    apart = [TakenApart.of(sequence.box(frame), OPENING_UM) for frame in range(4)]
    tracked = TrackedProtrusions.of([each.parts for each in apart], time_step_s=60.0)
    assert tracked.frames[0].protrusions_on_body == 5
    assert tracked.growth_um_per_frame == pytest.approx(0.2, abs=0.05)
    same = compare_thin_parts((sequence.box(0), apart[0]), (sequence.box(0), apart[0]))
    assert (same.thin_jaccard, same.centre_line_dice) == (1, 1)

    (taken,) = take_apart(ShapeStore.open(store), OPENING_UM, names=["a"])
    mesh = sequence.box(0).mesh()
    assert mesh is not None
    assert set(painted(mesh, taken.tracks, 0)) == {0, *(colour_of(track.label) for track in taken.tracks)}

    box = fields_of(sequence, (0, 2))
    between = parts_between(PairOfFrames(box, (0, 2), OPENING_UM), 0.5)
    truth = sequence.mask(1)[tuple(slice(c, c + n) for c, n in zip(box.corner_zyx, box.by_frame[0].shape, strict=True))]
    assert between is not None
    assert ((between <= 0) & truth).sum() / ((between <= 0) | truth).sum() > 0.95

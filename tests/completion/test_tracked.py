"""Tracked protrusions: near the truth where thin parts grow and swing, and as one of the ways of `fill`."""

from pathlib import Path

import numpy as np
import pytest
from moving import moving_ball, overlap
from protruding import BODY_UM, GRID, OFF, RADIUS_UM, cell, direction, spike
from stores import empty, write_store

from cytoform.completion.fields import fields_of
from cytoform.completion.options import FillOptions
from cytoform.completion.stage import fill
from cytoform.completion.tracked import PairOfFrames, parts_between
from cytoform.completion.ways import WAYS, Between, ways_with
from cytoform.shapes.sequence import ShapeSequence
from cytoform.shapes.store import ShapeStore


def swinging(time: float) -> np.ndarray:
    """Four protrusions: two grow, two withdraw, and all swing a little."""
    spikes = [
        spike(direction(azimuth + 2 * time, elevation), length_um, centre=OFF)
        for azimuth, elevation, length_um in (
            (10, 5, 0.7 + 0.6 * time),
            (100, -30, 0.7 + 0.6 * time),
            (190, 10, 3.1 - 0.6 * time),
            (280, -20, 3.1 - 0.6 * time),
        )
    ]
    return cell(spikes, balls=[(OFF, BODY_UM)])


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tracked") / "cells.zarr"
    return write_store(path, {"a": [swinging(time) for time in range(5)]}, grid=GRID)


@pytest.fixture(scope="module")
def sequence(store: Path) -> ShapeSequence:
    return ShapeStore.open(store)["a"]


def test_protrusions_that_grow_and_swing_are_followed(sequence: ShapeSequence) -> None:
    box = fields_of(sequence, (0, 4))
    pair = PairOfFrames(box, (0, 4), RADIUS_UM)
    between = Between(2, (0, 4), (box.by_frame[0], box.by_frame[4]), pair=pair)
    truth = sequence.mask(2)[tuple(slice(c, c + n) for c, n in zip(box.corner_zyx, box.by_frame[0].shape, strict=True))]
    found = {name: overlap(way(between) <= 0, truth) for name, way in ways_with(model=False, protrusions=True).items()}
    assert found["tracked protrusions"] > 0.88
    assert found["tracked protrusions"] > max(found[name] for name in WAYS)


def test_a_cell_without_a_body_is_not_taken_apart(sequence: ShapeSequence) -> None:
    box = fields_of(sequence, (0, 4))
    assert parts_between(PairOfFrames(box, (0, 4), 3.0), 0.5) is None


def test_fill_takes_them_where_they_win(store: Path, tmp_path: Path) -> None:
    completion = fill(store, tmp_path / "out.zarr", options=FillOptions(every_frame=2))
    (filled,) = completion.sequences
    assert completion.verdict.applies
    assert filled.chosen.choice.mixture.shares["tracked protrusions"] >= 0.5
    found = ShapeStore.open(tmp_path / "out.zarr")
    assert "bodies with protrusions" in found.attributes["fill"]["protrusions"]
    assert min(overlap(found["a"].mask(frame), swinging(frame) <= 0) for frame in range(5)) > 0.96


def test_the_verdict_takes_known_frames_alone(tmp_path: Path) -> None:
    frames = [swinging(time) for time in range(5)]
    frames[1] = empty(GRID)
    completion = fill(write_store(tmp_path / "gap.zarr", {"a": frames}, grid=GRID), tmp_path / "out.zarr")
    assert completion.verdict.applies
    balls = write_store(tmp_path / "balls.zarr", {"a": [moving_ball(time) for time in range(5)]})
    assert not fill(balls, tmp_path / "o.zarr", options=FillOptions(every_frame=2)).verdict.applies

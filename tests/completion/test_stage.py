"""`fill` on stores of exact shapes: what is known comes back, what is missing is near the truth, faults are one line."""

from pathlib import Path

import numpy as np
import pytest
from moving import moving_ball, overlap, splitting_ball, turning_ellipsoid
from stores import ball, empty, write_store

from cytoform.completion.options import FillOptions
from cytoform.completion.stage import fill
from cytoform.errors import InputError
from cytoform.shapes.store import ShapeStore

SHAPES = {"moves": moving_ball, "divides": splitting_ball, "turns": turning_ellipsoid}


@pytest.fixture(scope="module", params=SHAPES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def whole(name: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    frames = [SHAPES[name](time) for time in np.arange(7)]
    return write_store(tmp_path_factory.mktemp("whole") / "whole.zarr", {"a": frames})


@pytest.fixture(scope="module")
def filled(whole: Path) -> Path:
    out = whole.parent / "filled.zarr"
    fill(whole, out, options=FillOptions(every_frame=2))
    return out


def test_known_frames_come_back_exactly(whole: Path, filled: Path) -> None:
    for frame in range(0, 7, 2):
        one, other = (ShapeStore.open(path)["a"].sdf_um(frame) for path in (whole, filled))
        assert one.tobytes() == other.tobytes()


def test_missing_frames_are_as_good_as_the_mean_or_better(name: str, whole: Path, filled: Path) -> None:
    true, found = ShapeStore.open(whole)["a"], ShapeStore.open(filled)["a"]
    gains = []
    for frame in (1, 3, 5):
        mean = true.sdf_um(frame - 1) + true.sdf_um(frame + 1) <= 0
        truth = true.mask(frame)
        gains.append(overlap(found.mask(frame), truth) - overlap(mean, truth))
    assert np.mean(gains) >= 0
    if name == "moves":
        assert np.mean(gains) > 0.03


def test_the_distance_of_a_filled_frame_is_one(filled: Path) -> None:
    sdf_um = ShapeStore.open(filled)["a"].sdf_um(3)
    near = np.abs(sdf_um) < 1
    slope = np.linalg.norm(np.gradient(sdf_um, 0.5), axis=0)[near]
    assert np.median(slope) == pytest.approx(1, abs=0.05)


def test_choice_and_errors_are_stored(filled: Path) -> None:
    record = ShapeStore.open(filled).attributes["fill"]
    choice = record["sequences"]["a"]["chosen"]["choice"]
    assert choice["n_hidden"] == 2
    assert choice["jaccard"] >= choice["jaccard_baseline"] - 1e-9
    expected = record["sequences"]["a"]["expected_error_um"]
    assert expected[::2] == [0, 0, 0, 0]
    assert all(0 < value < 1 for value in expected[1::2])


def test_empty_frames_are_missing_and_the_cube_moves_evenly(tmp_path: Path) -> None:
    frames = [moving_ball(time) for time in range(5)]
    store = write_store(tmp_path / "gap.zarr", {"a": [*frames[:2], empty(), *frames[3:]]})
    fill(store, tmp_path / "out.zarr")
    found = ShapeStore.open(tmp_path / "out.zarr")["a"]
    assert overlap(found.mask(2), frames[2] <= 0) > 0.9


def test_a_finer_movie_keeps_the_known_frames(tmp_path: Path) -> None:
    store = write_store(tmp_path / "slow.zarr", {"a": [moving_ball(time) for time in range(4)]})
    fill(store, tmp_path / "fine.zarr", options=FillOptions(n_frames=10))
    slow, fine = ShapeStore.open(store)["a"], ShapeStore.open(tmp_path / "fine.zarr")["a"]
    assert (fine.info.n_frames, fine.info.time_step_s) == (10, 20.0)
    assert all(fine.sdf_um(3 * frame).tobytes() == slow.sdf_um(frame).tobytes() for frame in range(4))
    assert overlap(fine.mask(4), moving_ball(4 / 3) <= 0) > 0.95


def test_planes_and_frames_are_filled_together(tmp_path: Path) -> None:
    frames = [ball(4 + 0.1 * time) for time in range(5)]
    store = write_store(tmp_path / "both.zarr", {"a": frames})
    completion = fill(store, tmp_path / "out.zarr", options=FillOptions(every_frame=2, every_plane=2))
    found = ShapeStore.open(tmp_path / "out.zarr")["a"]
    assert np.array_equal(found.sdf_um(2)[1::2], ShapeStore.open(store)["a"].sdf_um(2)[1::2])
    assert completion.plane_choice is not None
    assert min(overlap(found.mask(t), frame <= 0) for t, frame in enumerate(frames)) > 0.93
    assert all(value for value in completion.sequences[0].expected_error_um)
    assert {path.name for path in tmp_path.iterdir()} == {"both.zarr", "out.zarr"}


@pytest.mark.parametrize(
    ("frames", "options", "words"),
    [
        ([empty(), empty()], FillOptions(), "0 of 2 frames are known, so there is nothing to fill from"),
        ([ball(3), empty()], FillOptions(), "1 of 2 frames is known, and frames lie between two"),
        ([ball(3)] * 3, FillOptions(every_frame=3), "1 of 3 frames is known"),
        ([ball(3)] * 3, FillOptions(every_frame=0), "--every-frame 0"),
        ([ball(3)] * 3, FillOptions(n_frames=0), "--frames 0"),
        (
            [ball(1.5, shift_zyx_um=(-4, 0, 0))] * 3,
            FillOptions(every_plane=32),
            "none of every 32 planes cuts the cell",
        ),
    ],
)
def test_what_cannot_be_filled_is_refused(
    frames: list[np.ndarray], options: FillOptions, words: str, tmp_path: Path
) -> None:
    store = write_store(tmp_path / "bad.zarr", {"a": frames})
    with pytest.raises(InputError, match=words):
        fill(store, tmp_path / "out.zarr", options=options)
    assert {path.name for path in tmp_path.iterdir()} == {"bad.zarr"}

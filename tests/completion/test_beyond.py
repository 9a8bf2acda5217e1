"""Frames beyond the known ones: a steady motion goes on, a cell at rest is copied, and the loss with time is said."""

from pathlib import Path

import numpy as np
import pytest
from moving import moving_ball, overlap
from stores import ball, empty, write_store

from cytoform.completion.beyond import Beyond, continued, ends_to_hide, told
from cytoform.completion.options import FillOptions
from cytoform.completion.stage import fill
from cytoform.completion.timeline import timeline_of
from cytoform.shapes.store import ShapeStore


def slow_ball(time: float) -> np.ndarray:
    return moving_ball(0.5 * time)


def test_a_steady_motion_goes_on(tmp_path: Path) -> None:
    frames = [slow_ball(time) for time in range(1, 8)]
    store = write_store(tmp_path / "ends.zarr", {"a": [empty(), *frames, empty(), empty()]})
    completion = fill(store, tmp_path / "out.zarr")
    found = ShapeStore.open(tmp_path / "out.zarr")["a"]
    assert completion.sequences[0].n_beyond == 3
    assert "continued" in completion.beyond.choice.mixture.shares
    for frame, nearest in ((0, 1), (8, 7)):
        truth = slow_ball(frame) <= 0
        assert overlap(found.mask(frame), truth) > overlap(slow_ball(nearest) <= 0, truth) + 0.02
    expected = completion.sequences[0].expected_error_um
    assert expected[9] is not None
    assert expected[8] is not None
    assert expected[9] > expected[8] > 0


def test_a_cell_at_rest_is_copied_to_the_byte(tmp_path: Path) -> None:
    store = write_store(tmp_path / "rest.zarr", {"a": [ball(3.0)] * 6})
    fill(store, tmp_path / "out.zarr", options=FillOptions(before=1, after=2))
    known, found = ShapeStore.open(store)["a"], ShapeStore.open(tmp_path / "out.zarr")["a"]
    assert (found.info.n_frames, found.info.time_step_s) == (9, known.info.time_step_s)
    assert all(found.sdf_um(frame).tobytes() == known.sdf_um(0).tobytes() for frame in range(9))


def test_what_is_added_comes_after_what_is_known(tmp_path: Path) -> None:
    store = write_store(tmp_path / "a.zarr", {"a": [slow_ball(time) for time in range(6)]})
    fill(store, tmp_path / "out.zarr", options=FillOptions(n_frames=11, before=2, after=2))
    known, found = ShapeStore.open(store)["a"], ShapeStore.open(tmp_path / "out.zarr")["a"]
    assert found.info.n_frames == 15
    assert all(found.sdf_um(2 + 2 * frame).tobytes() == known.sdf_um(frame).tobytes() for frame in range(6))
    assert found.mask(14).any()


def test_the_loss_with_time_is_measured(tmp_path: Path) -> None:
    """A ball at random places: what was known a frame ago tells more than what was known three frames ago."""
    rng = np.random.default_rng(3)
    places = np.cumsum(rng.normal(0, 0.5, (13, 3)), axis=0)
    frames = [ball(3.0, shift_zyx_um=tuple(place - places.mean(axis=0))) for place in places]
    store = write_store(tmp_path / "walk.zarr", {"a": frames})
    beyond = fill(store, tmp_path / "out.zarr", options=FillOptions(after=3)).beyond
    assert [each.lag for each in beyond.by_lag] == [1, 2, 3]
    assert beyond.by_lag[0].jaccard > beyond.by_lag[2].jaccard
    record = ShapeStore.open(tmp_path / "out.zarr").attributes["fill"]["beyond"]
    assert [each["lag"] for each in record["by_lag"]] == [1, 2, 3]


def test_only_what_lies_on_the_other_side_of_a_cut_is_known(tmp_path: Path) -> None:
    store = write_store(tmp_path / "a.zarr", {"a": [slow_ball(time) for time in range(7)]})
    timeline = timeline_of(ShapeStore.open(store)["a"], FillOptions(after=2))
    for gap in ends_to_hide([timeline]):
        ahead = gap.position > gap.nearest
        assert not gap.is_between
        assert all((frame < gap.position) is ahead for frame in told(timeline, gap))


@pytest.mark.parametrize(("lag", "moved"), [(0.5, 0.5), (1.0, 1.0), (4.0, 1.0)])
def test_a_change_goes_on_for_as_long_as_it_took(lag: float, moved: float) -> None:
    nearest, behind = np.zeros((2, 2), np.float32), np.full((2, 2), -1, np.float32)
    assert continued(Beyond(nearest, behind, lag)) == pytest.approx(moved)

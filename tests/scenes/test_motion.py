"""Walks and real trajectories: as fast, as persistent and as far as they are said to be."""

from pathlib import Path

import numpy as np
import pytest
from flat import FLAT, ellipse
from stores import GRID, ball

from cytoform.errors import InputError
from cytoform.scenes.bodies import BoxWriter, Shape
from cytoform.scenes.motion import Guidance, Walk, real_trajectories
from cytoform.shapes.box import BoxedField
from cytoform.shapes.store import SequenceInfo, ShapeStore


@pytest.mark.parametrize("persistence", [0.0, 4.0, 9.0])
def test_squared_displacements_follow_fuerths_formula(persistence: float) -> None:
    """For velocities that fade by exp(-1/P) a frame: MSD(n) = v² (n + 2 Σ (n - k) exp(-k/P))."""
    walk, rng, n = Walk(0.7, persistence), np.random.default_rng(1), 20
    trajectories = np.cumsum([walk.steps_um(n, rng) for _ in range(4000)], axis=1)
    kept = np.exp(-1 / persistence) if persistence else 0.0
    lags = np.arange(1, n + 1)
    expected = [0.49 * (m + 2 * sum((m - k) * kept**k for k in range(1, m))) for m in lags]
    assert (trajectories**2).sum(axis=2).mean(axis=0) == pytest.approx(expected, rel=0.08)


def test_a_walk_begins_towards_where_it_is_sent() -> None:
    steps = Walk(2.0, 5.0).steps_um(3, np.random.default_rng(0), towards=np.array([0.0, -1.0, 0.0]))
    assert steps[0] == pytest.approx([0, -2, 0])


def write_trajectories(path: Path, trajectories: list[np.ndarray], *, time_step_s: float = 10.0) -> Path:
    store = ShapeStore.create(path, GRID, band_um=2.0, attributes={})
    for number, trajectory in enumerate(trajectories):
        offsets = tuple((float(z), float(y), float(x)) for z, y, x in trajectory)
        sequence = store.add(SequenceInfo(f"s{number}", len(trajectory), time_step_s, offsets_zyx_um=offsets))
        for frame in range(len(trajectory)):
            sequence.write(frame, ball(3.0))
    return path


def test_real_ways_keep_their_speed_height_and_time(tmp_path: Path) -> None:
    trajectory = np.stack([0.1 * np.arange(5), np.zeros(5), 2.0 * np.arange(5)], axis=1)
    trajectories = real_trajectories(write_trajectories(tmp_path / "s.zarr", [trajectory]), time_step_s=5.0)
    steps = trajectories.steps_um(40, np.random.default_rng(3))
    assert np.linalg.norm(steps[:, 1:], axis=1) == pytest.approx(np.ones(40))
    assert np.abs(steps[:, 0]) == pytest.approx(np.full(40, 0.05))
    # Back and forth it never gets farther than the trajectory is long.
    assert np.abs(np.cumsum(steps, axis=0)[:, 0]).max() <= 0.4 + 1e-9
    long = np.stack([np.zeros(90), np.zeros(90), 2.0 * np.arange(90)], axis=1)
    trajectories = real_trajectories(write_trajectories(tmp_path / "long.zarr", [long]), time_step_s=10.0)
    inward = trajectories.steps_um(2, np.random.default_rng(1), towards=np.array([0.0, 1.0, 0.0]))
    assert inward.sum(axis=0) == pytest.approx([0, 4, 0], abs=1e-9)


def test_a_store_that_has_not_kept_the_motion_is_refused(tmp_path: Path) -> None:
    path = write_trajectories(tmp_path / "s.zarr", [np.ones((4, 3))])
    with pytest.raises(InputError, match="no sequence records how its cell moved"):
        real_trajectories(path, time_step_s=10)


def test_a_wobble_makes_successive_steps_go_back() -> None:
    steps = Walk(1.0, 0.0, wobble_um=1.0).steps_um(20_000, np.random.default_rng(0))
    squares = (steps**2).sum(axis=1).mean()
    assert squares == pytest.approx(3, rel=0.05)
    assert (steps[1:] * steps[:-1]).sum(axis=1).mean() / squares == pytest.approx(-1 / 3, abs=0.03)


def rod(*axis: float) -> Shape:
    """A shape of which only the long axis counts."""
    nowhere = (0.0,) * len(axis)
    return Shape(nowhere, nowhere, nowhere, 1.0, "", 0, 0, (1,) * len(axis), nowhere, nowhere, None, axis)


def test_rods_move_along_their_axis_as_fast_as_others() -> None:
    steps = np.random.default_rng(0).normal(size=(20_000, 2))
    along = np.array([Guidance(1.0).followed(step, rod(0.0, 0.6)) for step in steps])
    assert np.abs(along[:, 0]).max() < 1e-12
    assert (along**2).sum(axis=1).mean() == pytest.approx((steps**2).sum(axis=1).mean(), rel=0.03)
    partly = np.array([Guidance(0.5).followed(step, rod(0.0, 0.6)) for step in steps])
    assert (partly**2).sum(axis=1).mean() == pytest.approx((steps**2).sum(axis=1).mean(), rel=0.03)
    assert partly[:, 0].std() == pytest.approx(0.5, rel=0.03)


def test_round_cells_and_cells_without_polarity_move_in_any_direction() -> None:
    step = np.array([0.3, -0.7, 0.2])
    assert Guidance(1.0).followed(step, rod(0.0, 0.0, 0.0)) == pytest.approx(step)
    assert Guidance(0.0).followed(step, rod(0.9, 0.0, 0.0)) == pytest.approx(step)


def test_a_drift_is_added_to_every_step() -> None:
    followed = Guidance(0.0, (0.0, 2.0)).followed(np.array([1.0, 1.0]), rod(0.0, 0.0))
    assert followed == pytest.approx([1.0, 3.0])


def test_the_long_axis_is_measured_on_the_shape(tmp_path: Path) -> None:
    """Of an ellipse of half axes 4 and 2 µm along y and x: elongation 1/2 along y."""
    with BoxWriter(tmp_path / "0.bin") as boxes:
        shape = boxes.add(BoxedField(FLAT, (0, 0), ellipse((4.0, 2.0)), 1.0))
    assert np.abs(shape.long_axis_zyx) == pytest.approx([0.5, 0.0], abs=0.02)

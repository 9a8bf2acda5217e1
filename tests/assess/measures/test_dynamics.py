"""Changes from frame to frame, splits, merges and division, worked out by hand."""

import math

import numpy as np
import pytest

from cytoform.assess.measures.descriptors import EMPTY, Descriptors
from cytoform.assess.measures.dynamics import DYNAMICS, Bodies, FrameState, FrameStep, autocorrelation, dynamics, step


def bar(*spans: tuple[int, int]) -> np.ndarray:
    """Bodies along one line."""
    mask = np.zeros((3, 3, 40), bool)
    for low, high in spans:
        mask[:, :, low:high] = True
    return mask


def still(mask: np.ndarray, area_um2: float = 1.0) -> FrameState:
    nothing = (math.nan,) * 3
    described = Descriptors(float(mask.sum()), area_um2, *nothing) if mask.any() else EMPTY
    return FrameState(described, mask, Bodies.of(mask))


EVENTS = {
    "one stays one": ([(0, 10)], [(1, 11)], 0, 0),
    "a division": ([(0, 20)], [(0, 9), (11, 20)], 1, 0),
    "into three": ([(0, 30)], [(0, 9), (10, 19), (20, 30)], 2, 0),
    "a merger": ([(0, 9), (11, 20)], [(0, 20)], 0, 1),
    "two stay two": ([(0, 9), (11, 20)], [(1, 10), (12, 21)], 0, 0),
    "one of two divides": ([(0, 20), (25, 40)], [(0, 9), (11, 20), (25, 40)], 1, 0),
    "one divides, others merge": ([(0, 12), (14, 20), (22, 30)], [(0, 5), (7, 12), (14, 30)], 1, 1),
    "nothing to something": ([], [(0, 10)], 0, 0),
    "something to nothing": ([(0, 10)], [], 0, 0),
    "one more far away": ([(0, 10)], [(0, 10), (20, 30)], 0, 0),
}


@pytest.mark.parametrize("name", EVENTS)
def test_events(name: str) -> None:
    before, after, splits, merges = EVENTS[name]
    there = step(still(bar(*before)), still(bar(*after)))
    back = step(still(bar(*after)), still(bar(*before)))
    assert (there.splits, there.merges) == (splits, merges) == (back.merges, back.splits)


def test_a_speck_is_no_daughter() -> None:
    mask = np.zeros((12, 12, 40), bool)
    mask[:, :, :20] = True
    after = mask.copy()
    after[0, 0, 30] = True
    assert step(still(mask), still(after)).splits == 0
    assert Bodies.of(after).n == 1


def test_an_empty_box_has_no_bodies() -> None:
    found = Bodies.of(np.zeros((0, 0, 0), bool))
    assert found.n == 0
    assert found.labels.shape == (0, 0, 0)


def test_changes() -> None:
    found = step(still(bar((0, 10)), 4.0), still(bar((0, 15)), 5.0))
    assert found.size_change == pytest.approx(0.5)
    assert found.surface_change == pytest.approx(0.25)
    assert found.jaccard_next == pytest.approx(10 / 15)
    gone = step(still(bar((0, 10))), still(bar()))
    assert math.isnan(gone.size_change)
    assert gone.jaccard_next == 0


def described(*sizes_um3: float) -> list[Descriptors]:
    """Frames of these sizes, each with a surface of twice its size and a sphericity of 1; 0 is an empty frame."""
    return [Descriptors(size, 2 * size, 1.0, 2 * size, 1.0) if size else EMPTY for size in sizes_um3]


def test_of_a_sequence() -> None:
    steps = [FrameStep(0.1, -0.2, 0.9, 0, 0), FrameStep(-0.3, 0.4, 0.7, 1, 0), FrameStep(math.nan, math.nan, 0.8, 0, 2)]
    frames = described(1.0, 2.0, 6.0, 7.0)  # 3, 2, 2, 3 from their mean: (6 - 4 + 6) / 26
    found = dynamics(frames, steps, [1, 1, 2, 2], time_step_s=30.0)
    # Size, surface, Jaccard index, splits, merges, division in frames and seconds, autocorrelations.
    expected = [0.2, 0.3, 0.8, 1, 2, 2, 60, 8 / 26, 8 / 26, math.nan]
    assert list(vars(found).values()) == pytest.approx(expected, nan_ok=True)
    assert list(vars(found)) == list(DYNAMICS)
    assert math.isnan(dynamics(frames, steps, [1, 1, 2, 2], time_step_s=None).division_time_s)
    assert math.isnan(dynamics(frames, steps, [1, 1, 2, 1], time_step_s=30.0).division_time_s)


def test_a_single_frame_has_no_dynamics() -> None:
    found = dynamics(described(1.0), [], [1], time_step_s=30.0)
    assert all(math.isnan(value) for value in vars(found).values())


def test_autocorrelation_of_a_known_process_and_of_noise() -> None:
    """A process that keeps 0.8 of its deviation at each step, plus noise of its own, and the noise alone."""
    rng = np.random.default_rng(0)
    noise = rng.normal(size=20000)
    process = np.zeros(20000)
    for t in range(1, 20000):
        process[t] = 0.8 * process[t - 1] + noise[t]
    assert autocorrelation(5 + process) == pytest.approx(0.8, abs=0.02)
    assert autocorrelation(5 + noise) == pytest.approx(0, abs=0.02)


def test_autocorrelation_is_undefined_without_change_and_leaves_empty_frames_out() -> None:
    for constant in ([3.0] * 5, [3.0, 3.0 + 1e-7, 3.0, 3.0 - 1e-7], [1.0, 2.0], [math.nan] * 4, []):
        assert math.isnan(autocorrelation(np.array(constant)))
    # 1, 2, nothing, 6, 7: 3, 2, 2, 3 from their mean, and no product across the gap.
    assert autocorrelation(np.array([1.0, 2.0, math.nan, 6.0, 7.0])) == pytest.approx(12 / 26)
    assert dynamics(described(1, 2, 0, 6, 7), [], [1] * 5, time_step_s=None).size_autocorrelation == pytest.approx(
        12 / 26
    )

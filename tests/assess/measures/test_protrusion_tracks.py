"""Protrusions as objects over time: a ball with spikes of known lengths that come, grow, shrink and go."""

import math
from pathlib import Path

import numpy as np
import pytest
from protruding import BODY_UM, GRID, RADIUS_UM, THIN_UM, boxed, spike, tube
from spikes import CENTRE, FRONT, SIDE, UP, spiky, united
from stores import empty, write_store

from cytoform.assess.measures.protrusion_tracks import FrameProtrusions, TakenApart, TrackedProtrusions
from cytoform.assess.measures.sequences import measure_sequence
from cytoform.protrusions.decompose import take_apart
from cytoform.protrusions.parts import PartsOfFrame
from cytoform.shapes.store import ShapeStore

VOXEL_UM = GRID.spacing_um
# The first grows and shrinks by 0.4 µm a frame over the whole movie, the second lives for four frames, the third for one.
LENGTHS_UM = (1.2, 1.6, 2.0, 2.4, 2.0, 1.6)
SPIKES = [
    {UP: length} | ({FRONT: 1.6} if 1 <= t <= 4 else {}) | ({SIDE: 1.6} if t == 3 else {})
    for t, length in enumerate(LENGTHS_UM)
]


@pytest.fixture(scope="module")
def parts() -> list[PartsOfFrame]:
    return [TakenApart.of(boxed(spiky(spikes)), RADIUS_UM).parts for spikes in SPIKES]


def test_frames(parts: list[PartsOfFrame]) -> None:
    found = [FrameProtrusions.of(frame) for frame in parts]
    assert [each.protrusions_on_body for each in found] == [1, 2, 2, 3, 2, 1]
    assert [each.protrusions_and_branches for each in found] == [1, 2, 2, 3, 2, 1]
    for each, spikes in zip(found, SPIKES, strict=True):
        assert each.lengths_total_um == pytest.approx(sum(spikes.values()), abs=VOXEL_UM * len(spikes))
        assert each.lengths_longest_um == pytest.approx(max(spikes.values()), abs=VOXEL_UM)
        assert each.protrusion_radius_um == pytest.approx(THIN_UM, rel=0.15)
    # Roots lie on the axes of the body.
    apart_um = [each.root_distance_um for each in found]
    assert apart_um[1:5] == pytest.approx([math.sqrt(2) * BODY_UM] * 4, abs=VOXEL_UM)
    assert np.isnan([apart_um[0], apart_um[5]]).all()


def test_sequence(parts: list[PartsOfFrame]) -> None:
    found = TrackedProtrusions.of(parts, time_step_s=30.0)
    assert found.lifetime_frames == pytest.approx((6 + 4 + 1) / 3)
    assert found.lifetime_s == 30 * found.lifetime_frames
    assert found.cut_off_share == pytest.approx(1 / 3)
    assert found.seen_once_share == pytest.approx(1 / 3)
    assert found.growth_um_per_frame == pytest.approx(0.4, abs=0.1)
    assert found.growth_um_per_min == pytest.approx(2 * found.growth_um_per_frame)
    assert found.withdrawal_um_per_frame == pytest.approx(0.4, abs=0.1)
    assert found.withdrawal_um_per_min == pytest.approx(2 * found.withdrawal_um_per_frame)


def test_without_a_time_step_figures_are_in_frames(parts: list[PartsOfFrame]) -> None:
    found = TrackedProtrusions.of(parts, time_step_s=None)
    assert found.lifetime_frames > 3
    assert found.growth_um_per_frame > 0.3
    assert np.isnan([found.lifetime_s, found.growth_um_per_min, found.withdrawal_um_per_min]).all()


def test_branches_belong_to_their_protrusion() -> None:
    """A spike of 3 µm with a branch that reaches 1.5 µm from its middle line."""
    up, side = np.array(UP), np.array(SIDE)
    fork = CENTRE + (BODY_UM + 1.4) * up
    branched = united(spike(up, 3.0, centre=CENTRE), tube(fork, fork + 1.2 * side))
    found = FrameProtrusions.of(TakenApart.of(boxed(branched), RADIUS_UM).parts)
    assert (found.protrusions_on_body, found.protrusions_and_branches) == (1, 2)
    assert found.lengths_longest_um == pytest.approx(3.0, abs=VOXEL_UM)
    assert found.lengths_total_um == pytest.approx(3.0 + 1.5, abs=2 * VOXEL_UM)


def test_balls_have_none_and_empty_frames_are_undefined() -> None:
    frames = [TakenApart.of(boxed(sdf_um), RADIUS_UM).parts for sdf_um in (spiky({}), empty(GRID))]
    bare, gone = map(FrameProtrusions.of, frames)
    assert (bare.protrusions_on_body, bare.lengths_total_um, bare.lengths_longest_um) == (0, 0, 0)
    assert np.isnan([bare.protrusion_radius_um, bare.root_distance_um]).all()
    assert np.isnan(list(vars(gone).values())).all()
    found = TrackedProtrusions.of(frames, time_step_s=1.0)
    assert np.isnan([value for name, value in vars(found).items() if name not in ("frames", "tracks")]).all()
    assert math.isnan(TrackedProtrusions.of(frames[:1], time_step_s=1.0).lifetime_frames)


def test_a_stored_sequence_gives_what_taking_it_apart_gives(tmp_path: Path) -> None:
    frames = [spiky(SPIKES[1]), empty(GRID), spiky(SPIKES[2])]
    path = write_store(tmp_path / "s.zarr", {"s": frames}, grid=GRID, time_step_s=20.0)
    found = measure_sequence(path, "s", RADIUS_UM).protrusions
    (whole,) = take_apart(ShapeStore.open(write_store(tmp_path / "t.zarr", {"s": frames[::2]}, grid=GRID)), RADIUS_UM)
    assert found is not None
    assert [found.frames[0], found.frames[2]] == [FrameProtrusions.of(each) for each in whole.frames]
    # Both spikes are missing in the empty frame alone.
    assert (found.lifetime_frames, found.lifetime_s, found.seen_once_share) == (3, 60, 0)
    assert measure_sequence(path, "s").protrusions is None

"""What networks see of a frame."""

import numpy as np
import pytest
from paired import two_cells
from scipy.ndimage import distance_transform_edt

from cytoform.imaging.networks.conditions import (
    CHANNELS,
    DEEPEST_PX,
    conditions,
    instance_edges,
    signed_depth,
    volume_conditions,
)


def channel(name: str, **how: int) -> np.ndarray:
    return conditions(two_cells(how.pop("shift_px", 0)), **{"frame": 0, "seed": 0, **how})[CHANNELS.index(name)]


def test_channels() -> None:
    stack = conditions(two_cells(), frame=0, seed=0)
    assert stack.shape == (len(CHANNELS), *two_cells().shape)
    assert stack.dtype == np.float32
    assert np.array_equal(channel("inside"), two_cells() > 0)


def test_edges_mark_both_sides_of_a_border_between_instances() -> None:
    labels = np.array([[1, 1, 2, 2], [1, 1, 2, 0]], np.uint16)
    assert np.array_equal(instance_edges(labels), [[0, 1, 1, 1], [0, 1, 1, 1]])


def test_depth_is_the_distance_to_another_label() -> None:
    labels = np.zeros((40, 50), np.uint16)
    labels[5:35, 5:20], labels[5:35, 20:45] = 1, 2  # they touch
    distance = sum(distance_transform_edt(labels == label) for label in (1, 2)) - distance_transform_edt(labels == 0)
    expected = np.sign(distance) * np.log1p(np.abs(distance)) / np.log1p(DEEPEST_PX)
    assert np.allclose(signed_depth(labels), expected, atol=1e-6)
    assert (signed_depth(np.zeros((4, 4), np.uint16)) == -1).all()
    assert (signed_depth(np.ones((4, 4), np.uint16)) == 1).all()


def test_what_moves_what_stays_and_what_is_new() -> None:
    cell = two_cells() == 3
    moved = np.roll(channel("cell_noise", shift_px=4, frame=9), -4, axis=1)
    assert np.array_equal(moved[cell], channel("cell_noise")[cell])
    assert np.array_equal(channel("field_noise", shift_px=4, frame=9), channel("field_noise"))
    between = np.corrcoef(channel("frame_noise").ravel(), channel("frame_noise", frame=1).ravel())[0, 1]
    assert between == pytest.approx(0, abs=0.1)


@pytest.mark.parametrize("name", ["cell_noise", "field_noise", "frame_noise"])
def test_noise_follows_the_seed(name: str) -> None:
    assert np.array_equal(channel(name, seed=3), channel(name, seed=3))
    assert not np.allclose(channel(name, seed=3), channel(name, seed=4))


def test_planes_of_a_volume_have_noise_of_their_own_that_follows_the_cell_in_space() -> None:
    labels = np.stack([two_cells()] * 5)
    planes = list(volume_conditions(labels, frame=0, seed=0))
    assert len(planes) == 5
    for name in ("cell_noise", "field_noise", "frame_noise"):
        one, other = (plane[CHANNELS.index(name)][labels[0] == 7] for plane in planes[1:3])
        assert abs(np.corrcoef(one, other)[0, 1]) < 0.3
    lower = np.concatenate([labels, np.zeros_like(labels)])
    higher = np.roll(lower, 2, axis=0)
    noise = [
        np.stack(list(volume_conditions(v, frame=0, seed=0)))[:, CHANNELS.index("cell_noise")] for v in (lower, higher)
    ]
    assert np.array_equal(noise[0][:5], noise[1][2:7])

"""Cells that move and push: never two in one voxel, never out of closed borders, in and out of open ones."""

from pathlib import Path

import numpy as np
import pytest

from cytoform.errors import InputError
from cytoform.scenes.bodies import Body, BoxWriter, Shape, taken_by
from cytoform.scenes.crowd import Crowd
from cytoform.scenes.motion import Guidance, Walk
from cytoform.scenes.room import Room, refuse_overfull
from scenes import boxed_ball

SPACING = (0.5, 0.5, 0.5)


class Straight:
    """Everybody goes the same way, or towards where they are sent."""

    def __init__(self, *step_um: float) -> None:
        self.step_um = step_um

    def steps_um(self, n: int, rng: np.random.Generator, *, towards: np.ndarray | None = None) -> np.ndarray:
        step = np.array(self.step_um) if towards is None else towards * np.linalg.norm(self.step_um)
        return np.tile(step, (n, 1))


def shape_of(boxes: BoxWriter, radius_um: float) -> Shape:
    return boxes.add(boxed_ball(radius_um))


def bodies(folder: Path, n: int, n_frames: int, *, firsts: tuple[int, ...] = ()) -> list[Body]:
    """Balls of 2 µm, each from its first frame to the last."""
    with BoxWriter(folder / "0.bin") as boxes:
        shape = shape_of(boxes, 2.0)
    return [Body(i, 0, None, first, (shape,) * (n_frames - first)) for i, first in enumerate(firsts or (0,) * n)]


def play(
    folder: Path, cells: list[Body], room: Room, motion: object, n_frames: int, seed: int = 0
) -> list[dict[int, np.ndarray]]:
    return Crowd(cells, room, folder, motion=motion, n_frames=n_frames, seed=seed).play()


def check_apart_and_whole(folder: Path, cells: list[Body], centres: dict[int, np.ndarray], room: Room) -> None:
    """No voxel is in two cells, and no closed border cuts one."""
    count = np.zeros(room.shape_zyx, int)
    for number, centre in centres.items():
        found = taken_by(folder, cells[number].shape(0), centre_zyx_um=centre, spacing_zyx_um=room.spacing_zyx_um)
        inside = found.clipped(room.shape_zyx)
        count[inside.slices] += inside.inside
        assert (inside.inside).sum() == (found.inside).sum(), "cut by a closed border"
    assert count.max() == 1


@pytest.mark.parametrize("gap_um", [0.0, 0.8])
def test_balls_in_a_crowd_never_come_nearer_than_their_size_and_the_gap(gap_um: float, tmp_path: Path) -> None:
    room = Room((12, 40, 40), SPACING, (False, False, False), gap_um)
    cells = bodies(tmp_path, 9, 12)
    frames = play(tmp_path, cells, room, Walk(1.5, 4.0), 12)
    moved = 0.0
    for before, centres in zip([frames[0], *frames], frames, strict=False):
        check_apart_and_whole(tmp_path, cells, centres, room)
        places = np.array(list(centres.values()))
        away = np.linalg.norm(places[:, None] - places[None], axis=2)[np.triu_indices(9, 1)]
        assert away.min() >= 4.0 + gap_um - 0.9  # what voxels of 0.5 µm cannot tell
        moved += sum(float(np.linalg.norm(centres[n] - before[n])) for n in centres)
    assert moved > 50


def test_two_that_would_collide_push_each_other_aside(tmp_path: Path) -> None:
    cells = bodies(tmp_path, 2, 6)
    crowd = Crowd(
        cells, Room((12, 40, 40), SPACING, (False,) * 3), tmp_path, motion=Straight(0, 0, 0), n_frames=6, seed=0
    )
    crowd.play()
    first, second = crowd.movers
    first.centre_um, second.centre_um = np.array([3.0, 8, 8]), np.array([3.0, 8, 10])
    crowd._settle(5)
    assert second.centre_um[2] - first.centre_um[2] == pytest.approx(4.0, abs=0.6)
    assert (first.centre_um + second.centre_um) / 2 == pytest.approx([3, 8, 9], abs=1e-9)


def test_too_many_for_the_room_is_one_line_that_says_how_many_fit(tmp_path: Path) -> None:
    room = Room((12, 20, 20), SPACING, (False, False, False))
    with pytest.raises(
        InputError, match=r"too crowded: 30 families in 12×20×20 voxels, only \d find room in frame 0; choose"
    ) as fault:
        play(tmp_path, bodies(tmp_path, 30, 1), room, Walk(0.5, 1.0), 1)
    assert "\n" not in str(fault.value)


def test_cells_that_grow_into_each_other_without_room_are_refused_in_time(tmp_path: Path) -> None:
    """Two balls that become larger than the room."""
    with BoxWriter(tmp_path / "0.bin") as boxes:
        shapes = shape_of(boxes, 1.0), shape_of(boxes, 2.5)
    cells = [Body(number, 0, None, 0, shapes) for number in range(2)]
    with pytest.raises(InputError, match=r"too crowded: .* overlap in frame 1"):
        play(tmp_path, cells, Room((12, 12, 12), SPACING, (False,) * 3), Straight(0, 0, 0), 2)


def test_cells_on_coarse_grids_share_no_voxel_however_fine(tmp_path: Path) -> None:
    """Between its voxels a cell reaches farther than its outermost inner ones."""
    room = Room((40, 110, 110), (0.15, 0.15, 0.15), (False, False, False))
    with BoxWriter(tmp_path / "0.bin") as boxes:
        shapes = [boxes.add(boxed_ball(radius_um)) for radius_um in (1.24, 1.74)]
    cells = [Body(i, 0, None, 0, (shapes[i % 2],) * 8) for i in range(12)]
    for centres in play(tmp_path, cells, room, Walk(1.0, 4.0), 8):
        check_apart_and_whole(tmp_path, cells, centres, room)


def test_more_than_fits_is_known_from_the_first_few(tmp_path: Path) -> None:
    """Balls of 35 µm³ in 600 µm³: at 74 % there is room for 12."""
    cells, room = bodies(tmp_path, 3, 2), Room((12, 20, 20), SPACING, (False, True, True))
    refuse_overfull(12, cells, room)
    with pytest.raises(InputError, match=r"too crowded: 13 families .* at most 12 fit"):
        refuse_overfull(13, cells, room)


def test_newcomers_come_in_through_open_borders(tmp_path: Path) -> None:
    room = Room((12, 40, 40), SPACING, (False, True, True))
    cells = bodies(tmp_path, 0, 14, firsts=(0, 3, 5, 8))
    frames = play(tmp_path, cells, room, Straight(0, 0, 1.0), 14)
    for number, first in enumerate((0, 3, 5, 8)):
        assert all((number in centres) == (frame >= first) for frame, centres in enumerate(frames))
        y, x = frames[first][number][1:]
        beyond = max(-y, -x, y - 20, x - 20)
        if first:
            assert beyond == pytest.approx(2.0, abs=0.05)
            y, x = frames[first + 3][number][1:]
            assert max(-y, -x, y - 20, x - 20) == pytest.approx(-1.0, abs=0.05)
        else:
            assert beyond <= 0


def test_nobody_goes_farther_than_just_out_of_sight(tmp_path: Path) -> None:
    room = Room((12, 40, 40), SPACING, (False, True, True))
    frames = play(tmp_path, bodies(tmp_path, 2, 30), room, Straight(0.7, 0, 1.0), 30)
    z, _, x = np.array([frames[-1][0], frames[-1][1]]).T
    assert z == pytest.approx([3.5, 3.5], abs=0.05)  # a voxel is left
    assert x.max() == pytest.approx(22.0, abs=0.05)


def test_the_same_seed_gives_the_same_ways_and_another_gives_others(tmp_path: Path) -> None:
    room = Room((12, 40, 40), SPACING, (False, True, True))
    one, again, other = (
        play(tmp_path, bodies(tmp_path, 4, 5), room, Walk(1.0, 2.0), 5, seed=seed) for seed in (1, 1, 2)
    )
    assert all((one[-1][n] == again[-1][n]).all() for n in one[-1])
    assert any((one[-1][n] != other[-1][n]).any() for n in one[-1])


def test_a_drift_carries_all_cells_and_brings_newcomers_from_upstream(tmp_path: Path) -> None:
    room = Room((12, 40, 40), SPACING, (False, False, True))
    cells = bodies(tmp_path, 0, 8, firsts=(0, 3))
    still = Straight(0.0, 0.0, 0.0)
    guidance = Guidance(drift_um=(0.0, 0.0, 0.5))
    crowd = Crowd(cells, room, tmp_path, motion=still, n_frames=8, seed=0, guidance=guidance)
    frames = crowd.play()
    moved = frames[7][0] - frames[0][0]
    assert moved == pytest.approx([0, 0, min(3.5, 22.0 - frames[0][0][2])], abs=0.05)
    assert frames[3][1][2] == pytest.approx(-2.0, abs=0.05)


def test_a_new_cell_is_placed_at_the_asked_distance_from_its_neighbour(tmp_path: Path) -> None:
    """Thirty free places are tried; anywhere in the room two cells would be 9 µm apart on average."""
    room = Room((12, 60, 60), SPACING, (False, True, True))
    apart = []
    for seed in range(6):
        crowd = Crowd(
            bodies(tmp_path, 2, 1), room, tmp_path, motion=Walk(0.0, 0.0), n_frames=1, seed=seed, neighbour_um=5.0
        )
        (places,) = crowd.play()
        apart.append(np.linalg.norm(places[0] - places[1]))
    assert apart == pytest.approx([5.0] * 6, abs=1.2)


def test_cells_closer_together_than_by_chance_lie_in_groups_all_over_the_field(tmp_path: Path) -> None:
    """Sixteen cells, 5 µm from their neighbours in a field where chance would leave 15 µm; one chain would fill a corner."""
    room = Room((12, 240, 240), SPACING, (False, True, True))
    crowd = Crowd(bodies(tmp_path, 16, 1), room, tmp_path, motion=Walk(0.0, 0.0), n_frames=1, seed=1, neighbour_um=5.0)
    places = np.array(list(crowd.play()[0].values()))
    distances = np.linalg.norm(places[:, None] - places, axis=-1) + 1e3 * np.eye(16)
    assert np.median(distances.min(axis=1)) == pytest.approx(5.0, abs=2.0)
    thirds = {tuple(each) for each in (places[:, 1:] // (room.size_um[1:] / 3)).astype(int).tolist()}
    assert len(thirds) >= 4

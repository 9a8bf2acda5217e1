"""Cells are told apart backwards in time: a division is where pieces part for good."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from cytoform.scenes.pieces import Follower, Member, Pieces, find_pieces
from cytoform.shapes.box import BoxedField
from cytoform.shapes.grid import Grid

SHAPE = (7, 9, 40)


def pieces_of(inside: np.ndarray) -> Pieces:
    return find_pieces(BoxedField(Grid(40, 20.0), (0, 0, 0), np.where(inside, -1.0, 1.0), 1.0))


def frame(*intervals: tuple[int, int]) -> np.ndarray:
    """Bars along x from one voxel to another."""
    inside = np.zeros(SHAPE, bool)
    for first, last in intervals:
        inside[2:5, 3:6, first : last + 1] = True
    return inside


def follow(*frames: np.ndarray, divides: bool = True) -> tuple[tuple[Member, ...], list[list[int]]]:
    """Members, and the owners of the pieces of every frame, from the first on; pieces are numbered along x."""
    follower = Follower(len(frames), divides=divides)
    owners = [follower.step_back(pieces_of(inside)).tolist() for inside in reversed(frames)]
    return follower.members, owners[::-1]


def test_an_empty_box_has_no_pieces() -> None:
    found = find_pieces(BoxedField(Grid(40, 20.0), (0, 0, 0), np.empty((0, 0, 0), np.float32), 1.0))
    assert found.n == len(found.centroids_zyx) == 0


def test_a_division_in_the_middle() -> None:
    members, owners = follow(frame((5, 20)), frame((5, 20)), frame((4, 11), (14, 22)), frame((3, 10), (15, 23)))
    assert sorted(members, key=lambda m: m.first) == [Member(2, 0, 1), Member(0, 2, 3, 2), Member(1, 2, 3, 2)]
    assert owners == [[2], [2], [0, 1], [0, 1]]


def test_a_piece_that_joins_again_never_has_a_label() -> None:
    apart, together = frame((4, 11), (14, 22)), frame((4, 22))
    members, owners = follow(together, apart, together, apart, apart)
    assert {(m.first, m.last, m.parent) for m in members} == {(0, 2, None), (3, 4, 2)}
    assert owners == [[2], [2, 2], [2], [0, 1], [0, 1]]


def test_a_cell_that_does_not_divide_may_be_in_pieces_at_the_end() -> None:
    members, owners = follow(frame((4, 22)), frame((4, 11), (14, 22)), divides=False)
    assert members == (Member(0, 0, 1),)
    assert owners == [[0], [0, 0]]


def test_two_divisions_of_a_family() -> None:
    members, _ = follow(frame((2, 30)), frame((2, 10), (14, 30)), frame((2, 10), (14, 20), (24, 33)))
    daughters = sorted((m.first, m.last, m.parent) for m in members if m.parent is not None)
    assert daughters == [(1, 1, 4), (1, 2, 4), (2, 2, 3), (2, 2, 3)]
    assert [(m.first, m.last) for m in members if m.parent is None] == [(0, 0)]


def test_a_fragment_at_the_end_is_no_daughter_and_a_speck_is_erased() -> None:
    inside = frame((2, 30))
    inside[3, 4, 34] = True  # 1 of 262 voxels
    assert pieces_of(inside).n == 1
    inside[3, 4, 34:39] = True  # 5 of 266
    assert pieces_of(inside).n == 2
    members, owners = follow(frame((2, 30)), inside)
    assert len(members) == 1
    assert owners == [[0], [0, 0]]


def test_cells_that_move_farther_than_they_are_long_are_followed_by_the_nearest() -> None:
    members, owners = follow(frame((1, 4), (20, 23)), frame((7, 10), (27, 30)))
    assert len(members) == 2
    assert owners == [[0, 1], [0, 1]]


@settings(max_examples=25, deadline=None)
@given(st.lists(st.sampled_from(["one", "two"]), min_size=1, max_size=8))
def test_the_division_is_the_first_frame_from_which_on_it_stays_two(kinds: list[str]) -> None:
    pictures = {"one": frame((4, 22)), "two": frame((4, 11), (14, 22))}
    members, owners = follow(*(pictures[kind] for kind in kinds))
    together = [number for number, kind in enumerate(kinds) if kind == "one"]
    expected = together[-1] + 1 if together else 0
    daughters = [m for m in members if m.parent is not None]
    if not together or expected == len(kinds):
        assert not daughters
    else:
        assert [(m.first, m.last) for m in daughters] == [(expected, len(kinds) - 1)] * 2
    for number, labels in enumerate(owners):
        assert all(members[label].first <= number <= members[label].last for label in labels)

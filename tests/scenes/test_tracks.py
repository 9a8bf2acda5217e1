"""Labels and lineage from what is seen: no gaps, parents that end before their children begin."""

from hypothesis import given
from hypothesis import strategies as st

from cytoform.movies.lineage import Track
from cytoform.scenes.bodies import Body, Shape
from cytoform.scenes.tracks import number_tracks

NOWHERE = (0.0, 0.0, 0.0)
SHAPE = Shape(NOWHERE, NOWHERE, NOWHERE, 1.0, "", 0, 0, (0, 0, 0), (1.0,) * 3, NOWHERE)


def body(family: int, member: int, first: int, last: int, parent: int | None = None) -> Body:
    return Body(family, member, parent, first, (SHAPE,) * (last - first + 1))


DIVISION = [body(0, 2, 0, 3), body(0, 0, 4, 7, 2), body(0, 1, 4, 7, 2)]


def tracks(bodies: list[Body], seen: list[set[int]], frames: list[int] | None = None) -> set[tuple[int, int, int, int]]:
    tracked = number_tracks(bodies, frames or list(range(len(seen))), seen)
    assert tracked.lineage  # which checks it
    return {(t.label, t.first, t.last, t.parent) for t in tracked.tracks}


def test_a_division_in_view() -> None:
    assert tracks(DIVISION, [{0}] * 4 + [{1, 2}] * 4) == {(1, 0, 3, 0), (2, 4, 7, 1), (3, 4, 7, 1)}


def test_a_division_counts_where_both_daughters_are_seen() -> None:
    frames = list(range(8))
    assert number_tracks(DIVISION, frames, [{0}] * 4 + [{1, 2}] * 4).n_divisions == 1
    assert number_tracks(DIVISION, frames, [{0}] * 4 + [{1}] * 4).n_divisions == 0


def test_who_comes_back_is_a_new_track() -> None:
    assert tracks(DIVISION, [{0}, set(), {0}, {0}] + [{1, 2}] * 2 + [{2}, {1, 2}]) == {
        (1, 0, 0, 0), (2, 2, 3, 0), (3, 4, 5, 2), (4, 4, 7, 2), (5, 7, 7, 0),
    }  # fmt: skip


def test_a_mother_out_of_view_is_no_parent_and_neither_is_one_of_a_daughter_who_comes_late() -> None:
    assert tracks(DIVISION, [{0}] * 3 + [set()] + [{1}] * 4) == {(1, 0, 2, 0), (2, 4, 7, 0)}
    assert tracks(DIVISION, [{0}] * 4 + [{1}] + [{1, 2}] * 3) == {(1, 0, 3, 0), (2, 4, 7, 1), (3, 5, 7, 0)}


def test_frames_left_out_keep_the_lineage_even_where_a_whole_life_is_left_out() -> None:
    bodies = [body(0, 4, 0, 3), body(0, 2, 4, 5, 4), body(0, 3, 4, 8, 4), body(0, 0, 6, 8, 2), body(0, 1, 6, 8, 2)]
    found = tracks(bodies, [{0}, {2, 3, 4}, {2, 3, 4}], frames=[3, 6, 8])
    assert found == {(1, 0, 0, 0), (2, 1, 2, 1), (3, 1, 2, 1), (4, 1, 2, 1)}


@given(st.lists(st.sets(st.sampled_from([0, 1, 2])), min_size=8, max_size=8))
def test_every_body_that_is_seen_has_exactly_one_track_and_the_lineage_is_sound(seen: list[set[int]]) -> None:
    alive = [{n for n in there if DIVISION[n].first <= t <= DIVISION[n].last} for t, there in enumerate(seen)]
    tracked = number_tracks(DIVISION, list(range(8)), alive)
    for frame, there in enumerate(alive):
        assert set(tracked.labels_in(frame)) == there
    assert all(isinstance(track, Track) for track in tracked.lineage.tracks)

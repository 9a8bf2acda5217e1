"""Labels that go on in the next frame, and labels that do not: jumps, leaps, mergers and births."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cytoform.movies.continuity import Follower, Oddity
from cytoform.movies.extents import measure
from cytoform.movies.families import find_families
from cytoform.movies.lineage import Lineage, Track
from cytoform.movies.movie import LabelMovie
from cytoform.movies.oddities import Cause

UM = (1.0, 0.5, 0.5)
SHAPE = (12, 60, 60)
CENTRES = ((6.0, 8.0, 8.0), (6.0, 8.0, 21.0), (6.0, 21.0, 8.0), (6.0, 21.0, 21.0))


def cells(places: list[tuple[int, tuple[float, float, float], float]]) -> np.ndarray:
    """Balls of a label, a centre and a radius in µm."""
    axes = np.meshgrid(*[(np.arange(n) + 0.5) * s for n, s in zip(SHAPE, UM, strict=True)], indexing="ij")
    labels = np.zeros(SHAPE, np.uint16)
    for label, centre, radius_um in places:
        labels[sum((a - c) ** 2 for a, c in zip(axes, centre, strict=True)) <= radius_um**2] = label
    return labels


def movie(frames: list[np.ndarray], lineage: Lineage | None = None) -> LabelMovie:
    return LabelMovie("m", "m.tif", len(frames), SHAPE, UM, None, lineage, lambda t: frames[t].copy())


def oddities(*frames: np.ndarray, tracked: bool = False) -> list[tuple[Oddity, int, int, int]]:
    follower = Follower(UM, tracked=tracked)
    for number, labels in enumerate(frames):
        follower.add(number, labels, measure(labels))
    return [(step.oddity, step.frame, step.label, step.other) for step in follower.steps]


@settings(max_examples=25, deadline=None)
@given(
    n_frames=st.integers(2, 4),
    n_cells=st.integers(1, 4),
    radii=st.lists(st.floats(2.5, 4.0), min_size=4, max_size=4),
    drift_um=st.tuples(st.just(0.0), st.floats(-2.0, 2.0), st.floats(-2.0, 2.0)),
    data=st.data(),
)
def test_labels_are_cells_or_are_named(n_frames, n_cells, radii, drift_um, data):
    """Any numbering of moving cells: each family that is kept is one and the same cell, and the others are named."""
    numbers = [data.draw(st.permutations(range(1, n_cells + 1))) for _ in range(n_frames)]
    frames = []
    for t, of_frame in enumerate(numbers):
        # The whole field drifts, forth and back.
        centres = [tuple(np.array(c) + np.array(drift_um) * (t % 2)) for c in CENTRES[:n_cells]]
        frames.append(cells([(of_frame[n], centres[n], radii[n]) for n in range(n_cells)]))
    search = find_families(movie(frames))
    steady = {label for label in numbers[0] if len({of_frame.index(label) for of_frame in numbers}) == 1}
    assert {family.root for family in search.families} == steady
    for lost in search.left_out:
        assert lost.cause is Cause.JUMP
        assert lost.where.startswith("m.tif, frame ")
        assert f"label {lost.root} lies in frame" in lost.reason
    kept = find_families(movie(frames), jumps="keep")
    assert len(kept.families) == n_cells
    assert any("lies where label" in line for line in kept.notices) == (len(steady) < n_cells)


def test_numbers_that_are_new_in_every_frame():
    frames = [cells([(10 * t + n + 1, CENTRES[n], 3.0) for n in range(3)]) for t in range(3)]
    search = find_families(movie(frames))
    assert search.families == ()
    assert {lost.cause for lost in search.left_out} == {Cause.JUMP}
    assert (search.n_labels, search.n_lasting) == (9, 0)
    assert "label 11 is there in frame 1 only, where label 1 was in frame 0" in [
        lost.reason for lost in search.left_out
    ]


def row(*numbers: int) -> np.ndarray:
    """Equal cells in a row, 6 µm apart; 0 is an empty place."""
    return cells([(number, (6.0, 8.0, 3.0 + 6.0 * n), 2.8) for n, number in enumerate(numbers) if number])


def test_a_row_that_drifts_by_one_place_is_no_jump():
    """As when the stage moves: the row goes on at its end. It is said, because the cells cannot be told apart."""
    assert oddities(row(1, 2, 3, 4, 0), row(0, 1, 2, 3, 4)) == [(Oddity.DRIFT, 1, 1, 2)]
    (line,) = find_families(movie([row(1, 2, 3, 4, 0), row(0, 1, 2, 3, 4)]), border="keep", jumps="keep").notices[:1]
    assert line.startswith(
        "m.tif, frame 1: all labels have moved together since frame 0, label 1 by 6 µm to where label 2 was"
    )


def test_a_row_that_is_counted_anew_after_its_first_cell_is_lost():
    """No cell has moved: a drift by exactly one place that loses a cell would be a strange chance."""
    jumps = oddities(row(1, 2, 3, 4, 5), row(0, 1, 2, 3, 4))
    assert jumps == [(Oddity.JUMP, 1, label, label + 1) for label in range(1, 5)]


def scattered(n_cells: int, seed: int) -> np.ndarray:
    """Places of cells in µm, at least 4 µm apart."""
    rng = np.random.default_rng(seed)
    places: list[np.ndarray] = []
    while len(places) < n_cells:
        place = rng.uniform((3, 3, 3), (9, 27, 27))
        if all(np.linalg.norm(place - other) > 4 for other in places):
            places.append(place)
    return np.array(places)


def at(places: np.ndarray, numbers: Sequence[int] = ()) -> np.ndarray:
    return cells([(n, tuple(place), 1.6) for n, place in zip(numbers or range(1, 99), places, strict=False)])


def turned(places: np.ndarray, degrees: float) -> np.ndarray:
    """Turned about the axis z through the middle."""
    angle, middle = np.deg2rad(degrees), np.array([6.0, 15.0, 15.0])
    rotation = np.array([[1, 0, 0], [0, np.cos(angle), -np.sin(angle)], [0, np.sin(angle), np.cos(angle)]])
    return (places - middle) @ rotation.T + middle


@settings(max_examples=25, deadline=None)
@given(degrees=st.floats(-180, 180), seed=st.integers(0, 9))
def test_an_embryo_that_turns_keeps_its_labels(degrees, seed):
    """Cells are carried by several diameters, and some to where others were."""
    places = scattered(9, seed)
    inside = [p for p in places if np.linalg.norm(p[1:] - 15) < 11]
    if len(inside) >= 6:
        after = at(turned(np.array(inside), degrees))
        assert [odd for odd in oddities(at(np.array(inside)), after) if odd[0] is not Oddity.DRIFT] == []


@settings(max_examples=25, deadline=None)
@given(data=st.data(), seed=st.integers(0, 9), n_cells=st.integers(2, 9))
def test_cells_that_stay_and_are_numbered_anew(data, seed, n_cells):
    """Any order of the labels: the labels with another cell jump, and no other label."""
    places = scattered(n_cells, seed)
    numbers = data.draw(st.permutations(range(1, n_cells + 1)))
    jumps = oddities(at(places), at(places, numbers))
    assert {(odd[0], odd[2], odd[3]) for odd in jumps} == {
        (Oddity.JUMP, number, n) for n, number in enumerate(numbers, 1) if number != n
    }


def test_a_cell_that_moves_to_where_another_one_was():
    """Its own place is empty and the other one has moved on: no numbering anew, and yet far."""
    places = scattered(8, 3)
    after = places.copy()
    after[0], after[1] = places[1], (6.0, 2.5, 27.0)
    assert {odd[:3] for odd in oddities(at(places), at(after))} == {(Oddity.LEAP, 1, 1), (Oddity.LEAP, 1, 2)}


def test_a_label_that_goes_far_away():
    far = cells([(1, CENTRES[3], 3.0), (2, CENTRES[1], 3.0)])
    assert oddities(cells([(1, CENTRES[0], 3.0), (2, CENTRES[1], 3.0)]), far) == [(Oddity.LEAP, 1, 1, 0)]


def test_two_cells_that_become_one_label():
    pair = [(1, (6.0, 8.0, 8.0), 3.0), (2, (6.0, 8.0, 14.0), 3.0)]
    merged = np.where(cells(pair) > 0, 1, 0).astype(np.uint16)
    assert oddities(cells(pair), merged) == [(Oddity.MERGER, 1, 1, 2)]
    (line,) = find_families(movie([cells(pair), merged])).notices
    assert line.startswith("m.tif, frame 1: label 1 has grown 2.0 times since frame 0, over the place of label 2")


def test_a_cell_that_shrinks():
    assert oddities(cells([(1, CENTRES[0], 4.0)]), cells([(1, CENTRES[0], 2.5)])) == [(Oddity.CHANGE, 1, 1, 0)]
    assert oddities(cells([(1, CENTRES[0], 4.0)]), cells([(1, CENTRES[0], 3.5)])) == []


def test_a_division_without_lineage_is_named():
    daughters = cells([(2, (6.0, 6.0, 8.0), 2.4), (3, (6.0, 11.0, 8.0), 2.4)])
    frames = [cells([(1, CENTRES[0], 4.0)])] * 2 + [daughters] * 2
    assert [step[0] for step in oddities(*frames)] == [Oddity.BIRTH, Oddity.BIRTH]
    search = find_families(movie(frames))
    assert len(search.families) == 3
    (line,) = search.notices
    assert line.startswith("m.tif, frame 2: label 2 begins where label 1 was in frame 1, and no lineage is recorded")
    lineage = Lineage((Track(1, 0, 1, 0), Track(2, 2, 3, 1), Track(3, 2, 3, 1)))
    assert find_families(movie(frames, lineage)).notices == ()


def test_a_lineage_is_doubted_only_if_many_labels_jump():
    """Nuclei of an embryo that turns may lie where others were, now and then."""
    steady = [cells([(n + 1, CENTRES[n], 2.6 + 0.3 * n) for n in range(4)]) for _ in range(4)]
    swapped = cells([(1, CENTRES[1], 2.9), (2, CENTRES[0], 2.6), (3, CENTRES[2], 3.2), (4, CENTRES[3], 3.5)])
    lineage = Lineage(tuple(Track(n, 0, 3, 0) for n in range(1, 5)))
    search = find_families(movie([*steady[:3], swapped], lineage))
    assert len(search.families) == 4
    (line,) = search.notices
    assert line == (
        "m.tif, frame 3: label 1 lies where label 2 was in frame 2, and 1 more like it; check that labels keep their cells"
    )
    long = Lineage(tuple(Track(n, 0, 5, 0) for n in range(1, 5)))
    assert find_families(movie([*steady[:3], *steady[:2], swapped], long)).notices == ()


@pytest.mark.real
def test_real_cells_are_not_doubted(real_data):
    from cytoform.movies.readers import open_movies

    for source, size in (("tcells/masks_anisotropic", None), ("blastospim_nuclei", (2.0, 0.208, 0.208))):
        for one in open_movies(real_data / source, voxel_size_zyx_um=size):
            search = find_families(one)
            assert (search.notices, search.left_out) == ((), ())

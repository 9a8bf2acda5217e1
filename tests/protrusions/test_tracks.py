"""Protrusions followed over time, from centre lines that are known."""

import numpy as np
import pytest
from protruding import direction

from cytoform.protrusions.curves import Curve
from cytoform.protrusions.tracks import Track, follow

CENTRE, BODY_UM = np.full(3, 5.0), 2.0
OUT = [direction(azimuth) for azimuth in (0, 90, 180, 270)]


def line(start: np.ndarray, out: np.ndarray, length_um: float) -> np.ndarray:
    return start + np.linspace(0, length_um, max(round(length_um / 0.1), 2) + 1)[:, None] * out


def curve(out: np.ndarray, length_um: float, centre: np.ndarray = CENTRE) -> Curve:
    """A protrusion straight out of the body."""
    points = line(centre + BODY_UM * out, out, length_um)
    return Curve(points, np.full(len(points), 0.2), out)


def branch(parent: int, curves: list[Curve], at_um: float, side: np.ndarray, length_um: float) -> Curve:
    mother = curves[parent]
    start = mother.line_zyx_um[int(np.argmin(np.abs(mother.arc_um - at_um)))]
    points = line(start, side, length_um)
    return Curve(points, np.full(len(points), 0.1), mother.normal_zyx, parent, at_um)


def followed(frames: list[list[Curve]], centres: np.ndarray | None = None) -> list[Track]:
    given = np.tile(CENTRE, (len(frames), 1)) if centres is None else centres
    return follow(frames, given, BODY_UM)


def lengths(track: Track) -> dict[int, float]:
    return {frame: round(curve.length_um, 3) for frame, curve in track.curves.items()}


def test_growing_protrusions_keep_their_tracks_in_any_order() -> None:
    frames = []
    for t in range(5):
        order = np.random.default_rng(t).permutation(4)
        frames.append([curve(OUT[k], 0.5 + 0.1 * k + 0.2 * t) for k in order])
    tracks = followed(frames)
    assert [track.label for track in tracks] == [1, 2, 3, 4]
    for track in tracks:
        grown = np.diff(list(lengths(track).values()))
        assert grown == pytest.approx(np.full(4, 0.2))
        assert (track.first, track.last, track.parent) == (0, 4, None)


def test_protrusions_are_born_and_gone_in_the_movie() -> None:
    alive = {0: range(6), 1: range(2, 6), 2: range(4), 3: range(1, 5)}
    frames = [[curve(OUT[k], 1.0) for k, when in alive.items() if t in when] for t in range(6)]
    found = {(track.first, track.last) for track in followed(frames)}
    assert found == {(when[0], when[-1]) for when in alive.values()}


def test_one_frame_may_be_missing_but_not_two() -> None:
    for gap, n_tracks in ((1, 1), (2, 2)):
        frames = [[] if 2 <= t < 2 + gap else [curve(OUT[0], 1.0)] for t in range(6)]
        tracks = followed(frames)
        assert len(tracks) == n_tracks
        assert tracks[0].last == (5 if gap == 1 else 1)
        assert sum(len(track.curves) for track in tracks) == 6 - gap


def test_a_moving_cell_takes_its_protrusions_along() -> None:
    centres = CENTRE + np.arange(5)[:, None] * np.array([0.0, 0.6, 1.5])
    tracks = followed([[curve(out, 1.0, c) for out in OUT] for c in centres], centres)
    assert len(tracks) == 4
    assert all(len(track.curves) == 5 for track in tracks)


def test_a_root_that_jumps_is_another_protrusion() -> None:
    tracks = followed([[curve(OUT[0], 1.0)], [curve(OUT[1], 1.0)]])
    assert [(track.first, track.last) for track in tracks] == [(0, 0), (1, 1)]


def test_neighbours_do_not_swap() -> None:
    """Two roots near each other, one gone: the other keeps its track although both were possible."""
    near = [direction(0), direction(12)]
    frames = [[curve(near[0], 1.0), curve(near[1], 1.0)], [curve(near[1], 1.0)], [curve(near[1], 1.0)]]
    first, second = followed(frames)
    assert (first.last, second.last) == (0, 2)


def test_branches_are_followed_with_their_parents() -> None:
    frames = []
    for t in range(4):
        curves = [curve(OUT[0], 2.0), curve(OUT[1], 2.0)]
        if t >= 1:
            curves.append(branch(0, curves, 1.0, OUT[1], 0.4 + 0.1 * t))
        if t >= 2:
            curves.append(branch(0, curves, 1.5, OUT[3], 0.6))
        frames.append(curves)
    tracks = followed(frames)
    assert [(track.parent, track.first, track.last) for track in tracks] == [
        (None, 0, 3),
        (None, 0, 3),
        (1, 1, 3),
        (1, 2, 3),
    ]
    assert lengths(tracks[2]) == {1: 0.5, 2: 0.6, 3: 0.7}


def test_a_branch_longer_than_the_rest_of_its_parent_stays_a_branch() -> None:
    """The longest way leads into the branch from frame 2 on; the tracks keep their tips."""
    side = direction(60)
    frames = []
    for t in range(4):
        main, twig = curve(OUT[0], 2.0), 0.6 + 0.3 * t
        if twig <= 1.0:
            frames.append([main, branch(0, [main], 1.0, side, twig)])
            continue
        turn = main.line_zyx_um[10]
        points = np.concatenate([main.line_zyx_um[:10], line(turn, side, twig)])
        radii = np.concatenate([main.radii_um[:10], np.full(len(points) - 10, 0.1)])
        longest = Curve(points, radii, OUT[0])
        rest = Curve(main.line_zyx_um[10:], main.radii_um[10:], OUT[0], 0, 1.0)
        other = Curve(line(main.line_zyx_um[15], OUT[3], 0.5), np.full(6, 0.1), OUT[0], 1, 0.5)
        frames.append([longest, rest, other])
    tracks = followed(frames)
    main, twig, other = tracks
    assert lengths(main) == pytest.approx(dict.fromkeys(range(4), 2.0), abs=0.02)
    assert lengths(twig) == pytest.approx({t: 0.6 + 0.3 * t for t in range(4)}, abs=0.02)
    assert (twig.parent, other.parent) == (1, 1)
    assert {t: c.at_um for t, c in other.curves.items()} == pytest.approx({2: 1.5, 3: 1.5})
    assert main.curves[3].radii_um == pytest.approx(np.full(21, 0.2))


def test_frames_without_protrusions_have_no_tracks() -> None:
    assert followed([[], [], []]) == []

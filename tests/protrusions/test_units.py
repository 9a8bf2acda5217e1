"""Protrusions as numbers, and back: curves of known shape, lives that are cut off, rows, families and poses."""

import numpy as np
import pytest

from cytoform.protrusions.curves import Curve
from cytoform.protrusions.parts import PartsOfFrame, PartsOfSequence
from cytoform.protrusions.tracks import Track
from cytoform.protrusions.tubes import centre_of, tubes_at, volume
from cytoform.protrusions.units import PHASES, Units, joined, units_of

HALF_UM, BODY_UM, N_FRAMES = 10.0, 2.0, 11
CENTRE = np.full(3, HALF_UM)


def bent(length_um: float, bend: float, *, start=None, radius_um: float = 0.2) -> Curve:
    """An arc in the plane of x and y that starts along x and turns by `bend` rad over 4 µm."""
    if start is None:
        start = CENTRE + np.array([0, 0, BODY_UM])
    arc = np.linspace(0, length_um, 30)
    angle = bend * arc / 4
    tangents = np.stack([0 * arc, np.sin(angle), np.cos(angle)], axis=1)
    steps = (tangents[1:] + tangents[:-1]) / 2 * np.diff(arc)[:, None]
    line = start + np.concatenate([np.zeros((1, 3)), np.cumsum(steps, axis=0)])
    return Curve(line, np.full(30, radius_um), np.array([0.0, 0.0, 1.0]))


def sequence(*tracks: Track) -> PartsOfSequence:
    frame = PartsOfFrame([], 40.0, 35.0, CENTRE, 1)
    return PartsOfSequence("s", N_FRAMES, 10.0, 0.5, [frame] * N_FRAMES, list(tracks))


def lengths(first: int, last: int, longest: float = 4.0) -> dict[int, float]:
    """Grows by 1 µm a frame, stays and withdraws."""
    return {f: min(1.0 * (f - first + 1), longest, 1.0 * (last - f + 1)) for f in range(first, last + 1)}


def test_a_bent_protrusion_comes_back() -> None:
    track = Track(1, None, {f: bent(length, 0.8) for f, length in lengths(1, 9).items()})
    units = units_of(sequence(track), HALF_UM)
    assert len(units) == 1
    for frame in (3, 5, 7):
        (tube,) = tubes_at(units, frame / (N_FRAMES - 1), lambda roots: roots)
        wanted = track.curves[frame]
        tip = (tube.line[-1] + 1) * HALF_UM
        # The tube ends a radius before the tip, which is round.
        reached = np.linalg.norm(tip[::-1] - wanted.line_zyx_um[-1])
        assert reached == pytest.approx(0.2, abs=0.12)
        assert tube.radii.mean() * HALF_UM == pytest.approx(0.2, rel=0.02)
        start = tube.line[2]  # after the part below the surface
        assert np.allclose((start[::-1] + 1) * HALF_UM, wanted.line_zyx_um[0], atol=0.02)


def test_windows_tell_births_and_ends_from_cuts() -> None:
    seen = Track(1, None, {f: bent(length, 0.0) for f, length in lengths(2, 8).items()})
    always = Track(2, None, {f: bent(3.0, 0.0) for f in range(N_FRAMES)})
    units = units_of(sequence(seen, always), HALF_UM)
    first, last = units.window[0] * (N_FRAMES - 1)
    assert 1 <= first < 2
    assert 8 < last <= 9
    assert units.window[1, 0] < 0
    assert units.window[1, 1] > 1
    assert units.growth[0, 0] == 0
    assert units.growth[0, -1] == 0
    assert np.allclose(units.growth[1], 1)
    assert not tubes_at(units[np.array([0])], 1.0, lambda roots: roots)


def test_rows_keep_everything_and_padding_is_left_out() -> None:
    track = Track(1, None, {f: bent(2.0, 0.3) for f in range(4)})
    units = units_of(sequence(track), HALF_UM)
    rows = np.concatenate([units.to_rows(), np.full((2, units.to_rows().shape[1]), np.nan)])
    again = Units.from_rows(rows)
    assert len(again) == 1
    assert all(np.array_equal(getattr(again, name), getattr(units, name)) for name in vars(units))
    assert len(Units.from_rows(np.full_like(rows, np.nan))) == 0
    assert len(Units.none()) == 0
    assert volume(Units.none(), 0.5) == 0


def branching() -> Units:
    mother = Track(1, None, {f: bent(4.0, 0.0) for f in range(N_FRAMES)})
    side = {}
    for f in range(N_FRAMES):
        line = CENTRE + [0, 0, BODY_UM + 2.0] + np.linspace(0, 1.5, 16)[:, None] * [0, 1, 0]
        side[f] = Curve(line, np.full(16, 0.15), np.array([0.0, 0.0, 1.0]), parent=0, at_um=2.0)
    return units_of(sequence(mother, Track(2, 1, side)), HALF_UM)


def test_a_branch_sits_on_its_parent_and_goes_with_it() -> None:
    units = branching()
    assert units.parent.tolist() == [-1, 0]
    _mother, branch = tubes_at(units, 0.5, lambda roots: roots)
    place = (branch.line[0] + 1) * HALF_UM
    assert np.allclose(place, (CENTRE + np.array([0, 0, BODY_UM + 2.0]))[::-1], atol=0.05)
    tip = (branch.line[-1] + 1) * HALF_UM
    assert np.allclose(tip[::-1], CENTRE + np.array([0, 1.35, BODY_UM + 2.0]), atol=0.15)
    # A mother that has withdrawn to the branch point takes the branch with her.
    short = Units(**{**vars(units), "growth": units.growth * np.array([[0.45], [1.0]])})
    assert len(tubes_at(short, 0.5, lambda roots: roots)) == 1
    assert [rows.tolist() for rows in joined([units, units]).families()] == [[0, 1], [2, 3]]


def test_a_rotation_turns_every_tube() -> None:
    units = branching()
    turn = np.array([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]])
    for before, after in zip(
        tubes_at(units, 0.3, lambda roots: roots), tubes_at(units.rotated(turn), 0.3, lambda roots: roots), strict=True
    ):
        assert np.allclose(after.line, before.line @ turn.T, atol=1e-9)


def test_volume_and_centroid_are_those_of_cylinders() -> None:
    track = Track(1, None, {f: bent(4.0, 0.0) for f in range(N_FRAMES)})
    units = units_of(sequence(track), HALF_UM)
    assert volume(units, 0.5) * HALF_UM**3 == pytest.approx(np.pi * 0.2**2 * 4, rel=0.03)
    (tube,) = tubes_at(units, 0.5, lambda roots: roots)
    assert centre_of([tube])[0] * HALF_UM == pytest.approx(BODY_UM + 2, abs=0.4)
    assert units.growth.shape == (1, PHASES)

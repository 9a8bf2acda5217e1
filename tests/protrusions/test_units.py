"""Protrusions as numbers: rows, families, branches, poses and volumes."""

import numpy as np
import pytest
from tracked import BODY_UM, CENTRE, HALF_UM, N_FRAMES, bent, sequence

from cytoform.protrusions.curves import Curve
from cytoform.protrusions.tracks import Track
from cytoform.protrusions.tubes import centre_of, tubes_at, volume
from cytoform.protrusions.unit_fit import units_of
from cytoform.protrusions.units import PHASES, Units, joined


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

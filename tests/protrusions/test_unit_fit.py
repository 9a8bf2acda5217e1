"""Units fitted to tracks: curves of known shape, lives that are cut off, roots and parents that move."""

import numpy as np
import pytest
from tracked import HALF_UM, N_FRAMES, bent, lengths, sequence

from cytoform.protrusions.curves import Curve
from cytoform.protrusions.tracks import Track
from cytoform.protrusions.tubes import tubes_at
from cytoform.protrusions.unit_fit import units_of
from cytoform.shapes.tubes import Tube


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


def tip_of(tube: Tube, curve: Curve) -> float:
    """Distance in µm from the end of a tube, a radius before its round tip, to the curve there."""
    end = curve.length_um - tube.radii[-1] * HALF_UM
    wanted = [np.interp(end, curve.arc_um, places) for places in curve.line_zyx_um.T]
    return float(np.linalg.norm((tube.line[-1][::-1] + 1) * HALF_UM - wanted))


def test_a_root_that_jumps_leaves_the_rest_in_place() -> None:
    """The root of a unit moves evenly. Where the first point of a curve jumps, the unit meets the curve farther on."""
    curves = {}
    for f in range(N_FRAMES):
        curve = bent(4.0, 0.3)
        line = curve.line_zyx_um.copy()
        line += np.clip(1 - curve.arc_um / 0.4, 0, 1)[:, None] * [0, 0.3 * (-1) ** f, 0]
        curves[f] = Curve(line, curve.radii_um, curve.normal_zyx)
    units = units_of(sequence(Track(1, None, curves)), HALF_UM)
    for f in (4, 5):
        (tube,) = tubes_at(units, f / (N_FRAMES - 1), lambda roots: roots)
        assert tip_of(tube, bent(4.0, 0.3)) < 0.1


@pytest.mark.parametrize("noise_rad", [0.0, 0.5])
def test_a_branch_is_fitted_from_where_its_parent_puts_it(noise_rad: float) -> None:
    """The direction that a parent seems to have at the branch does not count, nor where along it the branch seems to start."""
    rng = np.random.default_rng(0)
    mother = Track(1, None, {f: bent(4.0, 0.5) for f in range(N_FRAMES)})
    parent = mother.curves[0]
    start = np.array([np.interp(2.0, parent.arc_um, places) for places in parent.line_zyx_um.T])
    side = {}
    for f in range(N_FRAMES):
        line = start + np.linspace(0, 1.5, 16)[:, None] * [0, 1, 0]
        normal = np.array([0.0, *(np.array([0.25, 1.0]) + noise_rad * rng.normal(size=2))])
        at = 2.0 + 0.4 * noise_rad * rng.normal()
        side[f] = Curve(line, np.full(16, 0.15), normal / np.linalg.norm(normal), parent=0, at_um=at)
    units = units_of(sequence(mother, Track(2, 1, side)), HALF_UM)
    for f in (2, 5, 8):
        _, branch = tubes_at(units, f / (N_FRAMES - 1), lambda roots: roots)
        assert tip_of(branch, side[f]) < 0.15

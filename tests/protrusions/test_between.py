"""Protrusions between two frames: exact for steady growth, swinging and withdrawal; branches stay on their parents."""

import numpy as np
import pytest
from protruding import BAND_UM, BODY_UM, GRID, OFF, RADIUS_UM, THIN_UM, cell, direction, spike, tube

from cytoform.protrusions.between import tubes_between
from cytoform.protrusions.decompose import parts_of
from cytoform.protrusions.parts import PartsOfFrame
from cytoform.shapes.box import BoxedField
from cytoform.shapes.tubes import Tube

OUT, OTHER = direction(10, 5), direction(130, -20)
VOXEL_UM = GRID.spacing_um


def apart(*tubes: Tube) -> PartsOfFrame:
    field = cell(tubes, balls=[(OFF, BODY_UM)]).clip(-BAND_UM, BAND_UM)
    return parts_of(BoxedField(GRID, (0, 0, 0), field, BAND_UM), RADIUS_UM)[0]


def grown(out: np.ndarray, length_um: float) -> Tube:
    return spike(out, length_um, centre=OFF)


def reach_um(found: Tube) -> float:
    """How far the tip is outside the ball."""
    return float(np.linalg.norm(found.line[-1] - OFF) + found.radii[-1] - BODY_UM)


@pytest.mark.parametrize("share", [0.25, 0.5, 0.75])
def test_a_protrusion_grows_steadily_and_keeps_its_radius(share: float) -> None:
    (found,) = tubes_between(apart(grown(OUT, 1.0)), apart(grown(OUT, 2.2)), share, VOXEL_UM)
    assert reach_um(found) == pytest.approx(1.0 + 1.2 * share, abs=0.6 * VOXEL_UM)
    assert np.median(found.radii) == pytest.approx(THIN_UM, rel=0.15)
    aside = np.cross(found.line[-1] - OFF, OUT)
    assert np.linalg.norm(aside) < VOXEL_UM


def test_a_protrusion_swings_through_the_middle() -> None:
    (found,) = tubes_between(apart(grown(direction(0), 2)), apart(grown(direction(16), 2)), 0.5, VOXEL_UM)
    tip = found.line[-1] - OFF
    assert np.degrees(np.arccos(tip @ direction(8) / np.linalg.norm(tip))) < 3


@pytest.mark.parametrize(("share", "n"), [(0.25, 1), (0.75, 2)])
def test_a_new_protrusion_grows_from_its_root_at_the_speed_of_the_others(share: float, n: int) -> None:
    before, after = apart(grown(OUT, 0.6)), apart(grown(OUT, 2.2), grown(OTHER, 1.0))
    for found in (
        tubes_between(before, after, share, VOXEL_UM),
        tubes_between(after, before, 1 - share, VOXEL_UM),  # and withdraws to it
    ):
        assert len(found) == n
        if n == 2:
            (new,) = (each for each in found if (each.line[-1] - OFF) @ OTHER > 0)
            assert reach_um(new) == pytest.approx(1.0 - 0.25 * 1.6, abs=VOXEL_UM)
            assert np.linalg.norm(new.line[0] - OFF) < BODY_UM  # begins inside


def test_a_new_branch_moves_with_its_parent() -> None:
    def branched(azimuth: float, *, with_branch: bool) -> PartsOfFrame:
        out, start = direction(azimuth), OFF + (BODY_UM + 1.2) * direction(azimuth)
        branch = [tube(start, start + 1.6 * direction(azimuth + 60))] if with_branch else []
        return apart(grown(out, 2.6), *branch)

    parent, branch = tubes_between(branched(0, with_branch=False), branched(14, with_branch=True), 0.6, VOXEL_UM)
    assert np.linalg.norm(parent.line - branch.line[0], axis=1).min() < VOXEL_UM


def test_there_may_be_none() -> None:
    assert tubes_between(apart(), apart(), 0.5, VOXEL_UM) == []

"""Protrusions of one frame: lengths, radii, roots and branch points of known tubes."""

from dataclasses import replace

import numpy as np
import pytest
from protruding import BODY_UM, GRID, MIDDLE, OFF, RADIUS_UM, THIN_UM, boxed, cell, direction, spike, tube
from scipy.spatial.transform import Rotation

from cytoform.protrusions.curves import Curve
from cytoform.protrusions.decompose import parts_of
from cytoform.protrusions.parts import PartsOfFrame
from cytoform.shapes.grid import Grid
from cytoform.shapes.tubes import Tube
from cytoform.simulate import FilopodiaParameters, population

VOXEL_UM = GRID.spacing_um


def parts(sdf_um: np.ndarray, radius_um: float = RADIUS_UM, grid: Grid = GRID) -> PartsOfFrame:
    return parts_of(boxed(sdf_um, grid), radius_um)[0]


def curves(*tubes: Tube, balls: tuple[tuple[np.ndarray, float], ...] = ((OFF, BODY_UM),)) -> list[Curve]:
    return parts(cell(tubes, balls=balls)).curves


def azimuth_deg(away: np.ndarray) -> float:
    return float(np.rad2deg(np.arctan2(away[1], away[2])))


def from_off(out: np.ndarray, length_um: float, radius_um: float = THIN_UM) -> Tube:
    return spike(out, length_um, radius_um=radius_um, centre=OFF)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("length_um", [0.8, 1.5, 3.0])
def test_a_straight_tube_has_its_length_root_tip_and_normal(length_um: float, seed: int) -> None:
    out = np.asarray(Rotation.random(random_state=seed).as_matrix()[0])
    (curve,) = curves(from_off(out, length_um))
    assert curve.parent is None
    assert curve.length_um == pytest.approx(length_um, abs=0.5 * VOXEL_UM)
    assert np.linalg.norm(curve.line_zyx_um[0] - (OFF + BODY_UM * out)) < VOXEL_UM
    assert np.linalg.norm(curve.line_zyx_um[-1] - (OFF + (BODY_UM + length_um) * out)) < 1.25 * VOXEL_UM
    assert curve.normal_zyx @ out > np.cos(np.deg2rad(15))


@pytest.mark.parametrize("radius_um", [0.15, 0.2, 0.3, 0.4])
def test_a_tube_has_its_radius_even_where_it_is_a_voxel_and_a_half_across(radius_um: float) -> None:
    found = [
        curves(from_off(direction(azimuth, elevation), 2.5, radius_um))[0].radius_um
        for azimuth, elevation in ((17, 8), (75, 40), (200, -35))
    ]
    assert np.mean(found) == pytest.approx(radius_um, rel=0.12)


def test_a_tapered_tube_is_thicker_at_its_root() -> None:
    out = direction(20, 30)
    line = OFF + np.linspace(BODY_UM - 0.5, BODY_UM + 2.5, 60)[:, None] * out
    (curve,) = curves(Tube(line, np.linspace(0.45, 0.2, 60)))
    halves = np.array_split(curve.radii_um, 2)
    assert halves[0].mean() > 1.25 * halves[1].mean()


def test_a_bent_tube_is_as_long_as_its_arc() -> None:
    """A quarter of a circle of 1.5 µm radius, tangential to the body's normal at its root."""
    root = OFF + BODY_UM * direction(0)
    angles = np.linspace(0, np.pi / 2, 40)[:, None]
    arc = root + 1.5 * (np.sin(angles) * direction(0) + (1 - np.cos(angles)) * direction(90))
    (curve,) = curves(tube(root - 0.5 * direction(0), *arc))
    assert curve.length_um == pytest.approx(1.5 * np.pi / 2 + THIN_UM, abs=VOXEL_UM)
    away = np.linalg.norm(arc[:, None] - curve.line_zyx_um[2:-2], axis=2).min(axis=0)
    assert away.max() < 0.8 * VOXEL_UM


@pytest.mark.parametrize("radius_um", [0.2, 0.3])
def test_a_fork_is_a_parent_with_a_branch(radius_um: float) -> None:
    places, lengths = [], []
    for seed in range(6):
        out, side, _ = Rotation.random(random_state=seed).as_matrix()
        fork = OFF + (BODY_UM + 1.2) * out
        tip = fork + (1.6 - radius_um) * (np.cos(1) * out + np.sin(1) * side)
        main, branch = curves(from_off(out, 2.9, radius_um), tube(fork, tip, radius_um=radius_um))
        assert main.parent is None
        assert branch.parent == 0
        assert main.length_um == pytest.approx(2.9, abs=VOXEL_UM)
        assert np.linalg.norm(branch.line_zyx_um[0] - main.line_zyx_um, axis=1).min() < 1e-9
        places.append(branch.at_um)
        lengths.append(branch.length_um)
    assert np.mean(places) == pytest.approx(1.2, abs=VOXEL_UM)
    assert np.mean(lengths) == pytest.approx(1.6, abs=VOXEL_UM)


def test_a_branch_of_a_branch() -> None:
    out, side = direction(3, 4), direction(93, 2)
    first = OFF + (BODY_UM + 1.0) * out
    second = first + 1.2 * side
    found = curves(
        from_off(out, 3.5, 0.2),
        tube(first, first + 2.2 * side, radius_um=0.2),
        tube(second, second + 0.9 * out, radius_um=0.2),
    )
    assert [curve.parent for curve in found] == [None, 0, 1]


def test_many_protrusions_keep_their_order_of_parents_and_number() -> None:
    outs = [direction(azimuth, elevation) for azimuth in range(5, 360, 60) for elevation in (-30, 30)]
    found = curves(*(from_off(out, 1.5, 0.2) for out in outs))
    assert len(found) == len(outs)
    roots = np.array([curve.line_zyx_um[0] - OFF for curve in found]) / BODY_UM
    assert sorted(np.argmax(roots @ np.array(outs).T, axis=1)) == list(range(len(outs)))


def test_touching_protrusions_are_two_with_their_own_roots() -> None:
    tubes = [tube(OFF + 1.3 * direction(a), OFF + 3.4 * direction(b)) for a, b in ((-40, -4), (40, 4))]
    found = curves(*tubes)
    assert [curve.parent for curve in found] == [None, None]
    outside = [np.linalg.norm(each.line - OFF, axis=1) > BODY_UM for each in tubes]
    true_azimuths = [azimuth_deg(each.line[out][0] - OFF) for each, out in zip(tubes, outside, strict=True)]
    assert sorted(azimuth_deg(c.line_zyx_um[0] - OFF) for c in found) == pytest.approx(true_azimuths, abs=8)
    true_um = sum(0.05 * out.sum() + THIN_UM for out in outside)
    assert sum(c.length_um for c in found) == pytest.approx(true_um, rel=0.15)  # where they touch, one of them ends


def test_merging_protrusions_share_what_lies_beyond() -> None:
    """Two stems that become one: two roots, and the common end belongs to one of them."""
    join = OFF + (BODY_UM + 1.0) * direction(0)
    stems = [tube(OFF + 1.3 * direction(azimuth), join, radius_um=0.25) for azimuth in (-45, 45)]
    found = curves(*stems, tube(join, join + 1.4 * direction(0), radius_um=0.25))
    assert [curve.parent for curve in found] == [None, None]
    tips = sorted(curve.line_zyx_um[-1][2] - OFF[2] for curve in found)
    assert tips[1] == pytest.approx(BODY_UM + 2.4 + 0.25, abs=VOXEL_UM)
    assert tips[0] < BODY_UM + 1.5


def test_a_protrusion_that_touches_the_body_again_has_two_roots() -> None:
    arch = [
        OFF + (BODY_UM - 0.3 + 1.6 * np.sin(np.pi * s) ** 0.5) * direction(-50 + 100 * s) for s in np.linspace(0, 1, 60)
    ]
    whole = tube(*arch)
    found = curves(whole)
    assert [curve.parent for curve in found] == [None, None]
    outside = np.linalg.norm(whole.line - OFF, axis=1) > BODY_UM
    true_um = np.linalg.norm(np.diff(whole.line, axis=0), axis=1)[outside[1:]].sum()
    assert sum(c.length_um for c in found) == pytest.approx(true_um, rel=0.12)
    azimuths = sorted(azimuth_deg(c.line_zyx_um[0] - OFF) for c in found)
    assert azimuths == pytest.approx([-50, 50], abs=6)


def test_protrusions_of_a_body_in_two_pieces() -> None:
    left, right = MIDDLE - np.array([0, 0, 2.3]), MIDDLE + np.array([0, 0, 2.3])
    tubes = [
        spike(direction(95), 1.5, centre=left, body_um=1.3, radius_um=0.25),
        spike(direction(-85), 2.0, centre=right, body_um=1.4, radius_um=0.25),
    ]
    found = parts(cell(tubes, balls=[(left, 1.3), (right, 1.4)]))
    assert found.n_bodies == 2
    assert [curve.length_um for curve in found.curves] == pytest.approx([2.0, 1.5], abs=VOXEL_UM)
    assert found.centre_zyx_um == pytest.approx(MIDDLE + np.array([0, 0, 0.26]), abs=0.15)


def test_a_bridge_between_two_bodies_has_two_roots() -> None:
    left, right = MIDDLE - np.array([0, 0, 2.9]), MIDDLE + np.array([0, 0, 2.9])
    found = parts(cell([tube(left, right)], balls=[(left, 1.3), (right, 1.4)]))
    assert found.n_bodies == 2
    assert [curve.parent for curve in found.curves] == [None, None]


def test_a_ball_a_thin_cell_and_an_empty_frame_have_no_protrusions() -> None:
    ball = parts(cell([], balls=[(OFF, BODY_UM)]))
    assert (ball.curves, ball.n_bodies) == ([], 1)
    assert ball.body_um3 == pytest.approx(ball.cell_um3, rel=0.03)
    thin = parts(cell([tube(MIDDLE - 2.0 * direction(0), MIDDLE + 2.0 * direction(0))], balls=[(MIDDLE, 0.35)]))
    assert (thin.curves, thin.n_bodies, thin.body_um3) == ([], 0, 0.0)
    assert thin.cell_um3 > 1
    empty = parts(np.full(GRID.shape, 9.0, np.float32))
    assert (empty.curves, empty.n_bodies, empty.cell_um3) == ([], 0, 0.0)


def test_a_loose_fragment_is_no_protrusion() -> None:
    far = OFF + 4.0 * direction(120, 10)
    assert len(curves(from_off(direction(0), 1.5), tube(far, far + np.array([0.8, 0, 0])))) == 1


def test_filopodia_of_the_simulator() -> None:
    """Number, length and thickness against the exact cell, at the paper's voxels."""
    (family,) = population(
        FilopodiaParameters(number=8, branches_per_min=0), n_cells=1, n_frames=20, seed=2, time_step_s=20
    )
    grid = Grid(112, 7.0)
    low = grid.half_extent_um
    body = family.cell.at(9)
    sdf_um = np.full(grid.size**3, 9.0, np.float32)
    points = grid.points_zyx_um() - low
    near = ((points > body.bounds_zyx_um[0] - 0.4) & (points < body.bounds_zyx_um[1] + 0.4)).all(axis=1)
    sdf_um[near] = body.distance_um(points[near])
    found = parts_of(boxed(sdf_um.reshape(grid.shape), grid, 1.0), 0.5)[0]
    lengths, radii = [], []
    for tube_ in body.protrusions:
        outside = body.body.distance_um(tube_.line) > 0
        length_um = np.linalg.norm(np.diff(tube_.line[outside], axis=0), axis=1).sum() + tube_.radii[-1]
        if length_um > 0.5:
            lengths.append(length_um)
            radii.append(tube_.radii[outside].mean())
    measured = [curve for curve in found.curves if curve.length_um > 0.5]
    assert len(measured) == len(lengths)
    assert sorted(c.length_um for c in measured) == pytest.approx(sorted(lengths), abs=1.5 * grid.spacing_um)
    assert np.mean([c.radius_um for c in measured]) == pytest.approx(np.mean(radii), rel=0.08)
    assert 1 - found.body_um3 / found.cell_um3 == pytest.approx(
        1 - body.body.volume_um3 / family.cell.volume_um3, abs=0.02
    )


def test_arc_length_and_mean_radius_of_a_curve() -> None:
    curve = Curve(np.array([[0.0, 0, 0], [0, 3, 4], [0, 3, 5]]), np.array([1.0, 2.0, 2.0]), np.array([0.0, 0, 1]))
    assert curve.arc_um.tolist() == [0, 5, 6]
    assert curve.length_um == 6
    assert curve.radius_um == pytest.approx(np.sqrt(3))
    assert replace(curve, radii_um=np.full(3, 0.4)).radius_um == pytest.approx(0.4)

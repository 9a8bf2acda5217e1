"""Cells with blebs and ruffles: distance, volume, life courses, and clear refusals."""

from dataclasses import replace

import cc3d
import igl
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.measure import marching_cubes

from cytoform.errors import InputError
from cytoform.simulate import BlebsCell, BlebsParameters, SimulatedFamily, population
from cytoform.simulate.sampling import mesh_of_part
from cytoform.simulate.sheets import Sheet

FINE = (0.2, 0.2, 0.2)
MOVING_UM_PER_S = 0.3
ALONE = BlebsParameters(blebs=0.0, ruffles=0.0, irregularity=0.0, lobe_heights=(0.0, 0.0))


def families_of(
    parameters: BlebsParameters | None = None, *, n_cells: int = 2, n_frames: int = 13, seed: int = 3, spacing=FINE
) -> list[SimulatedFamily]:
    return population(
        parameters or BlebsParameters(),
        n_cells=n_cells,
        n_frames=n_frames,
        seed=seed,
        spacing_zyx_um=spacing,
        time_step_s=10.0,
    )


def cell_of(parameters: BlebsParameters, **options) -> BlebsCell:
    (family,) = families_of(parameters, n_cells=1, **options)
    assert isinstance(family.cell, BlebsCell)
    return family.cell


def test_slope_is_at_most_what_the_cell_says_and_mostly_one():
    rng = np.random.default_rng(0)
    good = total = 0
    for family, frame in zip(families_of(n_cells=3), (2, 7.3, 11.5), strict=True):
        (part,) = family.cell.parts(frame)
        points = rng.uniform(*(part.bounds_zyx_um + np.array([[-1.0], [1.0]])), (5000, 3))
        steps = 1e-3 * np.eye(3)
        slopes = [part.distance_um(points + step) - part.distance_um(points - step) for step in steps]
        norm = np.linalg.norm(slopes, axis=0) / 2e-3
        assert norm.max() <= part.max_slope + 1e-6
        near = np.abs(part.distance_um(points)) < 1
        good, total = good + int((np.abs(norm[near] - 1) < 0.05).sum()), total + int(near.sum())
    assert total > 3000
    assert good / total > 0.96


def test_distance_agrees_with_an_independent_mesh():
    part = families_of()[1].cell.parts(6.5)[0]
    low, high = part.bounds_zyx_um + np.array([[-0.4], [0.4]])
    axes = [np.arange(a, b, 0.15) for a, b in zip(low, high, strict=True)]
    grid = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)
    sdf = part.distance_um(grid.reshape(-1, 3)).reshape(grid.shape[:3])
    vertices, faces, _, _ = marching_cubes(sdf, 0.0, gradient_direction="ascent")
    vertices = vertices.astype(float) * 0.15 + low
    rng = np.random.default_rng(1)
    points = vertices[rng.integers(len(vertices), size=2000)] + rng.normal(0, 0.4, (2000, 3))
    ours = part.distance_um(points)
    theirs = np.sqrt(igl.point_mesh_squared_distance(points, vertices, faces.astype(np.int64))[0])
    # Where protrusions are rooted, the depth inside the body is only a lower bound; outside both agree.
    assert (np.abs(ours) < theirs + 0.06).all()
    outside = ours > 0.05
    assert np.quantile(np.abs(ours[outside] - theirs[outside]), 0.95) < 0.03


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 1000), thickness=st.floats(0.2, 0.8))
def test_sheet_is_the_union_of_balls_around_its_patch(seed, thickness):
    rng = np.random.default_rng(seed)
    u, v = np.meshgrid(np.linspace(0, 3, 7), np.linspace(0, 1.5, 5), indexing="ij")
    patch = np.stack([u, v, rng.uniform(0.1, 0.4) * np.sin(u + rng.uniform(0, 6)) * v], axis=-1)
    points = rng.uniform(-1, 4, (50, 3))
    # Bilinear interpolation of flat quadrilaterals is the patch up to the fold of its triangles.
    fine = np.linspace(0, 1, 25)
    triangles = [
        (patch[i, j], patch[i, j + 1], patch[i + 1, j], patch[i + 1, j + 1]) for i in range(6) for j in range(4)
    ]
    samples = np.concatenate(
        [
            a + s * (b - a) + t * (c - a)
            for p, q, r, w in triangles
            for a, b, c in ((p, q, r), (w, r, q))
            for s, t in [np.array([(s, t) for s in fine for t in fine if s + t <= 1]).T[:, :, None]]
        ]
    )
    brute = np.linalg.norm(points[:, None] - samples, axis=2).min(axis=1) - thickness / 2
    found = Sheet(patch, thickness).distance_um(points)
    assert (found <= brute + 1e-9).all()
    assert np.abs(found - brute).max() < 0.03


def test_labels_are_where_the_distance_is_not_positive():
    for family in families_of(n_frames=2):
        labels = family.labels(0.5)
        points = (np.argwhere(np.ones(labels.shape, bool)) + 0.5) * 0.2
        assert np.array_equal(labels.ravel() > 0, family.distance_um(points, 0.5) <= 0)


@pytest.mark.parametrize("spacing", [FINE, (0.5, 0.5, 0.5), (0.5, 0.15, 0.15)], ids=["fine", "coarse", "anisotropic"])
def test_every_frame_is_one_piece_inside_its_volume(spacing):
    for family in families_of(spacing=spacing, n_frames=3):
        for frame in range(family.n_frames):
            labels = family.labels(frame)
            # No lines have to mend sheets: voxels inside them are one piece already.
            assert cc3d.connected_components(labels > 0, connectivity=26, return_N=True)[1] == 1
            shell = np.ones(labels.shape, bool)
            shell[1:-1, 1:-1, 1:-1] = False
            assert not labels[shell].any()


def test_volume_stays_the_same_to_half_a_per_cent():
    for family, frames in zip(families_of(n_frames=31), [(3.5, 14.7), (9, 30)], strict=True):
        sizes = [mesh_of_part(family.cell.at(frame), spacing_um=0.12).volume_um3 for frame in frames]
        np.testing.assert_allclose(sizes, family.cell.volume_um3, rtol=0.005)


def test_cells_move_without_jumps():
    """The surface moves 0.3 µm a second at most, also where blebs and ruffles begin and end."""
    cells = [family.cell for family in families_of(n_cells=1)]
    rng = np.random.default_rng(2)
    for cell in cells:
        assert isinstance(cell, BlebsCell)
        points = rng.uniform(*cell.at(4).bounds_zyx_um, (1000, 3))
        events = [one.birth_s for one in (*cell.blebs, *cell.ruffles) if 0 < one.birth_s < 120]
        for time_s in (*events[:4], 35.0):
            values = [cell.distance_um(points, (time_s + seconds) / 10) for seconds in (-0.1, 0.1, 0.3)]
            assert np.abs(np.diff(values, axis=0)).max() < 0.2 * MOVING_UM_PER_S


def only(cell: BlebsCell, **kept) -> BlebsCell:
    return replace(cell, **{"blebs": (), "ruffles": (), **kept})


def test_blebs_swell_and_retract():
    cell = cell_of(replace(ALONE, blebs=4.0), n_frames=31)
    bleb = next(bleb for bleb in cell.blebs if bleb.birth_s > 0 and bleb.end_s < 300)
    alone = only(cell, blebs=(bleb,))

    def outside(time_s: float) -> float:
        return alone.at(time_s / alone.time_step_s).volume_outside_um3()

    full_s = bleb.birth_s + bleb.swelling_s
    swelling = [outside(bleb.birth_s + share * bleb.swelling_s) for share in np.linspace(0.01, 1, 8)]
    shrinking = [outside(bleb.end_s - share * bleb.retraction_s) for share in np.linspace(1, 0.01, 8)]
    assert (np.diff(swelling) >= -1e-3).all()
    assert (np.diff(shrinking) <= 1e-3).all()
    assert swelling[0] == pytest.approx(0, abs=1e-6)
    assert shrinking[-1] == pytest.approx(0, abs=1e-6)
    assert outside(bleb.birth_s - 1) == 0 == outside(bleb.end_s + 1)
    # More than half a ball.
    ball = 4 / 3 * np.pi * bleb.radius_um**3
    assert 0.5 * ball < outside(full_s) < ball
    assert 10 < bleb.swelling_s < 30
    assert 60 < bleb.retraction_s < 120


def test_a_full_grown_bleb_is_wider_than_its_neck():
    cell = cell_of(replace(ALONE, blebs=4.0), n_frames=31)
    for bleb in [bleb for bleb in cell.blebs if 0 < bleb.birth_s < 200]:
        frame = (bleb.birth_s + bleb.swelling_s + bleb.holding_s / 2) / 10
        part = only(cell, blebs=(replace(bleb, lean=np.zeros(3)),)).at(frame)
        (line,) = part.lines_zyx_um
        axis = (line[1] - line[0]) / np.linalg.norm(line[1] - line[0])
        across = np.cross(axis, np.eye(3)[np.argmin(np.abs(axis))])
        across /= np.linalg.norm(across)
        heights, reach = np.linspace(-0.3, bleb.radius_um * 1.5, 60), np.linspace(0, 4, 400)
        # The surface is where the body begins to leave the axis.
        surface = line[1] - bleb.height * bleb.radius_um * axis
        points = surface + heights[:, None, None] * axis + reach[None, :, None] * across
        inside = (part.distance_um(points.reshape(-1, 3)) <= 0).reshape(60, 400)
        width = np.array([reach[np.argmin(row)] if not row.all() else 4 for row in inside])
        widest = int(np.argmin(np.abs(heights - bleb.height * bleb.radius_um)))
        assert width[widest] == pytest.approx(bleb.radius_um, abs=0.05)
        assert width[:widest].min() < 0.97 * width[widest]


def test_ruffles_rise_travel_and_sink():
    cell = cell_of(replace(ALONE, ruffles=3.0), n_frames=31)
    ruffle = next(ruffle for ruffle in cell.ruffles if ruffle.birth_s > 0 and ruffle.end_s < 300)
    alone = only(cell, ruffles=(ruffle,))
    parts = [
        alone.at(time_s / alone.time_step_s) for time_s in np.linspace(ruffle.birth_s + 0.1, ruffle.end_s - 0.1, 9)
    ]
    volumes = [part.volume_outside_um3() for part in parts]
    peak = int(np.argmax(volumes))
    assert 2 <= peak <= 6
    assert (np.diff(volumes[: peak + 1]) >= 0).all()
    assert (np.diff(volumes[5:]) <= 0).all()
    assert volumes[0] < 1e-3 > volumes[-1]
    # Thin: of its volume, nothing lies deeper than half the thickness.
    (sheet,) = parts[4].protrusions
    assert isinstance(sheet, Sheet)
    low, high = sheet.bounds_zyx_um
    points = np.random.default_rng(0).uniform(low, high, (20000, 3))
    out = points[(parts[4].body.distance_um(points) > 0.3) & (sheet.distance_um(points) < 0)]
    assert len(out) > 100
    assert parts[4].distance_um(out).min() > -ruffle.thickness_um / 2 - 0.01
    # It stands about as high as it should, and its foot travels.
    highest = parts[4].body.distance_um(sheet.patch_zyx_um.reshape(-1, 3)).max() + ruffle.thickness_um / 2
    assert 0.6 * ruffle.height_um < highest < 1.4 * ruffle.height_um
    feet = [part.protrusions[0].patch_zyx_um[0, 10] for part in (parts[0], parts[-1])]
    way_um = ruffle.speed_um_per_s * (ruffle.end_s - ruffle.birth_s)
    assert np.linalg.norm(feet[1] - feet[0]) == pytest.approx(way_um, rel=0.35)


def test_number_at_a_time_is_as_asked():
    cells = [family.cell for family in families_of(n_cells=40, n_frames=61)]
    for kind, number in (("blebs", 8.0), ("ruffles", 3.0)):
        alive = [
            sum(one.birth_s < time_s < one.end_s for one in getattr(cell, kind))
            for cell in cells
            for time_s in np.arange(0, 600, 20)
        ]
        assert np.mean(alive) == pytest.approx(number, rel=0.1)


def test_a_cell_never_has_more_blebs_than_its_body_can_fill():
    for family in families_of(BlebsParameters(blebs=14.0), n_cells=6, seed=1):
        assert isinstance(family.cell, BlebsCell)
        for birth_s in [bleb.birth_s for bleb in family.cell.blebs]:
            alive = [bleb.full_um3 for bleb in family.cell.blebs if bleb.birth_s <= birth_s < bleb.end_s]
            assert sum(alive) < 0.5 * family.cell.volume_um3
    crowded = max(family.cell.blebs, key=lambda bleb: bleb.birth_s)
    assert family.cell.at(crowded.birth_s / 10 + 2).body.volume_um3 > 0.4 * family.cell.volume_um3


def test_body_without_anything_on_it_is_an_ellipsoid_of_the_right_volume():
    cell = cell_of(ALONE)
    part = cell.at(3)
    assert part.protrusions == []
    assert part.body.volume_um3 == pytest.approx(cell.volume_um3, rel=1e-9)


def test_same_seed_same_cell_and_another_seed_another():
    points = np.random.default_rng(0).uniform(-6, 6, (500, 3))
    first, again, other = (families_of(seed=seed)[0].cell.at(3.5).distance_um(points) for seed in (3, 3, 4))
    assert np.array_equal(first, again)
    assert not np.allclose(first, other)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"size_um3": 0.0}, "--size 0"),
        ({"size_um3": float("nan")}, "--size nan"),
        ({"blebs": -1.0}, "--blebs -1"),
        ({"blebs": float("nan")}, "--blebs nan"),
        ({"blebs": 90.0}, "leave no body"),
        ({"bleb_radius_um": -1.0}, "--bleb-radius -1"),
        ({"bleb_radius_um": 3.5}, "too wide"),
        ({"swelling_s": 0.0}, "--swelling 0"),
        ({"retraction_s": float("inf")}, "--retraction inf"),
        ({"ruffles": 31.0}, "--ruffles 31"),
        ({"ruffle_width_um": 0.0}, "--ruffle-width 0"),
        ({"ruffle_height_um": 20.0}, "higher than the cell"),
        ({"thickness_um": 3.0}, "thin sheet"),
    ],
)
def test_impossible_parameters_are_refused(options, message):
    with pytest.raises(InputError, match=message):
        BlebsParameters(**options)


@pytest.mark.parametrize(
    ("parameters", "spacing", "message"),
    [
        (BlebsParameters(), (1.0, 0.09, 0.09), "thinner than a voxel of 1 0.09 0.09"),
        (BlebsParameters(thickness_um=0.15), FINE, "--thickness 0.15"),
        (BlebsParameters(ruffles=0.0, bleb_radius_um=0.8), (1.0, 0.09, 0.09), "--bleb-radius 0.8: .* --blebs 0"),
    ],
)
def test_voxels_too_coarse_are_refused(parameters, spacing, message):
    with pytest.raises(InputError, match=message):
        families_of(parameters, n_cells=1, n_frames=2, spacing=spacing)

"""Thick protrusions as numbers: from tracks to distances and back to solids, and new ones from learned ones."""

from pathlib import Path

import numpy as np
import pytest
from blebbing import BODY_UM, blebbing_frames
from protruding import GRID, OFF
from stores import write_store

from cytoform.protrusions.body import shares
from cytoform.protrusions.bulge_fit import Learned, bulges_of, is_thick
from cytoform.protrusions.bulge_lives import BulgeLives, placed_bulge
from cytoform.protrusions.bulges import FAR, NODES, STEPS, Bulges, Moments, joined
from cytoform.protrusions.curves import Curve
from cytoform.protrusions.decompose import take_apart
from cytoform.protrusions.swollen import swollen_at, volume
from cytoform.protrusions.tracks import Track
from cytoform.shapes.store import ShapeStore

HALF_UM = GRID.half_extent_um


@pytest.fixture(scope="module")
def frames() -> list[np.ndarray]:
    return blebbing_frames()


@pytest.fixture(scope="module")
def learned(frames: list[np.ndarray], tmp_path_factory: pytest.TempPathFactory) -> Learned:
    path: Path = tmp_path_factory.mktemp("bulges") / "blebs.zarr"
    sequences = {"a": frames, "b": blebbing_frames(1)}
    return bulges_of(take_apart(ShapeStore.open(write_store(path, sequences, grid=GRID)), None), HALF_UM)


def body(points: np.ndarray) -> np.ndarray:
    """Signed distance to the body of the frames, in Ω."""
    return np.asarray(np.linalg.norm((points[:, ::-1] + 1) * HALF_UM - OFF, axis=1) - BODY_UM) / HALF_UM


def solid(bulges: Bulges, moments: Moments, time: float) -> np.ndarray:
    """Signed distance in µm to all bulges on the grid."""
    points = GRID.points_zyx_um()[:, ::-1] / HALF_UM - 1
    found = [each.distance(points) for each in swollen_at(bulges, moments, time, lambda roots: roots, body)]
    return HALF_UM * np.min([np.full(len(points), 9.0), *found], axis=0)


def test_rows_keep_all_numbers(learned: Learned) -> None:
    bulges = learned.cells[0]
    assert bulges.to_rows().shape == (len(bulges), Bulges.width())
    assert np.allclose(Bulges.from_rows(bulges.to_rows()).to_rows(), bulges.to_rows())
    assert bulges.are_sound(len(learned.moments))
    assert not bulges.are_sound(int(bulges.moments.sum(axis=1).max()) - 1)
    assert len(Bulges.none()) == 0
    assert Bulges.none().to_rows().shape == (0, Bulges.width())
    assert len(joined([bulges, Bulges.none()])) == len(bulges)


def test_learned_bulges_come_back(frames: list[np.ndarray], learned: Learned) -> None:
    outside = np.linalg.norm(GRID.points_zyx_um() - OFF, axis=1) > BODY_UM + 0.2
    for frame in (4, 5, 8):
        exact = shares(frames[frame].reshape(-1)[outside], GRID.spacing_um)
        found = shares(solid(learned.cells[0], learned.moments, frame / 13)[outside], GRID.spacing_um)
        assert np.minimum(exact, found).sum() / np.maximum(exact, found).sum() > 0.85


def test_nothing_is_there_before_birth_and_little_at_it(learned: Learned) -> None:
    bulges = learned.cells[0]
    row = int(np.flatnonzero((bulges.window[:, 0] > 0) & (bulges.window[:, 1] < 1))[0])
    one = bulges[np.array([row])]
    birth, end = one.window[0]
    outside = np.linalg.norm(GRID.points_zyx_um() - OFF, axis=1) > BODY_UM + 0.1
    sizes = [(solid(one, learned.moments, t)[outside] < 0).sum() for t in (birth, birth + 1e-4, (birth + end) / 2)]
    assert sizes[0] == 0
    assert sizes[1] < 0.05 * sizes[2]
    assert volume(one, birth) == 0 < volume(one, (birth + end) / 2)


def test_a_moved_and_turned_bulge_has_the_same_shape(learned: Learned) -> None:
    bulges = learned.cells[0][:1]
    rng = np.random.default_rng(0)
    out = np.array([0.0, 0.6, 0.8])
    root = OFF[::-1] / HALF_UM - 1 + BODY_UM / HALF_UM * out
    moved = placed_bulge(bulges, np.stack([root] * 2), np.stack([out] * 2), rng)
    time = float(np.clip(bulges.window[0].mean(), 0, 1))
    sizes = [(solid(each, learned.moments, time) < 0).sum() for each in (bulges, moved)]
    assert sizes[1] == pytest.approx(sizes[0], rel=0.1)


def test_new_bulges_are_new_and_come_at_the_learned_rate(learned: Learned) -> None:
    lives = BulgeLives.of(learned.cells)
    rng = np.random.default_rng(1)
    drawn = [lives.draw(1.0, 1.0, rng) for _ in range(40)]
    times = np.linspace(0.1, 0.9, 5)

    def number(cells: list[Bulges]) -> float:
        return float(np.mean([((c.window[:, 0] < t) & (t < c.window[:, 1])).sum() for c in cells for t in times]))

    assert number([joined(each) for each in drawn]) == pytest.approx(number(learned.cells), rel=0.35)
    known = {tuple(row) for row in joined(learned.cells).moments.tolist()}
    assert {tuple(each.moments[0].tolist()) for cell in drawn for each in cell} <= known
    assert not any(each.size[0, 0] == 1 for cell in drawn for each in cell)
    plain = [each for _ in range(5) for each in lives.draw(1.0, 1.0, rng, mixed=False)]
    assert {each.size[0, 0] for each in plain} == {1}


def test_moments_keep_distances_and_are_linear_between_phases() -> None:
    distances = np.random.default_rng(0).uniform(-2 * FAR, 2 * FAR, (4, NODES, NODES, NODES))
    boxes = np.array([[[0.0, side]] * 3 for side in (1, 1, 3, 1)])
    other = Moments.of(distances[:1], boxes[:1], np.array([0.0]))
    moments = Moments.joined([other, Moments.of(distances[1:], boxes[1:], np.array([0.2, 0.4, 1.0]))])
    rows, kept, step = np.array([1.0, 3.0]), np.clip(distances, -FAR, FAR), FAR / STEPS
    for phase, side, expected in (
        (0.2, 1, kept[1]),
        (0.3, 2, (kept[1] + kept[2]) / 2),
        (0.0, 1, kept[1]),
        (1, 1, kept[3]),
    ):
        box, found = moments.at(rows, phase)
        assert np.allclose(box[:, 1], side)
        assert np.abs(found - side * expected).max() <= side * step / 2 + 1e-9


def test_without_bulges_there_are_none() -> None:
    lives = BulgeLives.of([Bulges.none()] * 2)
    assert lives.draw(1.0, 2.0, np.random.default_rng(0)) == []


def test_long_protrusions_are_thin() -> None:
    line = np.linspace([0, 0, 0], [0, 0, 3], 7)
    tube, bleb = (Curve(line, np.full(7, radius), np.array([0, 0, 1.0])) for radius in (0.2, 1.0))
    assert not is_thick(Track(1, None, {0: tube, 1: tube}))
    assert is_thick(Track(1, None, {0: bleb, 1: bleb}))

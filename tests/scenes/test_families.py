"""Families of runs and stores: their poses, their times, and the cells that they are taken apart into."""

from pathlib import Path

import numpy as np
import pytest
from parts_run import GRID as GRID_LEARNED
from parts_run import N_FRAMES as LEARNED_FRAMES
from parts_run import TIME_STEP_S, write_parts_run
from scipy.spatial.transform import Rotation
from stores import lopsided, write_store

from cytoform.errors import InputError
from cytoform.scenes.bodies import Protrusion, taken_by
from cytoform.scenes.families import FamilySettings, draw_families, nearest_pieces, read_bodies, render_family, schedule
from cytoform.scenes.pieces import find_pieces
from cytoform.scenes.posing import FamilyDraw, PosedFamily, pose_family
from cytoform.scenes.sources import FromRun, FromStore, ShapeSource
from cytoform.shapes.box import BoxedField
from cytoform.shapes.store import ShapeStore
from scenes import DIVISION, GRID, N_FRAMES, write_pairs


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_pairs(tmp_path_factory.mktemp("pairs") / "pairs.zarr")


def stage(folder: Path, *sources: Path, n_frames: int = 9, time_step_s: float = 60.0) -> FamilySettings:
    return FamilySettings(sources, n_frames, time_step_s, 0.5, None, "cpu", folder)


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


class Blank(ShapeSource):
    """A source of so many frames that has no shapes."""

    def __init__(self, n_frames: int) -> None:
        super().__init__("blank", GRID, n_frames, 60.0, has_rotations=False)

    def shape(self, frame: float) -> BoxedField:
        raise AssertionError


@pytest.mark.parametrize("family", range(20))
@pytest.mark.parametrize("per_frame", [0.5, 1.0, 2.0])
def test_a_family_that_divides_does_so_within_the_scene_and_rests_before_and_after(
    family: int, per_frame: float, tmp_path: Path
) -> None:
    posed: PosedFamily = PosedFamily(Blank(7), 5)
    drawn = FamilyDraw(family, 0, "a", (), 2, (1, family))
    times = schedule(posed, drawn, stage(tmp_path, n_frames=12, time_step_s=60 * per_frame))
    assert len(times) == 10
    steps = np.diff(times)
    assert ((steps >= 0) & (steps <= per_frame)).all()
    assert 0 <= times.min() <= times.max() <= 6
    assert times[0] < 4.5 < times[-1] or (times == 4.5).any()


@pytest.mark.parametrize("family", range(10))
def test_a_family_that_does_not_divide_goes_back_and_forth(family: int, tmp_path: Path) -> None:
    times = schedule(
        PosedFamily(Blank(4), None), FamilyDraw(family, 0, "a", (), 0, (1, family)), stage(tmp_path, n_frames=30)
    )
    assert (np.abs(np.diff(times)) == 1).all()
    assert sorted(set(times)) == [0, 1, 2, 3]


@pytest.mark.parametrize("family", range(10))
def test_cells_with_movies_of_any_length_play_forwards_where_theirs_is_long_enough(family: int, tmp_path: Path) -> None:
    drawn = FamilyDraw(family, 0, "", (), 0, (1, family), {"span": np.array(1.0)})
    times = schedule(PosedFamily(Blank(9), None), drawn, stage(tmp_path, n_frames=5, time_step_s=90.0))
    assert np.diff(times) == pytest.approx(1.5)
    assert 0 <= times[0] <= 2
    longer = schedule(PosedFamily(Blank(4), None), drawn, stage(tmp_path, n_frames=5))
    assert np.abs(np.diff(longer)) == pytest.approx(1)


def test_new_cells_of_a_run_last_as_long_as_the_scene(tmp_path: Path) -> None:
    run = write_parts_run(tmp_path / "run")
    lasts_s = 12.5 * TIME_STEP_S
    draws = draw_families([run], [0, 0], prior=None, device="cpu", seed=1, lasts_s=lasts_s)
    assert [float(drawn.variables["span"]) for drawn in draws] == [13 / (LEARNED_FRAMES - 1)] * 2
    posed = pose_family(draws[0], run, spacing_um=0.5, depth_um=None, device="cpu", rng=rng())
    assert posed.shapes.n_frames == 14
    times = schedule(posed, draws[0], stage(tmp_path, n_frames=26, time_step_s=TIME_STEP_S / 2))
    assert np.diff(times) == pytest.approx(0.5)
    assert posed.shapes.grid.size == GRID_LEARNED  # finer than the scene
    assert draw_families([run], [0], prior="graft", device="cpu", seed=1)[0].variables["span"] == 1


def test_one_frame_is_one_shape(tmp_path: Path) -> None:
    times = schedule(PosedFamily(Blank(1), None), FamilyDraw(0, 0, "a", (), 0, (1,)), stage(tmp_path))
    assert (times == 0).all()


@pytest.mark.parametrize("quarters", range(4))
def test_quarter_turns_of_a_box_are_those_of_the_whole_grid(quarters: int, tmp_path: Path) -> None:
    shifted = np.roll(lopsided(Rotation.from_euler("z", 20, degrees=True)), (2, -3, 4), (0, 1, 2))
    sequence = ShapeStore.open(write_store(tmp_path / "s.zarr", {"a": [shifted]}))["a"]
    shape = FromStore.of(sequence, quarters).shape(0)
    assert np.array_equal(shape.mask(), np.rot90(sequence.mask(0), quarters, axes=(1, 2)))


def test_the_cells_of_a_family_are_the_family(pairs: Path, tmp_path: Path) -> None:
    made = stage(tmp_path, pairs)
    (drawn,) = draw_families([pairs], [0], prior="between", device="cpu", seed=4)
    render_family(drawn, made)
    bodies = read_bodies(made, 1)
    mother, *daughters = bodies
    assert [body.parent for body in bodies] == [None, mother.member, mother.member]
    assert mother.first == 0
    assert all(daughter.first == mother.last + 1 and daughter.last == 8 for daughter in daughters)
    family = ShapeStore.open(pairs)["a"]
    sizes = {round(family.mask(t).sum() * 0.125, 6) for t in range(N_FRAMES)}
    for frame in range(9):
        there = [body.shape(frame) for body in bodies if body.first <= frame <= body.last]
        assert round(sum(shape.size for shape in there), 6) in sizes
        inside = sum(
            int(taken_by(tmp_path, shape, centre_zyx_um=np.full(3, 8.0), spacing_zyx_um=(0.5,) * 3).inside.sum())
            for shape in there
        )
        assert round(inside * 0.125, 6) in sizes  # on its own grid nothing is interpolated


def test_what_is_complete_is_not_rendered_again(pairs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = stage(tmp_path, pairs)
    (drawn,) = draw_families([pairs], [0], prior="between", device="cpu", seed=4)
    render_family(drawn, made)
    monkeypatch.setattr("cytoform.scenes.families.pose_family", lambda *_, **__: pytest.fail("again"))
    render_family(drawn, made)


def test_sources_come_in_turn_and_all_sequences_before_any_twice(pairs: Path, balls: Path) -> None:
    draws = draw_families([pairs, balls], [0] * 8, prior="between", device="cpu", seed=1)
    assert [drawn.source for drawn in draws] == [0, 1] * 4
    for source in (0, 1):
        names = [drawn.sequence for drawn in draws if drawn.source == source]
        assert sorted(names[:2]) == sorted(names[2:]) == ["a", "b"]


def test_a_run_is_rendered_at_any_time_and_turned_about_the_optical_axis(trained: Path, tmp_path: Path) -> None:
    draws = draw_families([trained], [0, 0], prior="around", device="cpu", seed=1)
    made = stage(tmp_path, trained, n_frames=5, time_step_s=6.0)
    render_family(draws[0], made)
    (body,) = read_bodies(made, 1)
    volumes = [shape.size for shape in body.shapes]
    assert len(set(volumes)) > 2  # between its own frames too
    assert all(4 / 3 * np.pi * 1.8**3 < volume < 4 / 3 * np.pi * 4.3**3 for volume in volumes)
    poses = [
        pose_family(draws[1], trained, spacing_um=0.5, depth_um=None, device="cpu", rng=np.random.default_rng(n))
        for n in (1, 2)
    ]
    actors = [posed.shapes for posed in poses if isinstance(posed.shapes, FromRun)]
    assert [posed.division for posed in poses] == [None, None]
    first, second = (actor.field.rotation.numpy() for actor in actors)
    assert first[1:3] == pytest.approx([0, 0])
    assert first[3] != second[3]


def test_too_tall_is_said_at_once(pairs: Path) -> None:
    drawn = FamilyDraw(0, 0, "a", (), 0, (1,))
    with pytest.raises(InputError, match=r"a: it is 5 µm tall and the scene 4 µm deep"):
        pose_family(drawn, pairs, spacing_um=0.5, depth_um=4.0, device="cpu", rng=rng())
    posed = pose_family(drawn, pairs, spacing_um=0.5, depth_um=6.0, device="cpu", rng=rng())
    assert posed.division == DIVISION


def test_a_protrusion_belongs_to_the_piece_at_its_root(pairs: Path) -> None:
    """The two balls lie along x."""
    daughters = ShapeStore.open(pairs)["a"].box(N_FRAMES - 1)
    pieces = find_pieces(daughters)
    assert pieces.n == 2
    order = np.argsort(pieces.centroids_zyx[:, 2])
    roots = [(0.0, 0.0, 7.5), (0.0, 3.0, -2.0), (1.0, 1.0, 2.5)]
    found = [Protrusion(number, -1, root, (0.0, 0.0, 0.0), 1.0, 0.1) for number, root in enumerate(roots)]
    assert nearest_pieces(found, pieces, GRID) == [order[1], order[0], order[1]]
    assert nearest_pieces([], pieces, GRID) == []

"""Poses of rendered cells: learned ones as they were, generated ones any way round, none cut by the cube."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
import stores
import torch
from jaxtyping import Float
from scipy.spatial.transform import Rotation
from tiny import small_config

from cytoform.errors import InputError
from cytoform.representations.bounds import Bounds
from cytoform.representations.rotation import random, to_matrix
from cytoform.runs.stage import train
from cytoform.shapes.box import BoxedField
from cytoform.shapes.grid import Grid
from cytoform.shapes.store import ShapeStore
from cytoform.simulate.analytic import Capsule
from cytoform.synthesis import pose
from cytoform.synthesis.cells import Cells, load
from cytoform.synthesis.field import CodeField
from cytoform.synthesis.interpolation import interpolate
from cytoform.synthesis.pose import NoPoseError, draw_rotation, uncut
from cytoform.synthesis.sequences import Rendering, generate, reconstruct

TURNS = Rotation.random(3, random_state=np.random.default_rng(4))


@pytest.fixture(scope="module")
def turned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of one body in three poses."""
    bodies = {f"s{n}": [stores.lopsided(turn), stores.lopsided(turn)] for n, turn in enumerate(TURNS)}
    return stores.write_store(tmp_path_factory.mktemp("turned") / "turned.zarr", bodies)


@pytest.fixture(scope="module")
def run(turned: Path) -> Path:
    """A run that has aligned them, and goes on learning how they lie."""
    settings = ("training.epochs=150", "data.align=principal", "model.rotations=learned")
    train(turned, turned.parent / "run", small_config(*settings))
    return turned.parent / "run"


@pytest.fixture(scope="module")
def cells(run: Path) -> Cells:
    return load(run)


def overlap(a: np.ndarray, b: np.ndarray) -> float:
    return float((a & b).sum() / (a | b).sum())


def test_learned_cells_are_rendered_in_the_pose_they_had(cells: Cells, turned: Path, tmp_path: Path) -> None:
    reconstruct(cells, tmp_path / "rec.zarr")
    original, rendered = ShapeStore.open(turned), ShapeStore.open(tmp_path / "rec.zarr")
    masks = [[store[name].mask(1) for name in original.names] for store in (original, rendered)]
    overlaps = np.array([[overlap(a, b) for b in masks[1]] for a in masks[0]])
    assert overlaps.diagonal().min() > 0.75, overlaps
    assert overlaps[~np.eye(3, dtype=bool)].max() < 0.7, overlaps
    assert rendered["s1"].info.rotation_wxyz == pytest.approx(cells.rotations[1].tolist())


def test_a_path_between_two_cells_turns_from_one_pose_to_the_other(cells: Cells, tmp_path: Path) -> None:
    interpolate(cells, tmp_path / "mix.zarr", start="s0", end="s1", steps=3)
    reconstruct(cells, tmp_path / "rec.zarr")
    mix, rec = ShapeStore.open(tmp_path / "mix.zarr"), ShapeStore.open(tmp_path / "rec.zarr")
    for step, name in (("step_000", "s0"), ("step_002", "s1")):
        assert np.array_equal(mix[step].sdf_um(1), rec[name].sdf_um(1))
    start, middle, end = (Rotation.from_quat(np.roll(mix[name].info.rotation_wxyz, -1)) for name in mix.names)
    assert (middle * start.inv()).magnitude() == pytest.approx((end * start.inv()).magnitude() / 2, abs=1e-3)


def test_the_canonical_pose_is_the_same_for_all(cells: Cells) -> None:
    masks = [cells.field(code).mask(1.0, 0.5) for code in cells.codes]
    assert min(overlap(masks[0], other) for other in masks[1:]) > 0.8


def test_a_turned_field_is_the_field_of_turned_points(cells: Cells) -> None:
    """Value and slope, the latter against differences."""
    rotation = random(1, np.random.default_rng(5))
    matrix = to_matrix(rotation)[0].double().numpy()
    points_xyz = np.random.default_rng(6).uniform(-4, 4, (60, 3))
    plain, turned = cells.field(cells.codes[0]), cells.field(cells.codes[0], rotation=rotation[0].numpy())
    here, there = points_xyz[:, ::-1] + 8, (points_xyz @ matrix.T)[:, ::-1] + 8
    np.testing.assert_allclose(turned(here, 0.2), plain(there, 0.2), atol=1e-4)
    gradient = turned.gradient(here, 0.2)
    expected = (plain.gradient(there, 0.2)[:, ::-1] @ matrix)[:, ::-1]
    np.testing.assert_allclose(gradient, expected, atol=1e-3)
    for axis in range(3):
        step = 0.02 * np.eye(3)[axis]
        np.testing.assert_allclose(
            gradient[:, axis], (turned(here + step, 0.2) - turned(here - step, 0.2)) / 0.04, atol=0.03
        )


def test_narrow_band_equals_dense_in_any_pose(cells: Cells) -> None:
    field = cells.field(cells.codes[0], rotation=random(1, np.random.default_rng(7))[0].numpy())
    narrow, dense = (field.render(0.0, 48, method=method) for method in ("narrow-band", "dense"))
    assert np.array_equal(narrow.mask(), dense.mask())
    assert np.array_equal(narrow.sdf_um(), dense.sdf_um())


def test_new_cells_lie_any_way_round_and_say_how(cells: Cells, tmp_path: Path) -> None:
    few = Rendering(32, 1)
    for name, seed, wanted in (("a", 1, None), ("b", 1, "random"), ("c", 2, None), ("d", 1, "canonical")):
        generate(cells, tmp_path / name, 3, prior="around", pose=wanted, rendering=few, seed=seed)
    a, b, c, d = (ShapeStore.open(tmp_path / name) for name in "abcd")
    rotations = [[store[name].info.rotation_wxyz for name in store.names] for store in (a, b, c, d)]
    assert rotations[0] == rotations[1] != rotations[2]
    assert rotations[3] == [None] * 3
    assert (a.attributes["pose"], d.attributes["pose"]) == ("random", "canonical")
    for name, rotation in zip(a.names, rotations[0], strict=True):
        # Turned back, the cell lies as the canonical one does: the codes are the same whatever the pose.
        matrix = to_matrix(torch.tensor([rotation]))[0].double().numpy()
        centred = [np.argwhere(store[name].mask(0))[:, ::-1] - 15.5 for store in (a, d)]
        turned_back, canonical = (points.mean(axis=0) for points in (centred[0] @ matrix.T, centred[1]))
        np.testing.assert_allclose(turned_back, canonical, atol=0.6)


def test_a_run_without_rotations_has_the_identity_and_no_random_poses(trained: Path, tmp_path: Path) -> None:
    cells = load(trained)
    np.testing.assert_array_equal(cells.rotations, [[1, 0, 0, 0]] * 2)
    generate(cells, tmp_path / "new.zarr", 1, rendering=Rendering(32, 1))
    assert ShapeStore.open(tmp_path / "new.zarr")["new0000"].info.rotation_wxyz is None
    with pytest.raises(InputError, match="--align principal"):
        generate(cells, tmp_path / "other.zarr", 1, pose="random")
    assert not (tmp_path / "other.zarr").exists()


@dataclass(frozen=True)
class Rod(CodeField):
    """A straight cell along x, which fits into the cube along some directions only."""

    length_um: float = 0.0

    def at(self, time: float) -> "RodFrame":
        return RodFrame(Capsule(1.0, self.length_um), self._matrix, self.half_extent_um)


@dataclass(frozen=True)
class RodFrame:
    capsule: Capsule
    matrix: torch.Tensor
    half_extent_um: float
    device: ClassVar = torch.device("cpu")

    def __call__(self, points: torch.Tensor) -> torch.Tensor:
        points_zyx_um = self.half_extent_um * (points @ self.matrix.T).double().numpy()[:, ::-1]
        return torch.from_numpy(self.capsule.distance_um(points_zyx_um) / self.half_extent_um).to(points)


def rod(length_um: float, run: Path) -> Rod:
    plain = load(run).field("s0")
    return Rod(plain.decoder, plain.code, 8.0, Bounds.of_slope(1.0), length_um=length_um)


def test_poses_in_which_the_cube_cuts_the_cell_are_drawn_again(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pose, "TRIAL_GRID", 24)
    cell, rng = rod(17.0, run), np.random.default_rng(8)
    assert cell.render(0.0, 24).is_cut
    for _ in range(3):
        drawn = draw_rotation(cell, np.array([-1.0, 1.0]), "new0", rng)
        assert not replace(cell, rotation=torch.tensor(drawn)).render(0.0, 24).is_cut


def test_a_cell_that_fits_no_way_round_is_one_line(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pose, "TRIAL_GRID", 16)
    monkeypatch.setattr(pose, "TRIES", 5)
    with pytest.raises(InputError, match=r"new0: the cube cuts the cell in each of 5 poses; .*--half-extent") as fault:
        draw_rotation(rod(30.0, run), np.array([0.0]), "new0", np.random.default_rng(9))
    assert "\n" not in str(fault.value)


def test_a_cut_cell_is_never_written(cells: Cells, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(BoxedField, "is_cut", property(lambda frame: frame.grid.size == 40))
    with pytest.raises(InputError, match="new0000, frame 0: the cube cuts the cell"):
        generate(cells, tmp_path / "new.zarr", 1, prior="around", rendering=Rendering(40, 1))
    assert list(tmp_path.iterdir()) == []


def test_frames_that_are_not_cut_pass_as_they_are() -> None:
    whole = BoxedField(Grid(8, 4.0), (1, 1, 1), np.full((3, 3, 3), -1.0), 1.0)
    assert list(uncut([whole, whole], "a")) == [whole, whole]


def test_a_cell_that_fits_no_way_round_is_drawn_again(
    cells: Cells, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []

    def draw(field: CodeField, times: object, name: str, rng: np.random.Generator) -> Float[np.ndarray, " 4"]:
        seen.append(name)
        if len(seen) in {2, 3}:
            raise NoPoseError(f"{name}: no pose")
        return draw_rotation(field, times, name, rng)

    monkeypatch.setattr("cytoform.synthesis.sequences.draw_rotation", draw)
    rendering = Rendering(16, 1)
    assert generate(cells, tmp_path / "new.zarr", 3, prior="gaussian", pose="random", rendering=rendering) == 1
    assert seen == ["new0000", "new0001", "new0001", "new0001", "new0002"]
    new = ShapeStore.open(tmp_path / "new.zarr")
    assert [sequence.info.details.get("drawn_again", 0) for sequence in new] == [0, 2, 0]

    def refuse(field: CodeField, times: object, name: str, rng: np.random.Generator) -> Float[np.ndarray, " 4"]:
        raise NoPoseError(f"{name}: no pose")

    monkeypatch.setattr("cytoform.synthesis.sequences.draw_rotation", refuse)
    with pytest.raises(InputError, match="new0000: no pose"):
        generate(cells, tmp_path / "none.zarr", 1, prior="gaussian", pose="random", rendering=rendering)

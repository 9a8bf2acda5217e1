"""Components fitted to bodies that a run has not seen: another pose, size and growth."""

from pathlib import Path

import numpy as np
import pytest
import stores
from scipy.spatial.transform import Rotation

from cytoform.errors import InputError
from cytoform.runs.config import load_config
from cytoform.runs.stage import train
from cytoform.shapes.grid import Grid
from cytoform.shapes.store import ShapeStore
from cytoform.synthesis.cells import Cells, load
from cytoform.synthesis.fitting.stage import complete, reconstruct_between

GRID, N_FRAMES = Grid(64, 8.0), 9
TURNS = Rotation.random(5, random_state=np.random.default_rng(3))


def movie(turn: Rotation, size: float, low: float, high: float, grid: Grid = GRID) -> list[np.ndarray]:
    at_size = Grid(grid.size, grid.half_extent_um / size)
    return [size * stores.lopsided(turn, growth=g, grid=at_size) for g in np.linspace(low, high, N_FRAMES)]


@pytest.fixture(scope="module")
def cells(tmp_path_factory: pytest.TempPathFactory) -> Cells:
    folder = tmp_path_factory.mktemp("linear")
    known = {f"s{n}": movie(turn, 1.0 + 0.1 * n, 0.7 + 0.05 * n, 1.4) for n, turn in enumerate(TURNS[:4])}
    shapes = stores.write_store(folder / "known.zarr", known, grid=GRID)
    train(shapes, folder / "run", load_config(preset="linear", settings=["model.nodes=32", "model.components=60"]))
    return load(folder / "run")


def overlap(a: Path, b: Path, frames: range) -> float:
    first, second = ShapeStore.open(a)["new"], ShapeStore.open(b)["new"]
    pairs = [(first.mask(frame), second.mask(frame)) for frame in frames]
    return min(float((x & y).sum() / (x | y).sum()) for x, y in pairs)


@pytest.mark.parametrize("half_extent_um", [8.0, 7.5])
def test_an_unseen_cell_is_described_in_its_own_pose_and_size(
    cells: Cells, tmp_path: Path, half_extent_um: float
) -> None:
    grid = Grid(64, half_extent_um)
    shapes = stores.write_store(tmp_path / "new.zarr", {"new": movie(TURNS[4], 1.15, 0.8, 1.3, grid)}, grid=grid)
    (found,) = complete(cells, shapes, tmp_path / "out.zarr")
    assert found.n_gaps == 0
    assert max(found.expected_error_um) < 0.3
    if half_extent_um == GRID.half_extent_um:
        assert overlap(shapes, tmp_path / "out.zarr", range(N_FRAMES)) > 0.9


def test_frames_that_are_left_out_are_filled_and_less_sure(cells: Cells, tmp_path: Path) -> None:
    shapes = stores.write_store(tmp_path / "new.zarr", {"new": movie(TURNS[4], 1.1, 0.8, 1.3)}, grid=GRID)
    (found,) = complete(cells, shapes, tmp_path / "out.zarr", every_frame=2)
    assert found.n_known == 5
    assert overlap(shapes, tmp_path / "out.zarr", range(1, N_FRAMES, 2)) > 0.88
    assert found.expected_error_um[::2] == (0,) * 5
    assert min(found.expected_error_um[1::2]) > 0
    one, other = (ShapeStore.open(path)["new"] for path in (shapes, tmp_path / "out.zarr"))
    assert all(one.sdf_um(frame).tobytes() == other.sdf_um(frame).tobytes() for frame in range(0, N_FRAMES, 2))
    assert other.latent["code"].shape == cells.run.decoder.code_shape


def test_known_planes_are_kept_and_the_rest_is_filled(cells: Cells, tmp_path: Path) -> None:
    shapes = stores.write_store(tmp_path / "new.zarr", {"new": movie(TURNS[4], 1.1, 0.8, 1.3)}, grid=GRID)
    complete(cells, shapes, tmp_path / "out.zarr", every_plane=3)
    assert overlap(shapes, tmp_path / "out.zarr", range(N_FRAMES)) > 0.9


def test_components_do_not_take_planes_alone(cells: Cells, tmp_path: Path) -> None:
    shapes = stores.write_store(tmp_path / "new.zarr", {"new": movie(TURNS[4], 1.1, 0.8, 1.3)}, grid=GRID)
    with pytest.raises(InputError, match=r"--every-plane.*whole frames"):
        complete(cells, shapes, tmp_path / "out.zarr", every_plane=3, keep_known=False)
    assert not (tmp_path / "out.zarr").exists()


def test_frames_that_a_run_left_out_lie_between_known_ones(tmp_path: Path) -> None:
    movies = {f"s{n}": movie(turn, 1.0 + 0.1 * n, 0.7, 1.4) for n, turn in enumerate(TURNS[:3])}
    shapes = stores.write_store(tmp_path / "known.zarr", movies, grid=GRID)
    settings = ["model.nodes=32", "model.components=40", "data.frame_stride=2"]
    train(shapes, tmp_path / "run", load_config(preset="linear", settings=settings))
    completion = reconstruct_between(load(tmp_path / "run"), shapes, tmp_path / "out.zarr", names=["s1"])
    (filled,) = completion.sequences
    assert (filled.n_copied, filled.n_filled) == (5, 4)
    true, found = ShapeStore.open(shapes)["s1"], ShapeStore.open(tmp_path / "out.zarr")["s1"]
    assert all(true.sdf_um(frame).tobytes() == found.sdf_um(frame).tobytes() for frame in range(0, N_FRAMES, 2))
    for frame in range(1, N_FRAMES, 2):
        a, b = true.mask(frame), found.mask(frame)
        assert (a & b).sum() / (a | b).sum() > 0.95

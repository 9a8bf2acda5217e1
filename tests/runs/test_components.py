"""Components of distance grids: learned from exact bodies in several poses and sizes."""

from pathlib import Path

import numpy as np
import pytest
import stores
from scipy.interpolate import CubicSpline
from scipy.spatial.transform import Rotation

from cytoform.errors import EmptyFrame, InputError
from cytoform.representations.linear.representation import spline_basis
from cytoform.runs.components import KNOTS, fewest_knots, most_knots, spline_weights
from cytoform.runs.config import load_config
from cytoform.runs.run import load_run
from cytoform.runs.stage import train
from cytoform.shapes.grid import Grid, frame_times
from cytoform.shapes.store import ShapeStore
from cytoform.synthesis.cells import load

TURNS = Rotation.random(5, random_state=np.random.default_rng(3))
SIZES = (0.8, 1.0, 1.0, 1.2, 1.3)
GRID = Grid(64, 8.0)
N_FRAMES = 8


def body(turn: Rotation, size: float, growth: float) -> np.ndarray:
    """The lopsided body at a size: on a grid that is finer by it, distances are larger by it."""
    return size * stores.lopsided(turn, growth=growth, grid=Grid(GRID.size, GRID.half_extent_um / size))


@pytest.fixture(scope="module")
def shapes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("bodies") / "bodies.zarr"
    growths = np.linspace(0.8, 1.3, N_FRAMES)
    bodies = {
        f"s{n}": [body(turn, size, g) for g in growths] for n, (turn, size) in enumerate(zip(TURNS, SIZES, strict=True))
    }
    return stores.write_store(path, bodies, grid=GRID)


def settings(*more: str) -> list[str]:
    return ["model.nodes=32", "model.components=24", "model.knots=6", *more]


@pytest.fixture(scope="module")
def run(shapes: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "linear"
    assert train(shapes, out, load_config(preset="linear", settings=settings())).finished
    return out


def jaccard(run: Path, shapes: Path, name: str, frame: int) -> float:
    box = load(run).field(name).render(float(frame_times(N_FRAMES)[frame]), GRID.size)
    known, found = ShapeStore.open(shapes)[name].mask(frame), box.mask()
    return float((known & found).sum() / (known | found).sum())


def test_learned_cells_come_back(run: Path, shapes: Path) -> None:
    found = [jaccard(run, shapes, name, frame) for name in load(run).names for frame in (0, 3, N_FRAMES - 1)]
    assert min(found) > 0.95


def test_one_body_has_one_code_in_any_pose_and_at_any_size(run: Path) -> None:
    codes = load_run(run).codes.flatten(1).numpy()
    from_others = np.linalg.norm(codes[1:] - codes[0], axis=1).max()
    assert from_others < 0.35 * np.linalg.norm(codes[0])
    scales = load_run(run).scales.numpy().mean(axis=1)
    assert scales / scales[1] == pytest.approx(np.array(SIZES), rel=0.02)


def test_frames_that_were_left_out_lie_between_their_neighbours(shapes: Path, tmp_path: Path) -> None:
    config = load_config(preset="linear", settings=settings("data.frame_stride=2"))
    train(shapes, tmp_path / "half", config)
    assert min(jaccard(tmp_path / "half", shapes, name, frame) for name in ("s0", "s3") for frame in (1, 3, 5)) > 0.94


@pytest.mark.long
def test_any_number_of_workers_gives_the_same_bytes(run: Path, shapes: Path, tmp_path: Path) -> None:
    train(shapes, tmp_path / "two", load_config(preset="linear", settings=settings()), workers=2)
    assert (tmp_path / "two" / "model.safetensors").read_bytes() == (run / "model.safetensors").read_bytes()


def test_the_grid_is_as_coarse_as_the_cells_allow(shapes: Path, tmp_path: Path) -> None:
    train(shapes, tmp_path / "found", load_config(preset="linear"))
    assert load_run(tmp_path / "found").config.model.model_dump()["nodes"] == 32


def test_a_finished_run_is_not_resumed(run: Path, shapes: Path) -> None:
    with pytest.raises(InputError, match="finished"):
        train(shapes, run, resume=True)


def test_settings_that_would_do_nothing_are_refused(shapes: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"training\.epochs: components are learned in closed form"):
        train(shapes, tmp_path / "run", load_config(preset="linear", settings=["training.epochs=3"]))
    assert not (tmp_path / "run").exists()


def test_an_empty_frame_is_named(tmp_path: Path) -> None:
    path = stores.write_store(tmp_path / "s.zarr", {"a": [stores.ball(3.0), stores.empty()]})
    with pytest.raises(EmptyFrame, match="a, frame 1: no voxel"):
        train(path, tmp_path / "run", load_config(preset="linear"))
    assert not (tmp_path / "run").exists()


def test_a_single_frame_is_learned(tmp_path: Path) -> None:
    path = stores.write_store(tmp_path / "s.zarr", {"a": [stores.ball(3.0)], "b": [stores.ball(4.0)]})
    train(path, tmp_path / "run", load_config(preset="linear"))
    cells = load(tmp_path / "run")
    radii = [(cells.field(name).mesh(0.0).volume_um3 / (4 / 3 * np.pi)) ** (1 / 3) for name in ("a", "b")]
    assert radii == pytest.approx([3.0, 4.0], rel=0.02)


def test_as_many_knots_as_hold_the_movies() -> None:
    """Discs that grow need few knots; where the radius jumps from frame to frame, none but a knot a frame do."""
    rng = np.random.default_rng(0)
    n = 60
    axis = (np.arange(32) + 0.5) / 16 - 1
    away = np.hypot(*np.meshgrid(axis, axis))
    times, rows = np.linspace(-1, 1, n), [list(range(n)), list(range(n, n + 3))]
    for radii, knots in ((np.linspace(0.4, 0.6, n), KNOTS[0]), (0.5 + 0.1 * rng.choice([-1, 1], n), n + 2)):
        grids = away - np.append(radii, [0.5] * 3)[:, None, None]
        assert fewest_knots(grids, rows, np.append(times, [-1, 0, 1]), 2 / 32, n + 2) == knots
    assert fewest_knots(grids[n:], [[0, 1, 2]], np.array([-1.0, 0.0, 1.0]), 2 / 32, 3) == 3


@pytest.mark.parametrize(
    ("n_learned", "n_frames", "most"),
    [(1, 1, 1), (2, 2, 2), (3, 3, 3), (4, 4, 6), (30, 30, 32), (15, 30, 32), (3, 500, 8)],
)
def test_most_knots(n_learned: int, n_frames: int, most: int) -> None:
    assert most_knots(n_learned, n_frames) == most


@pytest.mark.parametrize("stride", [1, 2, 5])
def test_a_spline_through_all_learned_frames_is_that_of_least_curvature(stride: int) -> None:
    """Weights that jump, which make other splines swing; scipy's natural spline is the truth."""
    times, rng = np.linspace(-1, 1, 31), np.random.default_rng(1)
    known, weights = times[::stride], rng.choice([-1.0, 1.0], (31, 3))[::stride]
    n_knots = most_knots(len(known), len(times))
    code = spline_weights(known, weights, n_knots)
    fine = np.linspace(-1, 1, 500)
    natural = CubicSpline(known, weights, bc_type="natural")
    assert spline_basis(fine, n_knots) @ code == pytest.approx(natural(fine), abs=0.05)


def test_beyond_the_known_frames_a_cell_stays_as_it_is() -> None:
    times = np.linspace(-1, 1, 30)
    known = slice(4, 20)
    for n_knots in (18, 24, 32):
        found = spline_basis(times, n_knots) @ spline_weights(times[known], np.sin(9 * times)[known, None], n_knots)
        assert found[known, 0] == pytest.approx(np.sin(9 * times)[known], abs=0.05)
        assert found[:4, 0] == pytest.approx(found[4, 0], abs=0.25)
        assert found[20:, 0] == pytest.approx(found[19, 0], abs=0.25)


def test_knots_follow_weights_and_stay_smooth_where_frames_are_missing() -> None:
    times = np.linspace(-1, 1, 31)
    weights = np.sin(3 * times)[:, None]
    for stride in (1, 3):
        knots = spline_weights(times[::stride], weights[::stride], 12)
        assert np.abs(spline_basis(times, 12) @ knots - weights).max() < 0.03

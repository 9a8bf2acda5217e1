"""Statistics of movies of squares, which are known, and of cells that turn with their field."""

from pathlib import Path

import numpy as np
import pytest
import tifffile
from scipy.spatial.transform import Rotation
from squares import PIXEL_UM, SIDE, frame_of, two_squares, write_squares

from cytoform.movies.readers import open_movies
from cytoform.scenes.like.cells import CellTable, SeenTrack, images_beside, read_cells
from cytoform.scenes.like.moving import own_steps
from cytoform.scenes.like.statistics import NONE_SEEN, statistics


@pytest.fixture(scope="module")
def squares(tmp_path_factory: pytest.TempPathFactory) -> CellTable:
    return read_cells(open_movies(write_squares(tmp_path_factory.mktemp("squares") / "set")))


def test_cells_are_read_with_their_tracks(squares: CellTable) -> None:
    assert (squares.n_dims, squares.n_frames, squares.n_first) == (2, 10, 2)
    assert squares.field == pytest.approx((SIDE * PIXEL_UM) ** 2)
    assert [(t.label, t.first, t.last, t.family, t.n_daughters) for t in squares.tracks] == [
        (1, 0, 9, 0, 0),
        (2, 0, 4, 1, 2),
        (3, 5, 9, 1, 0),
        (4, 5, 9, 1, 0),
    ]
    assert not squares.is_cut.any()


def test_statistics_of_squares(squares: CellTable) -> None:
    found = {each.name: each for each in statistics(squares)}
    values = {name: each.value for name, each in found.items()}
    assert values["divisions per cell and frame"] == pytest.approx(1 / 25)
    assert values["cells in 10⁴ µm²"] == pytest.approx(2.5 / squares.field * 1e4)
    assert values["size of a whole cell, median (µm²)"] == pytest.approx((6 * PIXEL_UM) ** 2)
    assert values["distance to the nearest neighbour, median (µm)"] <= 12 * PIXEL_UM + 10
    # Cell 1 takes 9 steps of 2 pixels, the others 12 of none.
    assert values["displacement per frame, median (µm)"] == 0
    assert values["correlation of successive steps"] == pytest.approx(1)
    for each in found.values():
        assert each.holds(each.value)


def test_brightness_is_that_of_the_images_above_their_background(tmp_path: Path) -> None:
    """Cell n is 100 n grey values brighter than a background of frame + 50, with bright debris outside the cells."""
    folder = write_squares(tmp_path / "set")
    movies = open_movies(folder)
    assert images_beside(folder, movies) == []
    (folder / "01").mkdir()
    for frame in range(10):
        labels = frame_of(two_squares(frame))[0]
        image = (100 * labels + frame + 50).astype(np.uint16)
        image[:3] = 9999
        tifffile.imwrite(folder / "01" / f"t{frame:03d}.tif", image)
    cells = read_cells(movies, images_beside(folder, movies))
    assert cells.brightness == pytest.approx(100 * cells.label)
    found = {each.name: each.value for each in statistics(cells)}
    assert found["brightness of a cell above the background, median (grey values)"] == 200
    (folder / "01" / "t009.tif").unlink()
    assert images_beside(folder, movies) == []


def test_without_images_brightness_is_no_statistic(squares: CellTable) -> None:
    assert not any("brightness" in each.name for each in statistics(squares))


def test_the_interval_of_a_rate_of_nothing_is_exact(squares: CellTable) -> None:
    rows = squares.label == 1
    alone = CellTable(
        squares.frame[rows],
        squares.label[rows],
        squares.family[rows],
        squares.size[rows],
        squares.centroid_um[rows],
        squares.cut_axes[rows],
        squares.tracks[:1],
        squares.movies,
        squares.field,
        squares.time_step_s,
        squares.brightness[rows],
    )
    found = {each.name: each for each in statistics(alone)}
    assert found["divisions per cell and frame"].high == pytest.approx(NONE_SEEN / 10)
    assert np.isnan(found["distance to the nearest neighbour, median (µm)"].value)
    assert not found["distance to the nearest neighbour, median (µm)"].holds(1.0)


def test_the_turn_of_a_whole_field_is_no_motion_of_its_cells() -> None:
    """Ten cells of a field that turns anew in every frame walk by 0.1 µm along each axis."""
    rng = np.random.default_rng(0)
    own = np.cumsum(rng.normal(0, 0.1, (8, 10, 3)), axis=0) + rng.uniform(0, 40, (10, 3))
    turned = np.stack([Rotation.random(random_state=frame).apply(each) for frame, each in enumerate(own)])
    n_frames, n = turned.shape[:2]
    table = CellTable(
        frame=np.tile(np.arange(n_frames), n),
        label=np.repeat(np.arange(1, n + 1), n_frames),
        family=np.repeat(np.arange(n), n_frames),
        size=np.ones(n * n_frames),
        centroid_um=turned.transpose(1, 0, 2).reshape(-1, 3),
        cut_axes=np.zeros((n * n_frames, 3), bool),
        tracks=tuple(SeenTrack(k + 1, k, 0, n_frames - 1, 0, 0, False, False) for k in range(n)),
        movies=((0, n_frames - 1),),
        field=1.0,
        time_step_s=60.0,
        brightness=np.full(n * n_frames, np.nan),
    )
    found = own_steps(table)
    assert found.kind == "turn"
    assert found.field_um > 10
    assert np.sqrt((found.lengths_um**2).mean()) == pytest.approx(0.1 * np.sqrt(3), rel=0.1)
    correlation = (found.before_um * found.after_um).sum() / (found.before_um**2).sum()
    assert abs(correlation) < 0.25

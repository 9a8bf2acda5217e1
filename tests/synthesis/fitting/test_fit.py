"""Cells that a run has not seen: growing balls of another growth, whole, with gaps, and known in planes only."""

from pathlib import Path

import numpy as np
import pytest
import torch
from stores import ball, empty, write_store
from tiny import small_config

from cytoform.errors import InputError
from cytoform.runs.stage import train
from cytoform.shapes.grid import Grid
from cytoform.shapes.store import ShapeStore
from cytoform.synthesis.cells import Cells, load
from cytoform.synthesis.fitting.fit import Fit, FitSettings, fit
from cytoform.synthesis.fitting.observed import Observed, known_frames, observe
from cytoform.synthesis.fitting.stage import complete

GRID = Grid(32, 6.0)  # of the balls that were learned, which grow from 2 to 3 and from 2 to 4 µm
GROWING = [ball(2 + 1.5 * frame / 3, grid=GRID) for frame in range(4)]
QUICK = FitSettings(steps=200)


@pytest.fixture(scope="module")
def cells(trained: Path) -> Cells:
    return load(trained)


def seen(
    tmp_path: Path,
    cells: Cells,
    frames: list[np.ndarray] = GROWING,
    *,
    every_frame: int = 1,
    every_plane: int | None = None,
) -> Observed:
    place = tmp_path / f"unseen{len(list(tmp_path.iterdir()))}.zarr"
    store = ShapeStore.open(write_store(place, {"c": frames}, grid=GRID))
    frames_known = known_frames(store["c"], every_frame)
    return observe(store["c"], cells.run, np.random.default_rng(0), frames=frames_known, every_plane=every_plane)


def radii_um(fitted: Fit, n_frames: int = 4) -> list[float]:
    """Radii of the balls of the same volume."""
    volumes = [
        fitted.field.mask(time, GRID.spacing_um).sum() * GRID.spacing_um**3 for time in np.linspace(-1, 1, n_frames)
    ]
    return [(volume * 3 / (4 * np.pi)) ** (1 / 3) for volume in volumes]


def test_a_ball_of_another_growth(cells: Cells, tmp_path: Path) -> None:
    """Its code is none of the learned ones, and the decoder is left as it was."""
    before = [parameter.clone() for parameter in cells.run.decoder.parameters()]
    fitted = fit(cells.run, seen(tmp_path, cells), QUICK)
    assert radii_um(fitted) == pytest.approx([2, 2.5, 3, 3.5], abs=0.2)
    assert fitted.error_um < 0.15
    assert np.abs(fitted.field.code.numpy() - cells.codes).max(axis=1).min() > 0.01
    assert all((a == b).all() for a, b in zip(before, cells.run.decoder.parameters(), strict=True))
    assert fitted.field.decoder is cells.run.decoder


def test_frames_that_were_not_seen(cells: Cells, tmp_path: Path) -> None:
    observed = seen(tmp_path, cells, [GROWING[0], empty(GRID), GROWING[2], empty(GRID)])
    assert (observed.frames, observed.n_gaps) == ((0, 2), 2)
    assert radii_um(fit(cells.run, observed, QUICK)) == pytest.approx([2, 2.5, 3, 3.5], abs=0.35)
    assert seen(tmp_path, cells, every_frame=3).frames == (0, 3)


def test_planes_alone(cells: Cells, tmp_path: Path) -> None:
    observed = seen(tmp_path, cells, every_plane=5)
    z = (observed.samples[..., 2] + 1) / 2 * 32 - 0.5
    assert set(np.unique(z.round(3))) <= set(range(2, 32, 5))
    # The distance in a plane is at least that in space, and has its sign.
    exact = np.linalg.norm(observed.samples[0, :, :3] * 6.0, axis=1) - 2
    inside = exact < -0.1
    assert (observed.samples[0, inside, 3] < 0).all()
    assert (np.abs(observed.samples[0, :, 3]) * 6.0 > np.minimum(np.abs(exact), 1.7) - 0.15).all()
    fitted = fit(cells.run, observed, QUICK)
    assert radii_um(fitted) == pytest.approx([2, 2.5, 3, 3.5], abs=0.35)


def test_adapting_comes_closer_and_leaves_the_run_alone(cells: Cells, tmp_path: Path) -> None:
    """To an ellipsoid, which balls do not describe."""
    points = (GRID.points_zyx_um() - 6.0) / (1.6, 1.0, 1.0)
    long = ((np.linalg.norm(points, axis=1) - 2) * 1.0).reshape(GRID.shape).astype(np.float32)
    observed = seen(tmp_path, cells, [long] * 3)
    before = [parameter.clone() for parameter in cells.run.decoder.parameters()]
    frozen = fit(cells.run, observed, QUICK)
    adapted = fit(cells.run, observed, FitSettings(steps=200, adapt_steps=300))
    assert adapted.error_um < 0.7 * frozen.error_um
    assert all((a == b).all() for a, b in zip(before, cells.run.decoder.parameters(), strict=True))


def test_what_was_not_seen_is_uncertain(cells: Cells, tmp_path: Path) -> None:
    only_first = seen(tmp_path, cells, [*GROWING[:1], *[empty(GRID)] * 3])
    whole, first = fit(cells.run, seen(tmp_path, cells), QUICK), fit(cells.run, only_first, QUICK)
    assert first.expected_error_um[-1] > 3 * first.expected_error_um[0]
    assert first.expected_error_um[-1] > 3 * whole.expected_error_um[-1]


def test_the_same_seed_gives_the_same_code(cells: Cells, tmp_path: Path) -> None:
    observed = seen(tmp_path, cells)
    one, again, other = (fit(cells.run, observed, FitSettings(steps=20), seed=seed) for seed in (0, 0, 1))
    assert torch.equal(one.field.code, again.field.code)
    assert not torch.equal(one.field.code, other.field.code)


def test_a_store_is_completed_and_outsiders_are_named(cells: Cells, tmp_path: Path) -> None:
    spikes = [np.minimum(ball(1, grid=GRID), ball(1, shift_zyx_um=(0, 4, 0), grid=GRID))] * 4
    shapes = write_store(tmp_path / "unseen.zarr", {"c": GROWING, "odd": spikes, "one": GROWING[:1]}, grid=GRID)
    found = complete(cells, shapes, tmp_path / "fitted.zarr", settings=QUICK)
    assert [cell.outside for cell in found] == [False, True, False]
    fitted = ShapeStore.open(tmp_path / "fitted.zarr")
    assert [fitted[name].info.n_frames for name in fitted.names] == [4, 4, 1]
    assert fitted.attributes["fits"]["odd"]["outside"] is True
    for frame, exact in enumerate(GROWING):
        a, b = exact <= 0, fitted["c"].mask(frame)
        assert (a & b).sum() / (a | b).sum() > 0.85


def test_a_smaller_cube_in_the_middle_of_the_runs(cells: Cells, tmp_path: Path) -> None:
    small, large = Grid(24, 4.5), Grid(40, 7.5)
    for number, grid in enumerate((small, large)):
        store = ShapeStore.open(write_store(tmp_path / f"{number}.zarr", {"c": [ball(3, grid=grid)]}, grid=grid))
        observed = observe(store["c"], cells.run, np.random.default_rng(0))
        distances = np.linalg.norm(observed.samples[0, :, :3], axis=1) - 0.5
        near = np.abs(distances) < 0.05
        assert observed.samples[0, near, 3] == pytest.approx(distances[near], abs=0.02)
        assert np.abs(observed.samples[0, :, :3]).max() <= 1


FAULTS = {
    "an empty movie": ([empty(GRID)] * 2, {}, "c: none of its 2 frames shows a cell"),
    "no frame": (GROWING, {"every_frame": 0}, "--every-frame 0"),
    "no plane": (GROWING, {"every_plane": 0}, "--every-plane 0"),
    "no plane cuts the cell": ([ball(1, shift_zyx_um=(0, 0, 0), grid=GRID)], {"every_plane": 20}, "--every-plane"),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_one_line(fault: str, cells: Cells, tmp_path: Path) -> None:
    frames, options, words = FAULTS[fault]
    with pytest.raises(InputError, match=words):
        seen(tmp_path, cells, frames, **options)


def test_cells_that_the_cube_does_not_hold(cells: Cells, tmp_path: Path) -> None:
    wide = Grid(32, 12.0)
    store = ShapeStore.open(write_store(tmp_path / "wide.zarr", {"c": [ball(8, grid=wide)]}, grid=wide))
    with pytest.raises(InputError, match="c, frame 0: the cell reaches"):
        observe(store["c"], cells.run, np.random.default_rng(0))


@pytest.mark.parametrize(
    ("settings", "options", "words"),
    [
        (FitSettings(steps=0), {}, "--steps 0"),
        (FitSettings(adapt_steps=1), {"every_plane": 4, "keep_known": False}, "--adapt needs whole frames"),
    ],
)
def test_settings_that_make_no_sense(
    settings: FitSettings, options: dict[str, int], words: str, cells: Cells, tmp_path: Path
) -> None:
    shapes = write_store(tmp_path / "unseen.zarr", {"c": GROWING}, grid=GRID)
    with pytest.raises(InputError, match=words):
        complete(cells, shapes, tmp_path / "out.zarr", settings=settings, **options)  # type: ignore[arg-type]
    assert not (tmp_path / "out.zarr").exists()


@pytest.mark.parametrize(
    "settings", [["data.align=principal"], pytest.param(["model.rotations=learned"], marks=pytest.mark.long)]
)
def test_a_run_that_turns_its_cells_gives_them_back_in_their_pose(settings: list[str], tmp_path: Path) -> None:
    """Rods along z are learned, lying along x when aligned; one along y comes back along y."""

    def rod(axis: int, length_um: float) -> np.ndarray:
        points = GRID.points_zyx_um() - 6.0
        points[:, axis] -= points[:, axis].clip(-length_um, length_um)
        return (np.linalg.norm(points, axis=1) - 1.2).reshape(GRID.shape).astype(np.float32)

    learned = {name: [rod(0, length)] * 2 for name, length in (("a", 1.5), ("b", 2.5))}
    shapes = write_store(tmp_path / "rods.zarr", learned, grid=GRID)
    train(shapes, tmp_path / "run", small_config("training.epochs=300", *settings))
    axis = 1 if "align" in settings[0] else 0  # without alignment, a rotation is found from nearby only
    unseen = write_store(tmp_path / "unseen.zarr", {"c": [rod(axis, 2.0)] * 2}, grid=GRID)
    complete(load(tmp_path / "run"), unseen, tmp_path / "out.zarr", settings=QUICK)
    a, b = rod(axis, 2.0) <= 0, ShapeStore.open(tmp_path / "out.zarr")["c"].mask(1)
    assert (a & b).sum() / (a | b).sum() > 0.8

"""The radius of the opening, found from the data."""

from pathlib import Path

import numpy as np
import pytest
from protruding import GRID, OFF, cell, filopodial_frames
from stores import write_store

from cytoform.protrusions.radius import OpeningCurve, opening_curve, spread
from cytoform.shapes.store import ShapeStore

TRUE = {"thin": (0.3, 1.8), "thick": (0.5, 2.4)}  # radii of tubes and body in µm


def store_of(path: Path, sequences: dict[str, list[np.ndarray]]) -> ShapeStore:
    return ShapeStore.open(write_store(path, sequences, grid=GRID))


@pytest.mark.parametrize("kind", TRUE)
def test_the_radius_lies_between_the_tubes_and_the_body(kind: str, tmp_path: Path) -> None:
    tube_um, body_um = TRUE[kind]
    frames = filopodial_frames(2, radius_um=tube_um, body_um=body_um)
    curve = opening_curve(store_of(tmp_path / "s.zarr", {"a": frames, "b": frames[::-1]}))
    assert curve is not None
    assert 1.2 * tube_um < curve.radius_um < 0.6 * body_um
    volumes = [
        np.clip(0.5 - sdf_um / GRID.spacing_um, 0, 1).sum() for sdf_um in (*frames, cell([], balls=[(OFF, body_um)]))
    ]
    assert curve.removed[curve.chosen] == pytest.approx(1 - 2.01 * volumes[2] / (volumes[0] + volumes[1]), abs=0.02)
    # Larger balls take more away (granulometry).
    assert (np.diff(curve.removed) > -0.005).all()
    assert curve.unsteadiness < 0.6


def test_a_moving_ball_changes_as_much_without_its_thin_parts(tmp_path: Path) -> None:
    frames = [cell([], balls=[(OFF + np.array([0, 0, 0.3 * t]), 1.8)]) for t in range(2)]
    curve = opening_curve(store_of(tmp_path / "s.zarr", {"a": frames}))
    assert curve is not None
    assert curve.unsteadiness == pytest.approx(1, abs=0.05)
    assert curve.removed[curve.chosen] < 0.02


def test_single_and_empty_frames_are_left_out(tmp_path: Path) -> None:
    frames, empty = filopodial_frames(2), np.full(GRID.shape, 9.0, np.float32)
    alone = opening_curve(store_of(tmp_path / "a.zarr", {"a": frames}))
    mixed = opening_curve(
        store_of(tmp_path / "b.zarr", {"a": frames, "b": [frames[0], empty], "c": [empty], "d": frames[:1]})
    )
    assert alone is not None
    assert mixed is not None
    assert mixed.cell_jaccard == alone.cell_jaccard
    assert mixed.body_jaccard.tolist() == alone.body_jaccard.tolist()
    single = opening_curve(store_of(tmp_path / "c.zarr", {"a": frames[:1]}))
    assert single is not None
    assert np.isnan(single.cell_jaccard)


def test_no_radius_for_thin_cells_coarse_voxels_and_nothing(tmp_path: Path) -> None:
    thin, empty = cell([], balls=[(OFF, 0.8)]), np.full(GRID.shape, 9.0, np.float32)
    assert opening_curve(store_of(tmp_path / "thin.zarr", {"a": [thin, thin]})) is None
    assert opening_curve(store_of(tmp_path / "empty.zarr", {"a": [empty, empty]})) is None
    assert opening_curve(store_of(tmp_path / "none.zarr", {})) is None


def test_the_middle_of_the_flat_range_is_chosen() -> None:
    radii = np.linspace(0.3, 1.0, 8)
    removed = np.array([0.02, 0.10, 0.20, 0.201, 0.202, 0.203, 0.204, 0.4])
    curve = OpeningCurve(radii, removed, np.full(8, 0.95), 0.9)
    assert curve.radius_um == pytest.approx(radii[4])
    assert curve.unsteadiness == pytest.approx(0.5)


def test_names_are_spread_over_a_store() -> None:
    names = [f"{n:02d}" for n in range(10)]
    assert spread(names, 4) == ["00", "02", "04", "06"]
    assert spread(names, 20) == names
    assert spread([], 3) == []

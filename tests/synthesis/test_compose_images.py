"""Cells in images as discs with thorns: taken apart, learned, given back, composed, grafted and turned."""

from pathlib import Path

import numpy as np
import pytest
from thorny import FLAT, SETTINGS, write_thorny

from cytoform.assess.measures.masks import jaccard
from cytoform.errors import InputError
from cytoform.protrusions.decompose import take_apart
from cytoform.protrusions.units import Units
from cytoform.runs.auto import automatic
from cytoform.runs.config import load_config
from cytoform.runs.stage import train
from cytoform.shapes.components import components
from cytoform.shapes.store import ShapeStore
from cytoform.synthesis.cells import Cells, load
from cytoform.synthesis.sequences import generate, reconstruct
from cytoform.synthesis.surface import Surface

N_FRAMES = 5
QUICK = (
    *SETTINGS,
    "model.width=16",
    "training.epochs=30",
    "training.points_per_frame=128",
    "training.checkpoint_epochs=30",
)


@pytest.fixture(scope="module")
def shapes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("flat") / "thorny.zarr"
    write_thorny(path, n_cells=3, n_thorns=4, n_frames=N_FRAMES, grid=FLAT)
    return path


@pytest.fixture(scope="module")
def cells(shapes: Path) -> Cells:
    train(shapes, shapes.parent / "run", load_config(preset="paper", settings=list(QUICK)))
    return load(shapes.parent / "run")


def lengths_um(store: Path) -> list[float]:
    """Total length of the protrusions in every frame."""
    apart = take_apart(ShapeStore.open(store), 0.6)
    return [sum(curve.length_um for curve in frame.curves) for each in apart for frame in each.frames]


def test_discs_with_thorns_are_learned_in_parts(shapes: Path, cells: Cells) -> None:
    assert automatic(ShapeStore.open(shapes)).preset == "parts"
    assert {parts.units.n_dims for parts in cells.run.parts} == {2}
    assert all(parts.units.angles.shape[1] == 1 for parts in cells.run.parts)


def test_learned_cells_come_back_with_their_thorns(shapes: Path, cells: Cells, tmp_path: Path) -> None:
    reconstruct(cells, tmp_path / "rec.zarr")
    originals, found = ShapeStore.open(shapes), ShapeStore.open(tmp_path / "rec.zarr")
    whole = [jaccard(originals[name].mask(t), found[name].mask(t)) for name in originals.names for t in range(N_FRAMES)]
    assert np.mean(whole) > 0.9
    assert np.mean(lengths_um(tmp_path / "rec.zarr")) == pytest.approx(np.mean(lengths_um(shapes)), rel=0.25)


@pytest.mark.parametrize("prior", ["compose", "graft"])
def test_new_cells_have_thorns_one_piece_and_the_learned_area(
    prior: str, shapes: Path, cells: Cells, tmp_path: Path
) -> None:
    generate(cells, tmp_path / "new.zarr", 2, prior=prior, seed=1)
    store = ShapeStore.open(tmp_path / "new.zarr")
    masks = [sequence.mask(frame) for sequence in store for frame in range(N_FRAMES)]
    assert {int(components(mask).max()) for mask in masks} == {1}
    learned = [sequence.mask(frame).sum() for sequence in ShapeStore.open(shapes) for frame in range(N_FRAMES)]
    assert np.mean([mask.sum() for mask in masks]) == pytest.approx(np.mean(learned), rel=0.15)
    assert max(lengths_um(store.path)) > 1.0
    assert store["new0000"].latent["protrusions"].shape[-1] == Units.width(2)


def test_a_pose_turns_body_and_thorns(cells: Cells) -> None:
    (cell,) = cells.prior("compose").draw(1, np.random.default_rng(4))
    half = np.sqrt(0.5)
    quarter = np.array([half, 0, 0, half])
    field, turned = (cells.field(cell.code, rotation=pose, variables=cell.variables) for pose in (None, quarter))
    points = np.random.default_rng(0).uniform(2, 10, (500, 2))
    # The point p = (x, y) of a turned cell lies at R p in the canonical pose.
    y, x = (points - 6.0).T
    assert np.allclose(turned(points, 0.2), field(np.stack([x, -y], axis=1) + 6.0, 0.2), atol=2e-3)
    dense, band = (field.render(-0.4, 40, method=method) for method in ("dense", "narrow-band"))
    assert np.array_equal(dense.mask(), band.mask())


def test_what_lasts_is_known_of_volumes_only(shapes: Path, tmp_path: Path) -> None:
    config = load_config(preset="paper", settings=[*QUICK, "model.body=lasting"])
    with pytest.raises(InputError, match=r"2D, and model\.body = 'lasting' knows 3D cells only"):
        train(shapes, tmp_path / "run", config)
    assert not list(tmp_path.iterdir())


def test_distance_to_the_outline_of_a_body_is_negative_inside() -> None:
    angles = np.linspace(0, 2 * np.pi, 400, endpoint=False)
    outwards = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    disc = Surface([0.5 * outwards], [outwards], [np.full(400, 1 / 400)], np.array([0.785]), np.zeros((1, 2)))
    points = np.array([[0.3, 0.0], [0.0, -0.45], [0.5, 0.5]])
    assert disc.distance(points, 0.5) == pytest.approx(np.linalg.norm(points, axis=1) - 0.5, abs=0.005)

"""New cells with thick protrusions: in one piece, of the wanted volume, continuous, in any pose, and read back."""

from pathlib import Path

import cc3d
import numpy as np
import pytest
import torch
from blebbing import blebbing_frames
from parts_run import HALF_UM, N_FRAMES, write_parts_run
from protruding import GRID
from stores import write_store

from cytoform.base.tensors import read_tensors, write_tensors
from cytoform.errors import InputError
from cytoform.protrusions.bulge_fit import bulges_of
from cytoform.protrusions.decompose import take_apart
from cytoform.runs.parts import PARTS
from cytoform.runs.run import load_run
from cytoform.shapes.store import ShapeStore
from cytoform.synthesis.cells import Cells, load
from cytoform.synthesis.sequences import generate


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bulges")
    store = write_store(folder / "blebs.zarr", {"a": blebbing_frames(), "b": blebbing_frames(1)}, grid=GRID)
    bulges = bulges_of(take_apart(ShapeStore.open(store), None), GRID.half_extent_um)
    return write_parts_run(folder / "run", bulges=bulges)


@pytest.fixture(scope="module")
def cells(run: Path) -> Cells:
    return load(run)


@pytest.mark.parametrize("prior", ["compose", "graft"])
def test_new_cells_have_bulges_one_piece_and_steady_volumes(prior: str, cells: Cells, tmp_path: Path) -> None:
    generate(cells, tmp_path / "new.zarr", 2, prior=prior, seed=1)
    store = ShapeStore.open(tmp_path / "new.zarr")
    volumes = np.array([[sequence.mask(frame).sum() for frame in range(N_FRAMES)] for sequence in store])
    for sequence in store:
        assert {"code", "protrusions", "bulges", "scale", "offset", "span"} == set(sequence.latent)
        assert np.isfinite(sequence.latent["bulges"]).all(axis=1).any()
        for frame in range(N_FRAMES):
            assert cc3d.connected_components(sequence.mask(frame), connectivity=26).max() == 1
    assert (np.abs(np.diff(volumes, axis=1)) / volumes[:, 1:]).mean() < 0.02


def test_bulges_add_to_the_body(cells: Cells) -> None:
    name = cells.names[0]
    bare, whole = cells.field(cells.codes[0]), cells.field(name)
    window = cells.run.parts[0].bulges.window
    inside = np.flatnonzero((window[:, 0] > 0) & (window[:, 1] < 1))[0]
    time = float(2 * window[inside].mean() - 1)
    assert whole.render(time, 48).inside.sum() > 1.02 * bare.render(time, 48).inside.sum()


def test_dense_and_narrow_band_agree_and_time_is_continuous(cells: Cells) -> None:
    (cell,) = cells.prior("compose").draw(1, np.random.default_rng(3))
    field = cells.field(cell.code, variables=cell.variables)
    dense, band = (field.render(0.2, 40, method=method) for method in ("dense", "narrow-band"))
    assert np.array_equal(dense.mask(), band.mask())
    points = np.random.default_rng(0).uniform(0.5 * HALF_UM, 1.5 * HALF_UM, (2000, 3))
    assert np.abs(field(points, 0.2) - field(points, 0.2005)).max() < 0.05 * HALF_UM


def test_bulges_turn_with_the_pose(cells: Cells) -> None:
    (cell,) = cells.prior("compose").draw(1, np.random.default_rng(4))
    half = np.sqrt(0.5)
    field = cells.field(cell.code, variables=cell.variables)
    turned = cells.field(cell.code, rotation=np.array([half, 0, 0, half]), variables=cell.variables)
    points = np.random.default_rng(0).uniform(0.5 * HALF_UM, 1.5 * HALF_UM, (2000, 3))
    middle = points - HALF_UM
    # The point p = (x, y, z) of a turned cell lies at R p in the canonical pose.
    canonical = np.stack([middle[:, 0], middle[:, 2], -middle[:, 1]], axis=1) + HALF_UM
    assert np.allclose(turned(points, 0.2), field(canonical, 0.2), atol=2e-3)


def test_damaged_bulges_are_refused(run: Path, tmp_path: Path) -> None:
    import shutil

    shutil.copytree(run, tmp_path / "run")
    tensors, metadata = read_tensors(run / PARTS)
    unknown = tensors["cell0.bulges"].clone()
    unknown[0, -1] += len(tensors["moments"])
    wrongs = [
        ("cell0.bulges", torch.zeros(2, 3)),
        ("cell0.bulges", unknown),
        ("moments", torch.zeros(2, 3)),
        ("moments", tensors["moments"].float()),
        ("phases", torch.zeros(2)),
        ("boxes", torch.zeros_like(tensors["boxes"])),
    ]
    for name, wrong in wrongs:
        write_tensors(tmp_path / "run" / PARTS, {**tensors, name: wrong}, metadata)
        with pytest.raises(InputError, match=r"damaged.*; train the run anew"):
            load_run(tmp_path / "run")

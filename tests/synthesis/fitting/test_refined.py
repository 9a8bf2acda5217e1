"""A network in the frame of components, fitted to a body that the run has not seen."""

from pathlib import Path

import numpy as np
import pytest
import stores
from refined_run import GRID, N_FRAMES, TURNS, movie, write_refined_run

from cytoform.errors import InputError
from cytoform.shapes.store import ShapeStore
from cytoform.synthesis.cells import Cells, load
from cytoform.synthesis.fitting.stage import complete
from cytoform.synthesis.options import FitSettings


@pytest.fixture(scope="module")
def cells(tmp_path_factory: pytest.TempPathFactory) -> Cells:
    return load(write_refined_run(tmp_path_factory.mktemp("refined")))


@pytest.fixture(scope="module")
def unseen(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("unseen")
    return stores.write_store(folder / "new.zarr", {"new": movie(TURNS[4], 1.05)}, grid=GRID)


def overlap(a: Path, b: Path) -> float:
    first, second = ShapeStore.open(a)["new"], ShapeStore.open(b)["new"]
    pairs = [(first.mask(frame), second.mask(frame)) for frame in range(N_FRAMES)]
    return float(np.mean([(x & y).sum() / (x | y).sum() for x, y in pairs]))


def test_adapting_brings_the_cell_closer_and_leaves_the_run_alone(cells: Cells, unseen: Path, tmp_path: Path) -> None:
    before = {name: tensor.clone() for name, tensor in cells.run.decoder.state_dict().items()}
    (frozen,) = complete(cells, unseen, tmp_path / "frozen.zarr", settings=FitSettings(steps=150))
    settings = FitSettings(steps=150, adapt_steps=150)
    (adapted,) = complete(cells, unseen, tmp_path / "adapted.zarr", settings=settings)
    assert overlap(unseen, tmp_path / "frozen.zarr") > 0.85
    assert overlap(unseen, tmp_path / "adapted.zarr") > overlap(unseen, tmp_path / "frozen.zarr")
    assert adapted.error_um < frozen.error_um
    assert max(adapted.expected_error_um) < max(frozen.expected_error_um)
    assert all((cells.run.decoder.state_dict()[name] == tensor).all() for name, tensor in before.items())


def test_frames_left_out_are_filled(cells: Cells, unseen: Path, tmp_path: Path) -> None:
    (found,) = complete(
        cells, unseen, tmp_path / "out.zarr", every_frame=2, keep_known=False, settings=FitSettings(steps=150)
    )
    assert found.n_known == 3
    assert overlap(unseen, tmp_path / "out.zarr") > 0.8
    assert np.isnan(found.expected_error_um[1])  # fewer known frames than tell it


def test_planes_alone_are_refused_in_one_line(cells: Cells, unseen: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="--every-plane"):
        complete(cells, unseen, tmp_path / "out.zarr", every_plane=2, keep_known=False)

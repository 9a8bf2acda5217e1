"""The level of a trained network: learned cells have their volume."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import parts_run
import pytest
import refined_run
import stores
import thorny
import torch

from cytoform.runs.config import load_config
from cytoform.runs.level import mend_level
from cytoform.runs.run import load_run
from cytoform.runs.samples import training_frames
from cytoform.runs.stage import train
from cytoform.shapes.grid import Grid, frame_times
from cytoform.shapes.store import ShapeStore
from cytoform.synthesis.cells import load


@pytest.mark.parametrize("too_large", [0.012, -0.02])
def test_a_ball_gets_the_radius_that_it_was_learned_with(tmp_path: Path, too_large: float) -> None:
    run = replace(load_run(parts_run.write_parts_run(tmp_path / "run", n=1)), parts=())
    ray = torch.tensor([[parts_run.BODY_RADIUS, 0.0, 0.0]])
    radius = parts_run.BODY_RADIUS - float(run.frame("cell0", 0.0)(ray))
    grid = Grid(parts_run.GRID, parts_run.HALF_UM)
    truth = stores.ball(grid.half_extent_um * (radius - too_large), grid=grid)
    cells = ShapeStore.open(stores.write_store(tmp_path / "cells.zarr", {"cell0": [truth] * 3}, grid=grid))
    mend_level(run, training_frames(cells, ["cell0"], 1), cells, cells)
    assert float(run.frame("cell0", 0.0)(ray)) - (parts_run.BODY_RADIUS - radius) == pytest.approx(too_large, abs=3e-4)


def volumes(run: Path, shapes: Path) -> np.ndarray:
    """Voxels of all frames of all learned cells, as they were and as the run has them."""
    cells, store = load(run), ShapeStore.open(shapes)
    return np.array(
        [
            (store[name].box(frame).inside.sum(), cells.field(name).render(float(time), store.grid.size).inside.sum())
            for name in cells.names
            for frame, time in enumerate(frame_times(store[name].info.n_frames))
        ]
    )


def test_cells_at_sizes_of_their_own_have_their_volume(tmp_path: Path) -> None:
    run = refined_run.write_refined_run(tmp_path)
    known, found = volumes(run, tmp_path / "bodies.zarr").sum(axis=0)
    assert found == pytest.approx(known, rel=0.004)


def test_cells_with_protrusions_have_their_volume(tmp_path: Path) -> None:
    thorny.write_thorny(tmp_path / "cells.zarr", n_cells=3, n_frames=6)
    config = load_config(settings=[*thorny.SETTINGS, "model.opening_radius_um=0.6"])
    assert train(tmp_path / "cells.zarr", tmp_path / "run", config).finished
    known, found = volumes(tmp_path / "run", tmp_path / "cells.zarr").sum(axis=0)
    assert found == pytest.approx(known, rel=0.01)

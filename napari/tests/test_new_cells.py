"""New cells in the viewer are those of `cytoform.generate`."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import cytoform
from cytoform_napari.new_cells import OTHER, NewCellsPanel
from cytoform_napari.readers import read_folder


@pytest.mark.parametrize("n_dims", [3, 2])
def test_new_cells_are_those_of_the_library(
    n_dims: int,
    runs: dict[int, Path],
    open_panel: Callable[..., Any],
    run_to_end: Callable[[Any], str],
    tmp_path: Path,
) -> None:
    panel = open_panel(NewCellsPanel, *read_folder(runs[n_dims]))
    assert panel.run.value == str(runs[n_dims])
    panel.number.value, panel.prior.value, panel.seed.value = 2, "between", 3
    said = run_to_end(panel)
    assert said.startswith("2 new cells")
    cytoform.generate(cytoform.load(runs[n_dims]), tmp_path / "same.zarr", 2, prior="between", seed=3)
    masks = next(layer for layer in panel.viewer.layers if layer.name.endswith("-new"))
    for number, sequence in enumerate(cytoform.ShapeStore.open(tmp_path / "same.zarr")):
        for frame in range(sequence.info.n_frames):
            np.testing.assert_array_equal(np.asarray(masks.data[number, frame]) > 0, sequence.mask(frame))
    assert any("surface" in layer.name for layer in panel.viewer.layers)


def test_faults_are_one_line(open_panel: Callable[..., Any], run_to_end: Callable[[Any], str], tmp_path: Path) -> None:
    panel = open_panel(NewCellsPanel)
    panel.run.value, panel.folder.value = OTHER, tmp_path
    assert run_to_end(panel).startswith(f"{tmp_path}: not a run folder")
    assert list(tmp_path.glob("*.zarr")) == []
    panel.run.value, panel.requests.value = "zoo:mitosis-2d", "siize_um2=3"
    assert "siize_um2" in run_to_end(panel)

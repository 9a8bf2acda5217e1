"""Errors on surfaces with a table that moves the viewer, and a data set of the open cells."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from balls import FRAMES, write_balls
from cytoform_napari.compare import ComparePanel
from cytoform_napari.readers import read_folder
from cytoform_napari.scene import ScenePanel


def test_errors_are_distances_to_the_reference(
    stores: dict[int, Path], open_panel: Callable[..., Any], run_to_end: Callable[[Any], str], tmp_path: Path
) -> None:
    larger = write_balls(tmp_path / "larger.zarr", 3, (4.5, 5.5))
    panel = open_panel(ComparePanel, *read_folder(stores[3]), *read_folder(larger))
    panel.reference.value, panel.other.value = str(stores[3]), str(larger)
    assert run_to_end(panel).startswith("2 cells: mean Jaccard index 0.7")
    errors = panel.viewer.layers["larger errors (µm)"]
    np.testing.assert_allclose(errors.data[2], 0.5, atol=0.1)
    assert panel.table.shape[0] == 2 * FRAMES
    panel.table.native.selectRow(FRAMES + 1)
    assert tuple(panel.viewer.dims.point[:2]) == (1, 1)
    panel.viewer.dims.set_point(1, 2)
    assert {item.row() for item in panel.table.native.selectedItems()} == {FRAMES + 2}


def test_cells_in_images_are_two_outlines(
    stores: dict[int, Path], open_panel: Callable[..., Any], run_to_end: Callable[[Any], str], tmp_path: Path
) -> None:
    larger = write_balls(tmp_path / "larger.zarr", 2, (4.5, 5.5))
    panel = open_panel(ComparePanel, *read_folder(stores[2]), *read_folder(larger))
    panel.reference.value, panel.other.value = str(stores[2]), str(larger)
    # Areas of discs, at all radii.
    radii = np.add.outer((4.0, 5.0), 0.3 * np.arange(FRAMES)).ravel()
    expected = np.mean(radii**2 / (radii + 0.5) ** 2)
    said = run_to_end(panel)
    assert float(said.removeprefix("2 cells: mean Jaccard index ")) == pytest.approx(expected, abs=0.03)
    outlines = [panel.viewer.layers[f"{name} surface"] for name in ("balls2", "larger")]
    assert [len(layer.data) for layer in outlines] == [2 * FRAMES] * 2
    reach = [np.linalg.norm(layer.data[0][:, 2:] - 8, axis=1) for layer in outlines]
    assert np.mean(reach[1]) - np.mean(reach[0]) == pytest.approx(0.5, abs=0.05)
    panel.table.native.selectRow(FRAMES + 1)
    assert tuple(panel.viewer.dims.point[:2]) == (1, 1)


def test_a_store_is_not_compared_with_itself(
    stores: dict[int, Path], open_panel: Callable[..., Any], run_to_end: Callable[[Any], str]
) -> None:
    panel = open_panel(ComparePanel, *read_folder(stores[2]))
    assert "compared with itself" in run_to_end(panel)


def test_a_scene_has_images_labels_and_tracks(
    stores: dict[int, Path], open_panel: Callable[..., Any], run_to_end: Callable[[Any], str]
) -> None:
    panel = open_panel(ScenePanel, *read_folder(stores[2]))
    panel.sources.value = [str(stores[2])]
    panel.cells.value, panel.frames.value, panel.size.value, panel.voxel_size.value = 2, 2, "1 48 48", "1 1 1"
    before = len(panel.viewer.layers)
    said = run_to_end(panel)
    assert "2 tracks, 0 divisions" in said
    kinds = {type(layer).__name__ for layer in list(panel.viewer.layers)[before:]}
    assert kinds == {"Image", "Labels", "Tracks"}

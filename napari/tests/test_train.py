"""From the open labels layer to a run and new cells: the four clicks, stop, and labels without scale."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from napari.layers import Labels, Tracks

import cytoform
from balls import FRAMES, WAIT_MS, ball_um
from cytoform.shapes.grid import Grid
from cytoform_napari.open_labels import lineage_of, open_labels, voxel_size_text
from cytoform_napari.train import TrainPanel
from waits import watch

MOST_WORK_S = 0.2  # of the window at a time during a training: an event waits no longer, on free cores


def labels_of(n_dims: int) -> np.ndarray:
    """A movie of two growing cells, side by side."""
    grid = Grid(16, 8.0, n_dims)
    frames = [[number * (ball_um(grid, 3.0 + 0.5 * number + 0.3 * t) <= 0) for number in (1, 2)] for t in range(FRAMES)]
    return np.stack([np.concatenate(pair, axis=-1) for pair in frames]).astype(np.uint16)


@pytest.mark.parametrize("n_dims", [3, 2])
def test_from_labels_to_new_cells(
    n_dims: int, open_panel: Callable[..., Any], run_to_end: Callable[[Any], str], qtbot: Any, tmp_path: Path
) -> None:
    scale = {"scale": (1.0,) * (n_dims + 1), "units": ("pixel",) + ("um",) * n_dims}
    panel = open_panel(TrainPanel, (labels_of(n_dims), {"name": "two cells", **scale}, "labels"))
    assert panel.voxel_size.value == " ".join("1" * n_dims)
    panel.grid.value, panel.settings.value = 16, "model.nodes=8"
    panel.preset.value = "linear"
    waits, worked_s = watch(), []
    panel.worker.succeeded.connect(lambda _: worked_s.append(waits()[1]))
    said = run_to_end(panel)
    assert said.startswith("learned 2 cells")
    assert worked_s[0] < MOST_WORK_S
    store = cytoform.ShapeStore.open(tmp_path / "two_cells.zarr")
    assert (len(store), store.grid.n_dims) == (2, n_dims)
    assert panel.go_on.enabled
    panel.go_on.changed.emit(True)
    qtbot.waitUntil(lambda: any("new" in layer.name for layer in panel.viewer.layers), timeout=WAIT_MS)


def test_a_stopped_training_goes_on(
    open_panel: Callable[..., Any], run_to_end: Callable[[Any], str], qtbot: Any, tmp_path: Path
) -> None:
    scale = {"scale": (1.0,) * 3, "units": ("pixel", "um", "um")}
    panel = open_panel(TrainPanel, (labels_of(2), {"name": "cells", **scale}, "labels"))
    panel.grid.value, panel.preset.value = 16, "quick"
    panel.settings.value = "training.epochs=100000 model.width=16 training.points_per_frame=64"
    panel.start()
    qtbot.waitUntil(lambda: "training" in panel.line.value and panel.bar.value >= 0, timeout=WAIT_MS)
    panel.stop_button.changed.emit(True)
    qtbot.waitUntil(lambda: panel.start_button.enabled, timeout=WAIT_MS)
    assert panel.line.value.startswith("stopped")
    assert (tmp_path / "cells.run" / "checkpoints").is_dir()
    assert panel.start_button.text == "Go on"
    panel.settings.value = "training.epochs=1"
    assert panel.start_button.text == panel.action


def test_labels_without_scale_are_asked_about(open_panel: Callable[..., Any], run_to_end: Callable[[Any], str]) -> None:
    panel = open_panel(TrainPanel, (labels_of(3), {"name": "cells"}, "labels"))
    assert panel.voxel_size.value == ""
    assert run_to_end(panel) == (
        "cells: the voxel size is not known; fill in voxel size Z Y X in µm, such as 0.5 0.2 0.2"
    )


def test_no_labels_at_all_is_one_line(open_panel: Callable[..., Any], run_to_end: Callable[[Any], str]) -> None:
    assert run_to_end(open_panel(TrainPanel)).startswith("labels: no labels layer is open")


def test_scales_become_micrometres() -> None:
    data = np.zeros((2, 4, 4, 4), np.uint8)
    assert voxel_size_text(Labels(data, scale=(1, 2000, 500, 500), units=("pixel", "nm", "nm", "nm"))) == "2 0.5 0.5"
    assert voxel_size_text(Labels(data, scale=(1, 2, 0.5, 0.5))) == "2 0.5 0.5"
    assert voxel_size_text(Labels(data)) == ""
    assert open_labels(Labels(data[0]), voxel_size="2 1 1", volume=True).axes == "ZYX"
    assert open_labels(Labels(data[0]), voxel_size="1 1").axes == "TYX"


def test_a_tracks_layer_gives_the_lineage() -> None:
    rows = [(1, 0, 5, 5), (1, 1, 5, 5), (2, 2, 4, 5), (3, 2, 6, 5)]
    tracks = Tracks(np.array(rows, float), graph={2: [1], 3: [1]})
    labels = open_labels(Labels(np.zeros((3, 8, 8), np.uint8)), voxel_size="1 1")
    assert lineage_of(tracks, labels) == "1 0 1 0\n2 2 2 1\n3 2 2 1\n"


def test_a_panel_that_is_closed_while_layers_are_added_adds_no_more(make_napari_viewer: Any) -> None:
    from qtpy.QtWidgets import QApplication

    panel = TrainPanel(make_napari_viewer())
    panel.native.deleteLater()
    QApplication.sendPostedEvents(None, 52)  # deferred deletions
    panel._add({}, [], [])

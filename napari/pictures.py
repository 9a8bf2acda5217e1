"""Draws the pictures of docs/napari.md by going through all panels: `xvfb-run -s '-screen 0 1400x900x24' python pictures.py`.

Also prints how long each job took, and how long the window kept an event waiting while it ran and while it was shown.
"""

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import napari
import numpy as np
from PIL import Image
from qtpy.QtWidgets import QApplication

from cytoform_napari import new_cells, samples
from cytoform_napari.compare import ComparePanel
from cytoform_napari.fill import FillPanel
from cytoform_napari.layers import LayerData
from cytoform_napari.new_cells import NewCellsPanel
from cytoform_napari.panel import Panel, add_layer
from cytoform_napari.readers import read_folder
from cytoform_napari.scene import ScenePanel
from cytoform_napari.train import TrainPanel

sys.path.append(str(Path(__file__).parent / "tests"))
from waits import watch

PICTURES = Path(__file__).parents[1] / "docs" / "images"
STORE, RUN = "dividing_cells.zarr", "dividing_cells.run"  # of the panel *Prepare and train*
WINDOW, COLOURS = (1240, 760), 96
TITLES: dict[type[Panel], str] = {
    TrainPanel: "Prepare and train",
    NewCellsPanel: "New cells",
    FillPanel: "Fill missing frames and planes",
    ComparePanel: "Compare",
    ScenePanel: "Benchmark data set",
}


def main() -> None:
    """Draw the named pictures, by default all. The first argument is a folder for results; later pictures show its path."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(tempfile.mkdtemp(prefix="cytoform-napari-"))
    for name in sys.argv[2:] or DRAWN:
        DRAWN[name](folder)


def draw_training(folder: Path) -> None:
    """The panel *Prepare and train* after a training."""
    viewer, panel = opened(TrainPanel, samples.dividing_cells(), folder)
    run(panel)
    viewer.dims.set_point(0, 5)
    finish(viewer, "napari_train")


def draw_new_cells(folder: Path) -> None:
    """New cells of that run, as surfaces."""
    new_cells.trained_runs.insert(0, str(folder / RUN))
    viewer, panel = opened(NewCellsPanel, [], folder)
    panel.number.value = 3
    run(panel)
    viewer.layers[1].visible = False
    viewer.dims.set_point(1, 6)
    finish(viewer, "napari_new_cells")


def draw_filled(folder: Path) -> None:
    """A frame that was erased and filled."""
    (frames, shown, kind), *_ = samples.dividing_cells_2d()
    erased = np.array(frames)
    erased[1] = 0
    viewer, panel = opened(FillPanel, [(erased, shown, kind)], folder)
    run(panel)
    viewer.layers[0].visible = False
    viewer.dims.set_point(0, 1)
    finish(viewer, "napari_fill", ndisplay=2)


def draw_compared(folder: Path) -> None:
    """Errors of the learned cells on their surfaces."""
    new_cells.trained_runs.insert(0, str(folder / RUN))
    viewer, panel = opened(ComparePanel, read_folder(folder / STORE), folder)
    panel.other.value = str(folder / RUN)
    run(panel)
    for layer in list(viewer.layers)[:2]:
        layer.visible = False
    panel.table.native.selectRow(11)
    finish(viewer, "napari_compare")


def draw_scene(folder: Path) -> None:
    """A data set of new cells of that run."""
    new_cells.trained_runs.insert(0, str(folder / RUN))
    viewer, panel = opened(ScenePanel, [], folder)
    panel.sources.value = [str(folder / RUN)]
    panel.cells.value, panel.frames.value, panel.size.value = 5, 3, "24 96 96"
    run(panel)
    finish(viewer, "napari_scene")


DRAWN: dict[str, Callable[[Path], None]] = {
    "train": draw_training,
    "new-cells": draw_new_cells,
    "fill": draw_filled,
    "compare": draw_compared,
    "scene": draw_scene,
}


def opened(kind: type[Panel], layers: list[LayerData], folder: Path) -> tuple[Any, Any]:
    """A window with layers and a panel whose results go to a folder."""
    viewer = napari.Viewer(show=False)
    viewer.window._qt_window.resize(*WINDOW)
    for layer in layers:
        add_layer(viewer, layer)
    panel = kind(viewer)
    viewer.window.add_dock_widget(panel, name=f"{TITLES[kind]} (cytoform)", area="right")
    panel.reset_choices()
    panel.home.value = folder
    viewer.window._qt_window.show()
    return viewer, panel


def run(panel: Panel) -> None:
    """Run a job to its end, and print how long the window kept an event waiting during it and while it was shown."""
    began, waits = time.monotonic(), [watch()]

    def said(phase: str) -> None:
        waited, worked = waits.pop()()
        print(
            f"{panel.job}, {phase}: an event waited {waited:.3f} s at most, of which the window worked {worked:.3f} s"
        )

    panel.worker.succeeded.connect(lambda _: (said("at work"), waits.append(watch())))
    panel.start()
    until(lambda: panel.start_button.enabled)
    said("shown")
    print(f"  {time.monotonic() - began:.1f} s: {panel.line.value}", flush=True)


def until(done: Callable[[], bool]) -> None:
    """Handle events until something is so."""
    while not done():
        QApplication.processEvents()
        time.sleep(0.002)


def finish(viewer: Any, name: str, *, ndisplay: int = 3) -> None:
    """Write a picture of the window, with few colours, and close it."""
    viewer.dims.ndisplay = ndisplay
    viewer.reset_view()
    if ndisplay == 3:
        viewer.scene.camera.angles = (10, -25, 60)
    ends = time.monotonic() + 2
    until(lambda: time.monotonic() > ends)
    picture = viewer.window.screenshot(canvas_only=False, flash=False)
    Image.fromarray(picture).convert("RGB").quantize(COLOURS).save(PICTURES / f"{name}.png", optimize=True)
    viewer.close()


if __name__ == "__main__":
    main()

"""Draws the pictures of docs/napari.md by going through all panels: `xvfb-run -s '-screen 0 1400x900x24' python pictures.py`.

Also prints how long each job took, and how long the window kept an event waiting while it ran.
"""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import napari
import numpy as np
from PIL import Image
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QApplication

from cytoform_napari import samples
from cytoform_napari.compare import ComparePanel
from cytoform_napari.fill import FillPanel
from cytoform_napari.layers import LayerData
from cytoform_napari.new_cells import NewCellsPanel
from cytoform_napari.panel import Panel, add_layer
from cytoform_napari.scene import ScenePanel
from cytoform_napari.train import TrainPanel

PICTURES = Path(__file__).parents[1] / "docs" / "images"
WINDOW, COLOURS, TICK_MS = (1240, 760), 96, 10
TITLES: dict[type[Panel], str] = {
    TrainPanel: "Prepare and train",
    NewCellsPanel: "New cells",
    FillPanel: "Fill missing frames and planes",
    ComparePanel: "Compare",
    ScenePanel: "Benchmark data set",
}


def main() -> None:
    """From a label movie to new cells, and on to the other panels."""
    folder = Path(tempfile.mkdtemp(prefix="cytoform-napari-"))
    movie = samples.dividing_cells()
    viewer, train = opened(TrainPanel, movie, folder)
    run(train)
    shot(viewer, "napari_train")
    store, trained = train.arguments["store"], train.arguments["run"]
    viewer.close()

    viewer, new = opened(NewCellsPanel, [], folder)
    new.run.value, new.number.value = trained, 3
    run(new)
    viewer.layers[1].visible = False
    viewer.dims.set_point(1, 6)
    shot(viewer, "napari_new_cells")
    viewer.close()

    (frames, shown, kind), *_ = movie
    erased = np.array(frames)
    erased[4] = 0
    viewer, fill = opened(FillPanel, [(erased, shown, kind)], folder)
    run(fill)
    viewer.layers[0].visible = False
    viewer.dims.set_point(0, 4)
    shot(viewer, "napari_fill")
    viewer.close()

    from cytoform_napari.readers import read_folder

    viewer, compare = opened(ComparePanel, read_folder(Path(store)), folder)
    compare.reference.value, compare.other.value = store, trained
    run(compare)
    for layer in list(viewer.layers)[:2]:
        layer.visible = False
    compare.table.native.selectRow(11)
    shot(viewer, "napari_compare")
    viewer.close()

    viewer, scene = opened(ScenePanel, read_folder(Path(store)), folder)
    scene.sources.value = [trained]
    run(scene)
    for layer in list(viewer.layers)[:2]:
        layer.visible = False
    shot(viewer, "napari_scene", ndisplay=2)
    viewer.close()


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
    """Run a job to its end, and print its time and the longest wait of an event of the window."""
    waits = watch()
    began = time.monotonic()
    panel.start()
    until(lambda: panel.start_button.enabled)
    seconds = time.monotonic() - began
    longest, at_work = waits()
    print(f"{panel.job}: {seconds:.1f} s, longest wait {longest:.3f} s, while the worker ran {at_work:.3f} s")
    print(f"  {panel.line.value}", flush=True)


def watch() -> Callable[[], tuple[float, float]]:
    """Measure how late a timer comes: returns a function that gives the longest delay, and the 99.9th percentile."""
    late: list[float] = []
    timer, last = QTimer(), [time.monotonic()]

    def tick() -> None:
        now = time.monotonic()
        late.append(now - last[0] - TICK_MS / 1000)
        last[0] = now

    timer.timeout.connect(tick)
    timer.start(TICK_MS)

    def result() -> tuple[float, float]:
        timer.stop()
        return max(late), float(np.percentile(late, 99.9))

    return result


def until(done: Callable[[], bool]) -> None:
    """Handle events until something is so."""
    while not done():
        QApplication.processEvents()
        time.sleep(0.002)


def shot(viewer: Any, name: str, *, ndisplay: int = 3) -> None:
    """A picture of the window, with few colours."""
    viewer.dims.ndisplay = ndisplay
    viewer.reset_view()
    if ndisplay == 3:
        viewer.scene.camera.angles = (10, -25, 60)
    ends = time.monotonic() + 2
    until(lambda: time.monotonic() > ends)
    picture = viewer.window.screenshot(canvas_only=False, flash=False)
    Image.fromarray(picture).convert("RGB").quantize(COLOURS).save(PICTURES / f"{name}.png", optimize=True)


if __name__ == "__main__":
    main()

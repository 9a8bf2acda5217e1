"""A window without a screen, small cells, and a worker process that ends with its test."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

# The networks of the tests are tiny: a second thread only waits.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest

from balls import WAIT_MS, write_balls
from cytoform.runs.config import load_config
from cytoform.runs.stage import train
from cytoform_napari import panel as panels
from cytoform_napari.new_cells import trained_runs
from cytoform_napari.process import end_idle


@pytest.fixture(scope="session")
def stores(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Path]:
    """A store of balls by its number of dimensions."""
    folder = tmp_path_factory.mktemp("stores")
    return {n_dims: write_balls(folder / f"balls{n_dims}.zarr", n_dims) for n_dims in (2, 3)}


@pytest.fixture(scope="session")
def runs(stores: dict[int, Path]) -> dict[int, Path]:
    """A run that has learned the balls in components, by its number of dimensions."""
    found = {}
    for n_dims, store in stores.items():
        found[n_dims] = store.with_name(f"balls{n_dims}.run")
        train(store, found[n_dims], load_config(preset="linear", settings=["model.nodes=8"]))
    return found


@pytest.fixture
def open_panel(make_napari_viewer: Callable[[], Any], qtbot: Any, tmp_path: Path) -> Iterator[Callable[..., Any]]:
    """Opens a panel in a window; its results go to a temporary folder."""
    opened: list[Any] = []
    trained_runs.clear()

    def open_one(kind: type[panels.Panel], *layers: Any) -> Any:
        viewer = opened[0].viewer if opened else make_napari_viewer()
        for layer in layers:
            panels.add_layer(viewer, layer)
        panel = kind(viewer)
        viewer.window.add_dock_widget(panel)
        panel.reset_choices()
        panel.home.value = tmp_path
        opened.append(panel)
        return panel

    yield open_one
    for panel in opened:
        panel.close_worker()


@pytest.fixture
def run_to_end(qtbot: Any) -> Callable[[Any], str]:
    """Starts a panel and waits until its job has ended; returns the line that it says."""

    def run(panel: Any) -> str:
        panel.start()
        qtbot.waitUntil(lambda: panel.start_button.enabled, timeout=WAIT_MS)
        return panel.line.value

    return run


@pytest.fixture(scope="session", autouse=True)
def _no_process_is_left(qapp: Any) -> Iterator[None]:
    yield
    end_idle()

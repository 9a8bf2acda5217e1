"""The panel *Fill missing frames and planes*: a copy of a labels layer with its gaps filled, by a run if one is chosen."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from magicgui.widgets import CheckBox, ComboBox, FileEdit, LineEdit, SpinBox, create_widget
from napari.layers import Labels
from napari.viewer import Viewer

from cytoform_napari.layers import LayerData
from cytoform_napari.new_cells import OTHER, run_choices
from cytoform_napari.open_labels import open_labels, voxel_size_text, writer
from cytoform_napari.panel import HOME, Panel, free
from cytoform_napari.train import DEFAULT_GRID

NO_RUN = "none: from the data alone"


class FillPanel(Panel):
    """Fill frames that a label misses between two others, and planes where only every n-th has labels."""

    job = "fill"
    action = "Fill"

    def __init__(self, napari_viewer: Viewer) -> None:
        self.movie = create_widget(annotation=Labels, label="labels")
        self.selected = CheckBox(text="the selected label only", value=False)
        self.volume = CheckBox(text="a 3D layer is one volume, not a 2D movie", value=False)
        self.voxel_size = LineEdit(label="voxel size Z Y X (µm)")
        self.run = ComboBox(
            label="run", choices=lambda _: [NO_RUN, *(run for run in run_choices(napari_viewer) if run != OTHER)]
        )
        self.grid = SpinBox(label="voxels a side", value=DEFAULT_GRID, min=8, max=1024)
        self.workers = SpinBox(label="processes", value=1, min=1, max=256)
        self.home = FileEdit(label="save in", mode="d", value=HOME)
        self._placed: dict[str, Any] = {}
        fields = [
            self.movie,
            self.selected,
            self.volume,
            self.voxel_size,
            self.run,
            self.grid,
            self.workers,
            self.home,
        ]
        super().__init__(napari_viewer, fields)
        self.movie.changed.connect(self._look_at)
        self._look_at(self.movie.value)

    def _look_at(self, layer: Labels | None) -> None:
        self.voxel_size.value = voxel_size_text(layer)

    def request(self) -> tuple[dict[str, Any], Callable[[], object] | None]:
        layer = self.movie.value
        labels = open_labels(
            layer, voxel_size=self.voxel_size.value, volume=self.volume.value, selected=self.selected.value
        )
        self._placed = {
            "name": f"{layer.name} filled",
            "scale": layer.scale,
            "translate": layer.translate,
            "units": layer.units,
            "axis_labels": layer.axis_labels,
        }
        folder = free(Path(self.home.value), f"{labels.name}-filled", "")
        return {
            "labels": str(folder / "labels.npy"),
            "axes": labels.axes,
            "voxel_size_zyx_um": labels.voxel_size_zyx_um,
            "grid": self.grid.value,
            "run": None if self.run.value == NO_RUN else self.run.value,
            "folder": str(folder),
            "workers": self.workers.value,
        }, writer(labels, folder)

    def layers_of(self, result: dict[str, Any]) -> list[LayerData]:
        return [(np.load(result["labels"]), self._placed, "labels")]

    def shown(self, result: dict[str, Any], layers: list[Any]) -> str:
        planes = f", planes between every {result['every_plane']}th" if result["every_plane"] > 1 else ""
        ways = ", ".join(sorted(set(result["ways"].values())))
        return f"filled {result['n_frames']} frames{planes}" + (f", by {ways}" if ways else "")

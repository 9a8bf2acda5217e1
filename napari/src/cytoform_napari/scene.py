"""The panel *Benchmark data set*: many cells of the open runs and stores in one movie, with images, masks and tracks."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from magicgui.widgets import CheckBox, ComboBox, FileEdit, LineEdit, Select, SpinBox
from napari.viewer import Viewer

from cytoform.errors import InputError
from cytoform_napari.layers import LayerData
from cytoform_napari.movies import movie_layers
from cytoform_napari.new_cells import OTHER, run_choices
from cytoform_napari.panel import HOME, Panel, free, numbers, own_paths

TEXTURES = ("optics", "none")


class ScenePanel(Panel):
    """Make a movie of many cells from runs and stores, with images by the optics, exact masks and tracks."""

    job = "scene"
    action = "Make data set"

    def __init__(self, napari_viewer: Viewer) -> None:
        self.sources = Select(label="cells of", choices=lambda _: _sources(napari_viewer))
        self.cells = SpinBox(label="families", value=10, min=1, max=10_000)
        self.frames = SpinBox(label="frames", value=8, min=1, max=10_000)
        self.size = LineEdit(label="voxels Z Y X", value="32 160 160")
        self.voxel_size = LineEdit(label="voxel size Z Y X (µm)", value="1 0.5 0.5", tooltip="empty: that of the cells")
        self.time_step = LineEdit(label="time step (s)", tooltip="empty: that of the cells")
        self.texture = ComboBox(label="images", choices=TEXTURES)
        self.projection = CheckBox(text="2D movies of 3D cells", value=False)
        self.seed = SpinBox(label="seed", value=0, min=0, max=2**31 - 1)
        self.workers = SpinBox(label="processes", value=1, min=1, max=256)
        self.home = FileEdit(label="save in", mode="d", value=HOME)
        fields = [self.sources, self.cells, self.frames, self.size, self.voxel_size, self.time_step, self.texture]
        super().__init__(napari_viewer, [*fields, self.projection, self.seed, self.workers, self.home])

    def request(self) -> tuple[dict[str, Any], Callable[[], object] | None]:
        if not self.sources.value:
            raise InputError("cells of: choose at least one run or store")
        size, voxel_size = numbers(self.size.value, "voxels"), numbers(self.voxel_size.value, "voxel size")
        if len(size) != 3 or len(voxel_size) not in (0, 3):
            raise InputError("voxels and voxel size: give three numbers each, Z Y X; Z is 1 voxel for cells in images")
        steps = numbers(self.time_step.value, "time step")
        options = {
            "cells": self.cells.value,
            "frames": self.frames.value,
            "size_zyx": [int(n) for n in size],
            "voxel_size_zyx_um": voxel_size or None,
            "time_step_s": steps[0] if steps else None,
            "texture": self.texture.value,
            "projection": self.projection.value,
            "seed": self.seed.value,
        }
        out = free(Path(self.home.value), "data-set", "")
        return {"sources": self.sources.value, "out": str(out), "options": options, "workers": self.workers.value}, None

    def layers_of(self, result: dict[str, Any]) -> list[LayerData]:
        return movie_layers(Path(result["folder"]))

    def shown(self, result: dict[str, Any], layers: list[Any]) -> str:
        return f"{result['n_tracks']} tracks, {result['n_divisions']} divisions, saved as {result['folder']}"


def _sources(viewer: Viewer) -> list[str]:
    return [*own_paths(viewer, "store"), *(run for run in run_choices(viewer) if run != OTHER)]

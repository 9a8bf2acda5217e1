"""The panel *New cells*: cells that never existed, drawn from a run and added as labels and surfaces over time."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from magicgui.widgets import CheckBox, ComboBox, FileEdit, LineEdit, SpinBox
from napari.viewer import Viewer

import cytoform
from cytoform.errors import InputError
from cytoform_napari.layers import LayerData, cell_layers, surface_layers
from cytoform_napari.panel import HOME, Panel, free, own_paths
from cytoform_napari.sources import store_source

CHOSEN, OTHER = "chosen by measurement", "another folder …"
PRIORS = (CHOSEN, "gaussian", "around", "between", "covariance", "mixture", "compose", "graft")
trained_runs: list[str] = []  # in this session, newest first


class NewCellsPanel(Panel):
    """Draw new cells from a run: number, prior, requests such as size_um3=300±50, seed and voxels."""

    job = "new cells"
    action = "Make new cells"

    def __init__(self, napari_viewer: Viewer) -> None:
        self.run = ComboBox(label="run", choices=lambda _: run_choices(napari_viewer))
        self.folder = FileEdit(label="run folder", mode="d", visible=False)
        self.number = SpinBox(label="cells", value=4, min=1, max=1000)
        self.prior = ComboBox(label="prior", choices=PRIORS)
        self.requests = LineEdit(label="requests", tooltip="such as: size_um3=300±50; longest_protrusion_um>8")
        self.seed = SpinBox(label="seed", value=0, min=0, max=2**31 - 1)
        self.grid = SpinBox(label="voxels a side", value=0, min=0, max=1024, tooltip="0: as learned")
        self.frames = SpinBox(label="frames", value=0, min=0, max=1000, tooltip="0: as learned")
        self.surfaces = CheckBox(text="add surfaces", value=True)
        self.home = FileEdit(label="save in", mode="d", value=HOME)
        self.run.changed.connect(lambda run: setattr(self.folder, "visible", run == OTHER))
        fields = [self.run, self.folder, self.number, self.prior, self.requests, self.seed]
        super().__init__(napari_viewer, [*fields, self.grid, self.frames, self.surfaces, self.home])

    def request(self) -> tuple[dict[str, Any], Callable[[], object] | None]:
        run = str(self.folder.value) if self.run.value == OTHER else self.run.value
        if not run or run == ".":
            raise InputError("run: none is chosen; train one, or choose the folder of one")
        name = Path(run.removeprefix("zoo:")).name.removesuffix(".run")
        return {
            "run": run,
            "out": str(free(Path(self.home.value), f"{name}-new", ".zarr")),
            "n": self.number.value,
            "prior": None if self.prior.value == CHOSEN else self.prior.value,
            "where": [part.strip() for part in self.requests.value.split(";") if part.strip()],
            "seed": self.seed.value,
            "grid": self.grid.value or None,
            "frames": self.frames.value or None,
        }, None

    def layers_of(self, result: dict[str, Any]) -> list[LayerData]:
        source = store_source(Path(result["store"]))
        return [*cell_layers(source), *(surface_layers(source) if self.surfaces.value else [])]

    def shown(self, result: dict[str, Any], layers: list[Any]) -> str:
        return f"{self.arguments['n']} new cells, saved as {result['store']}"


def run_choices(viewer: Viewer) -> list[str]:
    """Runs of this session, runs of open layers, models that come with cytoform, and any other folder."""
    known = [*trained_runs, *own_paths(viewer, "run"), *(model.name for model in cytoform.models())]
    return [*dict.fromkeys(known), OTHER]

"""The panel *Prepare and train*: from the open labels layer to a run, and on to new cells with one more click."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from magicgui.widgets import CheckBox, ComboBox, FileEdit, LineEdit, PushButton, SpinBox, create_widget
from napari.layers import Labels, Tracks
from napari.viewer import Viewer

from cytoform.errors import InputError
from cytoform_napari import new_cells
from cytoform_napari.following import OWN
from cytoform_napari.layers import LayerData, cell_layers
from cytoform_napari.open_labels import lineage_of, open_labels, voxel_size_text, writer
from cytoform_napari.panel import HOME, Panel, free, numbers
from cytoform_napari.sources import store_source

PRESETS = ("auto", "linear", "parts", "quick", "unseen", "best", "thin", "paper")
DEFAULT_GRID = 64


class TrainPanel(Panel):
    """Prepare the cells of a labels layer and learn them. The window stays alive; *stop* keeps what is done."""

    job = "train"
    action = "Prepare and train"

    def __init__(self, napari_viewer: Viewer) -> None:
        self.movie = create_widget(annotation=Labels, label="labels")
        self.volume = CheckBox(text="a 3D layer is one volume, not a 2D movie", value=False)
        self.tracks = create_widget(annotation=Tracks | None, label="lineage")
        self.voxel_size = LineEdit(label="voxel size Z Y X (µm)")
        self.time_step = LineEdit(label="time step (s)", tooltip="empty: not known")
        self.grid = SpinBox(label="voxels a side", value=DEFAULT_GRID, min=8, max=1024)
        self.keep_cut = CheckBox(text="keep cells that the border cuts", value=False)
        self.keep_gaps = CheckBox(text="keep cells with missing frames", value=False)
        self.preset = ComboBox(label="preset", choices=PRESETS)
        self.settings = LineEdit(label="settings", tooltip="such as: training.epochs=100 data.align=principal")
        self.seed = SpinBox(label="seed", value=0, min=0, max=2**31 - 1)
        self.workers = SpinBox(label="processes", value=1, min=1, max=256)
        self.home = FileEdit(label="save in", mode="d", value=HOME)
        self.go_on = PushButton(text="New cells", enabled=False)
        self._stopped_job: dict[str, Any] | None = None
        self._run = ""
        fields = [self.movie, self.volume, self.tracks, self.voxel_size, self.time_step, self.grid, self.keep_cut]
        more = [self.keep_gaps, self.preset, self.settings, self.seed, self.workers, self.home]
        super().__init__(napari_viewer, [*fields, *more], [self.go_on])
        for field in (*fields, *more):
            field.changed.connect(self._begin_anew)
        self.movie.changed.connect(self._look_at)
        self.go_on.changed.connect(self._make_new_cells)
        self._look_at(self.movie.value)

    def _look_at(self, layer: Labels | None) -> None:
        """Fill in the scale of the chosen layer, and choose the tracks that have its name."""
        self.voxel_size.value = voxel_size_text(layer)
        step_s = None if layer is None else layer.metadata.get(OWN, {}).get("time_step_s")
        self.time_step.value = "" if step_s is None else f"{step_s:g}"
        self.tracks.reset_choices()
        named = [tracks for tracks in self.tracks.choices if tracks and layer and tracks.name == f"{layer.name} tracks"]
        if named:
            self.tracks.value = named[0]

    def request(self) -> tuple[dict[str, Any], Callable[[], object] | None]:
        if self._stopped_job is not None:
            return self._stopped_job, None
        labels = open_labels(self.movie.value, voxel_size=self.voxel_size.value, volume=self.volume.value)
        steps = numbers(self.time_step.value, "time step")
        if len(steps) > 1 or any(step <= 0 for step in steps):
            raise InputError(
                f"time step: '{self.time_step.value}' is no positive number of seconds; write one, or none"
            )
        home = Path(self.home.value)
        run = free(home, labels.name, ".run")
        folder = free(home, f"{labels.name}-labels", "")
        arguments = {
            "labels": str(folder / "labels.npy"),
            "axes": labels.axes,
            "voxel_size_zyx_um": labels.voxel_size_zyx_um,
            "time_step_s": steps[0] if steps else None,
            "grid": self.grid.value,
            "keep_cut": self.keep_cut.value,
            "keep_gaps": self.keep_gaps.value,
            "preset": self.preset.value,
            "settings": self.settings.value.split(),
            "seed": self.seed.value,
            "workers": self.workers.value,
            "store": str(free(home, labels.name, ".zarr")),
            "run": str(run),
        }
        return arguments, writer(labels, folder, lineage_of(self.tracks.value, labels))

    def start(self) -> None:
        self.go_on.enabled = False
        super().start()

    def layers_of(self, result: dict[str, Any]) -> list[LayerData]:
        return cell_layers(store_source(Path(result["store"])))

    def shown(self, result: dict[str, Any], layers: list[Any]) -> str:
        self._run = result["run"]
        new_cells.trained_runs.insert(0, self._run)
        self._begin_anew()
        self.go_on.enabled = True
        left_out = f", {result['n_left_out']} left out" if result["n_left_out"] else ""
        return f"learned {result['n_cells']} cells{left_out}; prior {result['prior']}; saved as {self._run}"

    def _stopped(self) -> None:
        super()._stopped()
        self._stopped_job, self.start_button.text = self.arguments, "Go on"
        self.line.value = "stopped; Go on continues, any change of a field begins anew"

    def _begin_anew(self) -> None:
        self._stopped_job, self.start_button.text = None, self.action

    def _make_new_cells(self) -> None:
        """Open the panel *New cells* with this run and start it."""
        panel = new_cells.NewCellsPanel(self.viewer)
        self.viewer.window.add_dock_widget(panel, name="New cells")
        panel.reset_choices()
        panel.run.value = self._run
        panel.home.value = self.home.value
        panel.start()

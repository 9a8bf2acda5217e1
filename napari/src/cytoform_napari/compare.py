"""The panel *Compare*: surfaces coloured by their error, and a table of measures whose rows move the viewer."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from magicgui.widgets import ComboBox, FileEdit, Table
from napari.viewer import Viewer

from cytoform.assess.measures.signed_error import signed_errors_um
from cytoform.errors import InputError
from cytoform.shapes.boundary import Boundary
from cytoform.shapes.mesh import Mesh
from cytoform_napari.following import SEQUENCE
from cytoform_napari.layers import TIME, LayerData, surface_layers
from cytoform_napari.new_cells import trained_runs
from cytoform_napari.panel import HOME, Panel, free, own_paths
from cytoform_napari.sources import CellSource, store_source

ERRORS = "errors (µm)"


class ComparePanel(Panel):
    """Compare a store, or the learned cells of a run, with a store of the same cells."""

    job = "compare"
    action = "Compare"

    def __init__(self, napari_viewer: Viewer) -> None:
        self.reference = ComboBox(label="reference", choices=lambda _: own_paths(napari_viewer, "store"))
        self.other = ComboBox(label="compared", choices=lambda _: _compared(napari_viewer))
        self.home = FileEdit(label="save in", mode="d", value=HOME)
        self.table = Table(value={"cell": [], "frame": []})
        self.table.read_only = True
        self._cells: list[str] = []
        self._rows: list[list[Any]] = []
        super().__init__(napari_viewer, [self.reference, self.other, self.home])
        self.table.label = ""
        self.append(self.table)
        self.table.native.setMinimumHeight(200)
        self.table.native.itemSelectionChanged.connect(self._go_to_row)
        napari_viewer.dims.events.current_step.connect(self._select_row)

    def request(self) -> tuple[dict[str, Any], Callable[[], object] | None]:
        if self.reference.value is None or self.other.value is None:
            raise InputError("compare: open the shape store of the cells, and a store or run of the same cells")
        if self.reference.value == self.other.value:
            raise InputError(f"{self.other.value}: compared with itself; choose another store, or a run")
        rendered = free(Path(self.home.value), f"{Path(self.other.value).stem}-reconstructed", ".zarr")
        return {"reference": self.reference.value, "other": self.other.value, "rendered": str(rendered)}, None

    def layers_of(self, result: dict[str, Any]) -> list[LayerData]:
        reference, other = (store_source(Path(result[side])) for side in ("reference", "other"))
        if other.grid.n_dims == 2:
            return [*surface_layers(reference, colour="white"), *surface_layers(other)]
        return surface_layers(other, errors=_errors_to(reference), name=f"{other.title} {ERRORS}")

    def shown(self, result: dict[str, Any], layers: list[Any]) -> str:
        self._rows = result["rows"]
        self._cells = list(dict.fromkeys(row[0] for row in result["rows"]))
        columns = {name: [row[n] for row in result["rows"]] for n, name in enumerate(result["columns"])}
        self.table.value = columns
        jaccard = np.mean([value for value in columns["jaccard"] if value is not None])
        most = f", colours up to {layers[0].contrast_limits[1]:.3g} µm" if hasattr(layers[0], "contrast_limits") else ""
        return f"{len(self._cells)} cells: mean Jaccard index {jaccard:.3f}{most}"

    def _go_to_row(self) -> None:
        """Show the cell and frame of the chosen row."""
        rows = {item.row() for item in self.table.native.selectedItems()}
        if len(rows) != 1 or not self._cells:
            return
        cell, frame = self._rows[rows.pop()][:2]
        labels = self.viewer.dims.axis_labels
        if SEQUENCE in labels:
            self.viewer.dims.set_point(labels.index(SEQUENCE), self._cells.index(cell))
        if TIME in labels:
            self.viewer.dims.set_point(labels.index(TIME), int(frame))

    def _select_row(self) -> None:
        """Mark the row of the cell and frame that are shown."""
        labels, point = self.viewer.dims.axis_labels, self.viewer.dims.point
        if not self._cells or TIME not in labels:
            return
        number = round(point[labels.index(SEQUENCE)]) if SEQUENCE in labels else 0
        here = [self._cells[min(number, len(self._cells) - 1)], round(point[labels.index(TIME)])]
        rows = [number for number, row in enumerate(self._rows) if row[:2] == here]
        if rows:
            native = self.table.native
            native.blockSignals(True)
            native.selectRow(rows[0])
            native.blockSignals(False)


def _compared(viewer: Viewer) -> list[str]:
    return list(dict.fromkeys([*trained_runs, *own_paths(viewer, "run", "store")]))


def _errors_to(reference: CellSource) -> Callable[[int, int, Boundary], np.ndarray]:
    """Signed distances in µm of the vertices of a surface to that of the same cell and frame, positive outside."""

    def errors(number: int, frame: int, boundary: Boundary) -> np.ndarray:
        known = reference.box(number, frame).mesh()
        if known is None or not isinstance(boundary, Mesh):
            return np.zeros(len(boundary.vertices_um))
        return signed_errors_um(boundary, known)

    return errors

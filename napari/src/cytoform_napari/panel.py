"""What all panels share: a button that starts a job, one that stops it, progress, and faults as notifications."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from magicgui.widgets import Container, Label, ProgressBar, PushButton, Widget
from napari.layers import Layer
from napari.qt.threading import create_worker
from napari.utils.notifications import show_error, show_info
from napari.viewer import Viewer
from qtpy.compat import isalive
from qtpy.QtCore import Qt, QTimer

from cytoform.errors import InputError
from cytoform_napari.following import OWN, follow
from cytoform_napari.layers import LayerData
from cytoform_napari.process import Worker

HOME = Path.home() / "cytoform"
STEPS = 1000  # of the progress bar
LINE_HEIGHT = 190  # pixels: faults and results take up to nine lines of a narrow panel


class Panel(Container):
    """A column of fields with *start* and *stop*. A subclass gives `request`, `layers_of` and `shown`."""

    job = ""
    action = "Start"

    def __init__(self, viewer: Viewer, fields: Sequence[Widget], more: Sequence[Widget] = ()) -> None:
        self.viewer = viewer
        self.arguments: dict[str, Any] = {}  # of the latest job
        self.start_button = PushButton(text=self.action)
        self.stop_button = PushButton(text="Stop", enabled=False)
        self.bar = ProgressBar(min=0, max=STEPS, value=0, visible=False)
        self.line = Label(value="")
        buttons = Container(widgets=[self.start_button, self.stop_button, *more], layout="horizontal", labels=False)
        below: list[Widget] = [buttons, self.bar, self.line]
        for widget in below:
            widget.label = ""
        super().__init__(widgets=[*fields, *below])
        self.line.native.setWordWrap(True)
        self.line.native.setMinimumHeight(LINE_HEIGHT)
        self.line.native.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.worker = Worker(self.native)
        self.worker.progressed.connect(self._progressed)
        self.worker.succeeded.connect(self._succeeded)
        self.worker.failed.connect(self._failed)
        self.worker.stopped.connect(self._stopped)
        self.start_button.changed.connect(self.start)
        self.stop_button.changed.connect(self.worker.stop)

    def request(self) -> tuple[dict[str, Any], Callable[[], object] | None]:
        """The arguments of the job, and work to be done in a thread before it. Raises InputError."""
        raise NotImplementedError

    def layers_of(self, result: dict[str, Any]) -> list[LayerData]:
        """The layers that show a result, made in a thread. May raise InputError."""
        raise NotImplementedError

    def shown(self, result: dict[str, Any], layers: list[Any]) -> str:
        """Called when its layers have been added; returns a line that sums the result up."""
        raise NotImplementedError

    def start(self) -> None:
        """Send the job of the fields to the worker process."""
        if self.worker.is_busy:
            return
        try:
            arguments, before = self.request()
        except InputError as fault:
            self._failed(str(fault))
            return
        self.arguments = arguments
        self._set_busy(True, "starting")
        if before is None:
            self.worker.start(self.job, arguments)
        else:
            self._in_thread(before, lambda _: self.worker.start(self.job, arguments))

    def _in_thread(self, work: Callable[..., object], then: Callable[[Any], object], *arguments: object) -> None:
        create_worker(
            work,
            *arguments,
            _connect={"returned": then, "errored": lambda fault: self._failed(str(fault))},
        )

    def close_worker(self) -> None:
        """End the worker process."""
        self.worker.close()

    def _progressed(self, text: str, done: float, total: float) -> None:
        self.bar.value = round(STEPS * min(done / total, 1)) if total else 0
        self.line.value = text

    def _succeeded(self, result: dict[str, Any]) -> None:
        self.line.value = "adding layers"

        self._in_thread(self.layers_of, lambda layers: self._add(result, layers, []), result)

    def _add(self, result: dict[str, Any], layers: list[LayerData], added: list[Any]) -> None:
        """Add one layer, and the next after the events that wait: each takes a tenth of a second.

        Nothing more is added once the panel has been closed.
        """
        if not isalive(self.native):
            return
        if layers:
            added.append(add_layer(self.viewer, layers[0]))
            QTimer.singleShot(0, lambda: self._add(result, layers[1:], added))
            return
        said = self.shown(result, added)
        self._set_busy(False, said)
        show_info(said)

    def _failed(self, line: str) -> None:
        self._set_busy(False, line)
        show_error(line)

    def _stopped(self) -> None:
        self._set_busy(False, "stopped")

    def _set_busy(self, busy: bool, line: str) -> None:
        self.start_button.enabled, self.stop_button.enabled = not busy, busy
        self.bar.visible, self.bar.value = busy, 0
        self.line.value = line


def add_layer(viewer: Viewer, layer: LayerData) -> Any:
    """Add a layer, and return it. Tracks follow the slider for sequences."""
    added = viewer.add_layer(Layer.create(*layer))
    follow(viewer, added)
    return added


def own_paths(viewer: Viewer, *kinds: str) -> list[str]:
    """Stores or runs that layers of the viewer show."""
    facts = [layer.metadata.get(OWN, {}) for layer in viewer.layers]
    return list(dict.fromkeys(fact["path"] for fact in facts if fact.get("kind") in kinds and "path" in fact))


def free(folder: Path, name: str, ending: str) -> Path:
    """A path in a folder that is not taken: NAME.ENDING, or NAME-2.ENDING and so on."""
    folder.mkdir(parents=True, exist_ok=True)
    number, path = 1, folder / f"{name}{ending}"
    while path.exists():
        number += 1
        path = folder / f"{name}-{number}{ending}"
    return path


def numbers(text: str, wanted: str) -> list[float]:
    """Numbers separated by spaces or commas. Raises InputError that says what is wanted."""
    try:
        return [float(part) for part in text.replace(",", " ").split()]
    except ValueError:
        raise InputError(f"{wanted}: '{text}' is no list of numbers; write numbers with spaces between them") from None

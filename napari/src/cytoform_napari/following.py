"""A layer of tracks that follows the sequence slider: napari's tracks have no axis for sequences."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakSet

import numpy as np
from napari.layers import Tracks
from napari.qt.threading import create_worker
from napari.viewer import Viewer, current_viewer

SEQUENCE = "sequence"  # the axis of the slider
OWN, TRACKS_OF = "cytoform", "tracks_of"  # keys of our facts in the metadata of a layer, and of the function in them
_watched: WeakSet[Viewer] = WeakSet()


@dataclass(frozen=True)
class SequenceTracks:
    """Rows (track, frame, z, y, x) in µm, the mother of each daughter's track, and features of each row."""

    rows: np.ndarray
    graph: dict[int, list[int]] = field(default_factory=dict)
    features: dict[str, np.ndarray] = field(default_factory=dict)


TracksOf = Callable[[str], SequenceTracks]


def tracks_layer(
    name: str, names: Sequence[str], tracks_of: TracksOf, axes: str, facts: dict[str, Any], **shown: Any
) -> tuple[np.ndarray, dict[str, Any], str]:
    """A layer with the tracks of the first of some sequences; the others follow the slider once it is in a viewer."""
    first = tracks_of(names[0])
    about = {
        "name": name,
        "graph": first.graph,
        "features": first.features,
        "axis_labels": ("t", *axes),
        "units": ("pixel",) + ("um",) * len(axes),
        "metadata": {OWN: facts | {"names": list(names), TRACKS_OF: tracks_of}},
    }
    return _drawn(first, len(axes)), about | shown, "tracks"


def follow(viewer: Viewer, layer: Any) -> None:
    """Let a layer of `tracks_layer` show the sequence on the slider, now and whenever it moves. Others are left alone."""
    facts = layer.metadata.get(OWN, {})
    tracks_of = facts.pop(TRACKS_OF, None)
    if tracks_of is None or len(facts["names"]) < 2:
        return
    shown = [facts["names"][0]]

    def put(name: str | None, tracks: SequenceTracks) -> None:
        if name == shown[0] and layer in viewer.layers:  # the slider has not moved on
            _show(layer, tracks)

    def moved() -> None:
        name = _on_slider(viewer, facts["names"])
        if name == shown[0]:
            return
        shown[0] = name
        if name is None:
            put(None, SequenceTracks(np.empty((0, layer.data.shape[1]))))
        else:  # in a thread, since all frames have to be read
            create_worker(tracks_of, name, _connect={"returned": lambda tracks: put(name, tracks)})

    viewer.dims.events.current_step.connect(moved)
    moved()


def follow_opened() -> None:
    """Let layers that a reader gives to the current viewer follow its slider."""
    viewer = current_viewer()
    if viewer is not None and viewer not in _watched:
        _watched.add(viewer)
        viewer.layers.events.inserted.connect(lambda event: follow(viewer, event.value))


def _on_slider(viewer: Viewer, names: Sequence[str]) -> str | None:
    """The sequence on the slider, of the first layer that has all of these sequences along it; None for another one."""
    labels = viewer.dims.axis_labels
    number = round(viewer.dims.point[labels.index(SEQUENCE)]) if SEQUENCE in labels else 0
    along = [
        layer.metadata.get(OWN, {}).get("names", []) for layer in viewer.layers if SEQUENCE in tuple(layer.axis_labels)
    ]
    order = next((found for found in along if set(names) <= set(found)), names)
    return order[number] if number < len(order) and order[number] in names else None


def _show(layer: Tracks, tracks: SequenceTracks) -> None:
    layer.data = _drawn(tracks, layer.data.shape[1] - 2)
    layer.graph = tracks.graph
    if len(tracks.rows):
        layer.features = tracks.features


def _drawn(tracks: SequenceTracks, n_dims: int) -> np.ndarray:
    """The rows; without any, one point, which is not drawn: a layer of tracks cannot be empty."""
    return tracks.rows if len(tracks.rows) else np.array([[1.0, 0.0] + [0.0] * n_dims])

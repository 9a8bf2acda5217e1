"""Layers of label movies with lineage, of benchmark data sets with their images, and of tracked protrusions."""

import csv
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import dask.array as da
import numpy as np
from dask.delayed import delayed

from cytoform.errors import InputError
from cytoform.movies.lineage import Track
from cytoform.movies.movie import LabelMovie
from cytoform.movies.readers import open_movies
from cytoform.protrusions.tables import SIGHTINGS
from cytoform_napari.following import OWN, SequenceTracks, tracks_layer
from cytoform_napari.layers import TIME, LayerData

MOST_TRACKED_VOXELS = 200_000_000  # tracks of a movie need all of its frames read at once


def movie_layers(folder: Path) -> list[LayerData]:
    """The label movies of a Cell Tracking Challenge folder, with tracks; of a benchmark data set, its images too.

    Raises InputError.
    """
    layers = []
    for movie in open_movies(folder):
        layers += [*_image_layers(folder, movie), *_label_layers(movie)]
    return layers


def _label_layers(movie: LabelMovie) -> list[LayerData]:
    flat = movie.n_dims == 2
    shape = movie.shape_zyx[1:] if flat else movie.shape_zyx

    def frame(number: int) -> np.ndarray:
        return movie.read(number).reshape(shape)

    frames = [da.from_delayed(delayed(frame, pure=True)(t), shape, np.uint16) for t in range(movie.n_frames)]
    placed = placement(movie.spacing_zyx_um[-movie.n_dims :])
    facts = {OWN: {"path": movie.source, "kind": "movie", "time_step_s": movie.time_step_s}}
    layers: list[LayerData] = [(da.stack(frames), {"name": movie.name, **placed, "metadata": facts}, "labels")]
    if movie.lineage is not None and movie.n_frames * np.prod(shape, dtype=float) <= MOST_TRACKED_VOXELS:
        layers += label_track_layers(
            movie.name, [frame(t) for t in range(movie.n_frames)], movie.lineage.tracks, placed
        )
    return layers


def label_track_layers(
    name: str, frames: Sequence[np.ndarray], tracks: Sequence[Track], placed: dict[str, Any]
) -> list[LayerData]:
    """The tracks of labels as a layer: centroids, and the mother of each daughter."""
    from scipy.ndimage import center_of_mass

    wanted = {track.label for track in tracks}
    rows = []
    for t, labels in enumerate(frames):
        present = [label for label in np.unique(labels) if label in wanted]
        centres = center_of_mass(labels > 0, labels, present)
        rows += [(int(label), t, *centre) for label, centre in zip(present, centres, strict=True)]
    if not rows:
        return []
    seen = {row[0] for row in rows}
    graph = {track.label: [track.parent] for track in tracks if {track.label, track.parent} <= seen}
    return [(np.array(sorted(rows), float), {"name": f"{name} tracks", "graph": graph, **placed}, "tracks")]


def placement(spacing_um: Sequence[float]) -> dict[str, Any]:
    """Scale, units and axes of a movie with these voxels."""
    n = len(spacing_um)
    return {
        "scale": (1.0, *spacing_um),
        "units": ("pixel",) + ("um",) * n,
        "axis_labels": (TIME, *"zyx"[-n:]),
    }


def _image_layers(folder: Path, movie: LabelMovie) -> list[LayerData]:
    """The images of a benchmark data set, which lie beside its labels as OME-Zarr."""
    image = next((path for path in folder.glob("*.ome.zarr") if path.name.partition(".")[0] in movie.name), None)
    if image is None or not (image / "0").is_dir():
        return []
    placed = placement(movie.spacing_zyx_um[-movie.n_dims :])
    return [
        (da.from_zarr(image, component="0"), {"name": f"{movie.name} image", "colormap": "gray", **placed}, "image")
    ]


def protrusion_layers(folder: Path) -> list[LayerData]:
    """Tips of tracked protrusions as tracks of the sequence on the slider. Reads the folder of `cytoform protrusions`."""
    rows: dict[str, list[dict[str, str]]] = defaultdict(list)
    with (folder / SIGHTINGS).open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            rows[row["sequence"]].append(row)
    if not rows:
        raise InputError(f"{folder / SIGHTINGS}: no protrusion in any frame, so there is nothing to show")
    names = list(rows)
    axes = "".join(axis for axis in "zyx" if f"tip_{axis}_um" in rows[names[0]][0])
    title = f"{names[0] if len(names) == 1 else folder.name} protrusions"
    facts = {"path": str(folder), "kind": "protrusions"}
    return [tracks_layer(title, names, lambda name: _tips(rows[name], axes), axes, facts)]


def _tips(rows: list[dict[str, str]], axes: str) -> SequenceTracks:
    rows = sorted(rows, key=lambda row: (int(row["protrusion"]), int(row["frame"])))
    columns = ["protrusion", "frame", *(f"tip_{axis}_um" for axis in axes)]
    features = {key: np.array([float(row[key]) for row in rows]) for key in ("length_um", "radius_um", "parent")}
    return SequenceTracks(np.array([[float(row[key]) for key in columns] for row in rows]), features=features)

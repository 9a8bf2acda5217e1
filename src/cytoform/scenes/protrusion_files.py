"""The protrusions of a data set as files: two tables and a graph.

protrusions.csv         one row a protrusion and frame: its cell, its parent, root and tip, length and radius
protrusion_tracks.csv   one row a protrusion: first and last frame, lifetime, largest length
protrusions.geff        the tips as a graph (GEFF): a node per protrusion and frame, edges forward in time
"""

import csv
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import tifffile

from cytoform.base.geff import write_geff
from cytoform.base.parallel import run_all
from cytoform.base.triples import Floats, Triple
from cytoform.scenes.dataset import Dataset
from cytoform.scenes.protrusions import FollowedProtrusions
from cytoform.shapes.grid import AXES

SIGHTINGS, TRACKS, GRAPH = "protrusions.csv", "protrusion_tracks.csv", "protrusions.geff"
DIGITS = 4  # of lengths in µm


def write_protrusions(followed: FollowedProtrusions, dataset: Dataset, *, geff: bool, labels: str | None) -> None:
    """Write all files of a data set; `labels` is the path of the label images, for the graph."""
    _write_rows(dataset.folder / SIGHTINGS, _sighting_rows(followed, dataset.view.n_dims))
    _write_rows(dataset.folder / TRACKS, _track_rows(followed, dataset.time_step_s))
    if geff:
        _write_graph(dataset.folder / GRAPH, followed, dataset, labels)


def look_for(followed: FollowedProtrusions, dataset: Dataset, *, workers: int) -> FollowedProtrusions:
    """The protrusions, and whether the finished masks of a data set show their tips."""
    cells = {track.number: track.cell for track in followed.tracks}
    by_frame: dict[int, list[tuple[int, Triple]]] = {}
    for seen in followed.sightings:
        by_frame.setdefault(seen.frame, []).append((cells[seen.protrusion], seen.tip_zyx_um))
    tasks = [(dataset, frame, tips) for frame, tips in by_frame.items()]
    shown = [each for frame in run_all(_shown, tasks, workers=workers) for each in frame]
    sightings = [replace(seen, is_visible=there) for seen, there in zip(followed.sightings, shown, strict=True)]
    return replace(followed, sightings=tuple(sightings))


def _shown(dataset: Dataset, frame: int, tips: Sequence[tuple[int, Triple]]) -> list[bool]:
    """Whether the voxel (pixel) of each tip, or one next to it, has the label of the cell."""
    number = dataset.challenge.number(frame)
    labels = tifffile.imread(dataset.folder / f"{dataset.sequence}_GT" / "TRA" / f"man_track{number}.tif")
    labels = labels.reshape(dataset.shape_zyx)
    shown = []
    for cell, tip_zyx_um in tips:
        voxel = np.floor(np.array(tip_zyx_um) / dataset.view.seen_spacing_zyx_um).astype(int)
        if dataset.view.is_flat:
            voxel[0] = 0
        around = tuple(slice(max(int(place) - 1, 0), max(int(place) + 2, 0)) for place in voxel)
        shown.append(bool((labels[around] == cell).any()))
    return shown


def _sighting_rows(followed: FollowedProtrusions, n_dims: int) -> Iterable[dict[str, Any]]:
    tracks = {track.number: track for track in followed.tracks}
    for seen in followed.sightings:
        track = tracks[seen.protrusion]
        yield {
            "frame": seen.frame,
            "cell": track.cell,
            "protrusion": track.number,
            "parent": track.parent,
            **_place("root", seen.root_zyx_um[-n_dims:]),
            **_place("tip", seen.tip_zyx_um[-n_dims:]),
            "length_um": round(seen.length_um, DIGITS),
            "radius_um": round(seen.radius_um, DIGITS),
            "visible": int(seen.is_visible),
        }


def _track_rows(followed: FollowedProtrusions, time_step_s: float) -> Iterable[dict[str, Any]]:
    lengths: dict[int, list[float]] = {}
    radii: dict[int, list[float]] = {}
    for seen in followed.sightings:
        lengths.setdefault(seen.protrusion, []).append(seen.length_um)
        radii.setdefault(seen.protrusion, []).append(seen.radius_um)
    for track in followed.tracks:
        yield {
            "protrusion": track.number,
            "cell": track.cell,
            "parent": track.parent,
            "first": track.first,
            "last": track.last,
            "born": int(track.is_born),
            "ended": int(track.has_ended),
            "lifetime_s": round(track.n_frames * time_step_s, DIGITS),
            "longest_um": round(max(lengths[track.number]), DIGITS),
            "mean_radius_um": round(float(np.mean(radii[track.number])), DIGITS),
        }


def _place(name: str, at_um: Floats) -> dict[str, float]:
    return {f"{name}_{axis}_um": round(um, DIGITS) for axis, um in zip(AXES[-len(at_um) :], at_um, strict=True)}


def _write_rows(path: Path, rows: Iterable[dict[str, Any]]) -> None:
    """A table with its names in the first line; without rows an empty file."""
    found = list(rows)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(found[0]) if found else [], lineterminator="\n")
        writer.writeheader()
        writer.writerows(found)


def _write_graph(path: Path, followed: FollowedProtrusions, dataset: Dataset, labels: str | None) -> None:
    """A node has the place of the tip; branches have their parent as a number, since an edge means the same protrusion."""
    tracks = {track.number: track for track in followed.tracks}
    seen = followed.sightings
    number_of = {(each.protrusion, each.frame): number for number, each in enumerate(seen)}
    edges = [
        (number_of[track.number, frame], number_of[track.number, frame + 1])
        for track in followed.tracks
        for frame in range(track.first, track.last)
    ]
    places = {
        f"{name}{axis}": np.array([getattr(each, place)[i] for each in seen], float)
        for name, place in (("", "tip_zyx_um"), ("root_", "root_zyx_um"))
        for i, axis in list(enumerate(AXES))[-dataset.view.n_dims :]
    }
    values = {
        "t": np.array([each.frame for each in seen], float),
        **places,
        "protrusion": np.array([each.protrusion for each in seen], np.uint64),
        "parent": np.array([tracks[each.protrusion].parent for each in seen], np.uint64),
        "cell": np.array([tracks[each.protrusion].cell for each in seen], np.uint16),
        "length": np.array([each.length_um for each in seen], float),
        "radius": np.array([each.radius_um for each in seen], float),
        "visible": np.array([each.is_visible for each in seen], bool),
    }
    write_geff(
        path,
        values,
        np.array(edges, np.uint64).reshape(-1, 2),
        time_step_s=dataset.time_step_s,
        tracks={"tracklet": "protrusion"},
        labels=None if labels is None else (labels, "cell"),
    )

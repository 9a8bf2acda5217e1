"""The protrusions of a shape store as files: two tables, and a graph for each sequence.

protrusions.csv         one row a protrusion and frame: root, tip, length, radius; for a branch its place on its parent
protrusion_tracks.csv   one row a protrusion: first and last frame, lifetime, largest length, speeds
NAME.geff               the tips of a sequence as a graph (GEFF): a node per protrusion and frame, edges forward in time

Frames count from 0, protrusions of a sequence from 1; parent 0 is the body. Places are in µm from the corner of the cube;
those of cells in images have no z.
"""

import csv
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np

from cytoform.base.geff import write_geff
from cytoform.protrusions.parts import PartsOfSequence
from cytoform.protrusions.tracks import Track
from cytoform.shapes.grid import AXES

SIGHTINGS, TRACKS = "protrusions.csv", "protrusion_tracks.csv"
DIGITS = 4  # of lengths in µm
Row = dict[str, str | int | float | None]
SIGHTING_COLUMNS = {
    n_dims: (
        "sequence",
        "frame",
        "time_s",
        "protrusion",
        "parent",
        *(f"{end}_{axis}_um" for end in ("root", "tip") for axis in AXES[-n_dims:]),
        "length_um",
        "radius_um",
        "at_um",
    )
    for n_dims in (3, 2)
}
TRACK_COLUMNS = (
    "sequence",
    "protrusion",
    "parent",
    "first",
    "last",
    "frames",
    "born",
    "ended",
    "lifetime_s",
    "longest_um",
    "mean_radius_um",
    "growth_um_per_min",
    "withdrawal_um_per_min",
)


def write_tables(folder: Path, sequences: Sequence[PartsOfSequence], *, n_dims: int) -> None:
    """Write both tables; a value that is not known stays empty, as times do without a time step."""
    _write(folder / SIGHTINGS, SIGHTING_COLUMNS[n_dims], (row for parts in sequences for row in sighting_rows(parts)))
    _write(folder / TRACKS, TRACK_COLUMNS, (track_row(track, parts) for parts in sequences for track in parts.tracks))


def sighting_rows(parts: PartsOfSequence) -> Iterator[Row]:
    """One row for each protrusion of each frame, in order of frames."""
    step_s = parts.time_step_s
    for frame in range(parts.n_frames):
        for track in parts.tracks:
            if (curve := track.curves.get(frame)) is None:
                continue
            ends = {"root": curve.line_zyx_um[0], "tip": curve.line_zyx_um[-1]}
            yield {
                "sequence": parts.name,
                "frame": frame,
                "time_s": None if step_s is None else _rounded(frame * step_s),
                "protrusion": track.label,
                "parent": track.parent or 0,
                **{
                    f"{end}_{axis}_um": _rounded(um)
                    for end, at in ends.items()
                    for axis, um in zip(AXES[-len(at) :], at, strict=True)
                },
                "length_um": _rounded(curve.length_um),
                "radius_um": _rounded(curve.radius_um),
                "at_um": None if track.parent is None else _rounded(curve.at_um),
            }


def track_row(track: Track, parts: PartsOfSequence) -> Row:
    """The row of one protrusion. It is born, or has ended, where the movie shows a frame without it before, or after."""
    curves, step_s = list(track.curves.values()), parts.time_step_s
    growth, withdrawal = _changes_um(track)
    minutes = None if step_s is None else step_s / 60
    return {
        "sequence": parts.name,
        "protrusion": track.label,
        "parent": track.parent or 0,
        "first": track.first,
        "last": track.last,
        "frames": len(curves),
        "born": int(track.first > 0),
        "ended": int(track.last < parts.n_frames - 1),
        "lifetime_s": None if step_s is None else _rounded((track.last - track.first + 1) * step_s),
        "longest_um": _rounded(max(curve.length_um for curve in curves)),
        "mean_radius_um": _rounded(float(np.mean([curve.radius_um for curve in curves]))),
        "growth_um_per_min": _speed(growth, minutes),
        "withdrawal_um_per_min": _speed(withdrawal, minutes),
    }


def write_graph(path: Path, parts: PartsOfSequence, *, n_dims: int) -> None:
    """Write the graph of a sequence. A branch has its parent as a number, since an edge means the same protrusion."""
    seen = [(track, frame) for track in parts.tracks for frame in sorted(track.curves)]
    curves = [track.curves[frame] for track, frame in seen]
    number_of = {(track.label, frame): number for number, (track, frame) in enumerate(seen)}
    edges = [
        (number_of[track.label, before], number_of[track.label, after])
        for track in parts.tracks
        for before, after in pairwise(sorted(track.curves))
    ]
    places = {
        f"{name}{axis}": np.array([curve.line_zyx_um[end, i] for curve in curves], float)
        for name, end in (("", -1), ("root_", 0))
        for i, axis in enumerate(AXES[-n_dims:])
    }
    values = {
        "t": np.array([frame for _, frame in seen], float),
        **places,
        "protrusion": np.array([track.label for track, _ in seen], np.uint64),
        "parent": np.array([track.parent or 0 for track, _ in seen], np.uint64),
        "length": np.array([curve.length_um for curve in curves], float),
        "radius": np.array([curve.radius_um for curve in curves], float),
        "at": np.array([curve.at_um for curve in curves], float),
    }
    edge_array = np.array(edges, np.uint64).reshape(-1, 2)
    write_geff(path, values, edge_array, time_step_s=parts.time_step_s, tracks={"tracklet": "protrusion"})


def _changes_um(track: Track) -> tuple[list[float], list[float]]:
    """Increases of the length a frame, and decreases."""
    changes = [
        (track.curves[after].length_um - track.curves[before].length_um) / (after - before)
        for before, after in pairwise(sorted(track.curves))
    ]
    return [change for change in changes if change > 0], [-change for change in changes if change < 0]


def _speed(changes_um: Sequence[float], minutes: float | None) -> float | None:
    """Mean over the frames in which it grows, or withdraws; None without such frames or a time step."""
    return _rounded(float(np.mean(changes_um)) / minutes) if changes_um and minutes else None


def _rounded(value: float) -> float:
    return round(float(value), DIGITS)


def _write(path: Path, columns: Sequence[str], rows: Iterator[Row]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)

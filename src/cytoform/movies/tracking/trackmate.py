"""Reads tracks from TrackMate's XML files: spots with positions, and edges between them.

Format: Model/AllSpots/SpotsInFrame/Spot, Model/AllTracks/Track/Edge, Model/FilteredTracks/TrackID
(https://imagej.net/plugins/trackmate/scripting/trackmate-xml-format).
"""

import math
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree

import numpy as np

from cytoform.base.gate import require_file
from cytoform.base.triples import Triple
from cytoform.errors import InputError
from cytoform.movies.metadata import MICROMETRES
from cytoform.movies.tracking.graph import TrackGraph

PIXEL_SIZES = ("voxeldepth", "pixelheight", "pixelwidth")


def is_trackmate(path: Path) -> bool:
    """Whether a file is a TrackMate file, by its first element."""
    try:
        require_file(path)
        with path.open("rb") as file:
            return b"<TrackMate" in file.read(4096)
    except (InputError, OSError):
        return False


@dataclass
class _Found:
    """The elements of a file that matter here."""

    spots: dict[str, tuple[int, list[float]]] = field(default_factory=dict)
    edges: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    # Tracks that passed the filters of the user; None in files without filters.
    kept: set[str] | None = None
    units: str = ""
    pixel_zyx: list[float] = field(default_factory=list)


def read_trackmate(path: Path, *, spacing_zyx_um: Triple) -> TrackGraph:
    """Read the spots of the tracks that passed the filters, their positions in voxels. Raises InputError."""
    try:
        found = _parse(path)
    except OSError as fault:
        raise InputError(f"{path}: {fault.strerror}; save the tracks again in TrackMate") from None
    except (ElementTree.ParseError, KeyError, ValueError, TypeError):
        raise InputError(f"{path}: not a whole TrackMate file; save the tracks again in TrackMate") from None
    edges = [edge for track, of_track in found.edges.items() if _is_kept(track, found) for edge in of_track]
    names = list(dict.fromkeys(spot for edge in edges for spot in edge))
    if unknown := [name for name in names if name not in found.spots]:
        raise InputError(f"{path}: an edge of spot {unknown[0]}, which is not there; save the tracks again")
    if not names:
        raise InputError(f"{path}: no tracks; track the spots in TrackMate and save again, or move the file away")
    numbers = {name: number for number, name in enumerate(names)}
    return TrackGraph(
        source=str(path),
        names=[f"spot {name}" for name in names],
        frames=np.array([found.spots[name][0] for name in names], np.int64),
        edges=np.array([[numbers[one], numbers[other]] for one, other in edges], np.int64).reshape(-1, 2),
        points_zyx=np.array([found.spots[name][1] for name in names]) / _voxel(found, spacing_zyx_um, path),
    )


def _is_kept(track: str, found: _Found) -> bool:
    return found.kept is None or track in found.kept


def _parse(path: Path) -> _Found:
    found, track = _Found(), ""
    for event, element in ElementTree.iterparse(path, events=("start", "end")):
        if event == "start":
            if element.tag == "Model":
                found.units = element.get("spatialunits", "").strip().lower()
            if element.tag == "Track":
                track = element.attrib["TRACK_ID"]
            if element.tag == "FilteredTracks":
                found.kept = set()
            continue
        if element.tag == "Spot":
            position = [float(element.attrib[f"POSITION_{axis}"]) for axis in "ZYX"]
            frame = float(element.attrib["FRAME"])
            if not all(math.isfinite(value) for value in (frame, *position)) or not 0 <= frame < 1e9:
                raise ValueError("a spot without a position")
            found.spots[element.attrib["ID"]] = int(frame), position
        elif element.tag == "Edge":
            ends = element.attrib["SPOT_SOURCE_ID"], element.attrib["SPOT_TARGET_ID"]
            found.edges.setdefault(track, []).append(ends)
        elif element.tag == "TrackID" and found.kept is not None:
            found.kept.add(element.attrib["TRACK_ID"])
        elif element.tag == "ImageData":
            found.pixel_zyx = [float(element.get(name, "nan")) for name in PIXEL_SIZES]
        element.clear()
    return found


def _voxel(found: _Found, spacing_zyx_um: Triple, path: Path) -> np.ndarray:
    """Size of a voxel in the units of the positions: TrackMate's own record of it, or the movie's."""
    if found.pixel_zyx and all(math.isfinite(size) and size > 0 for size in found.pixel_zyx):
        return np.array(found.pixel_zyx)
    if found.units in MICROMETRES:
        return np.array(spacing_zyx_um) / MICROMETRES[found.units]
    if found.units in ("pixel", "pixels"):
        return np.ones(3)
    raise InputError(f"{path}: positions in {found.units or 'no unit'}; set the scale of the image, then track again")

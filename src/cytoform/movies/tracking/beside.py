"""The lineage of a movie: which file beside it holds it, and the movie with its tracks."""

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from jaxtyping import Int

from cytoform.base.kinds import Kind, kind_of
from cytoform.errors import InputError
from cytoform.movies.lineage import MAX_LABEL, read_lineage
from cytoform.movies.movie import LabelMovie, Labels
from cytoform.movies.tracking.geff import is_geff, read_geff
from cytoform.movies.tracking.graph import TrackGraph, tracklets
from cytoform.movies.tracking.trackmate import is_trackmate, read_trackmate

LINEAGE_FILES = ("man_track.txt", "res_track.txt")
AFFIXES = re.compile(r"^lblimg[_-]|[_ -]*(cp_masks|masks?|labels?|seg|(man_|res_)?tracks?|trackmate|tracking|lineage)$")
MOVIES = (Kind.TIFF, Kind.OME_ZARR, Kind.OME_ZARR_ZIP, Kind.ARRAY, Kind.HDF5, Kind.VENDOR)
# A concave cell may not cover its own centre: the label is looked for so many voxels around the point.
REACH_VOXELS = 3
# With more nodes than this outside of every label, a graph is of another movie.
MOST_ASTRAY = 0.5


@dataclass(frozen=True)
class Beside:
    """The file with the lineage of a movie, if there is one, and files with lineages that are not used."""

    used: Path | None = None
    ignored: tuple[Path, ...] = ()


def lineage_beside(source: Path, files: Collection[str] = ()) -> Beside:
    """The lineage that lies beside a movie (a file, or a folder of frames or Zarr), or within its folder.

    A lineage belongs to a movie if it has its name, or if the movie is the only one in the folder; `files` are the files
    of a movie in several. Text files (man_track.txt, res_track.txt) go before GEFF graphs, and these before TrackMate files.
    """
    source = _whole(Path(source).absolute())
    is_folder = source.is_dir() and kind_of(source) is not Kind.OME_ZARR
    around = sorted(source.parent.iterdir())
    within = [path for path in sorted(source.iterdir()) if is_lineage(path)] if source.is_dir() else []
    lineages = [path for path in around if is_lineage(path)]
    named = [path for path in lineages if _subject(path) == _subject(source)]
    shared = [] if is_folder else [path for path in lineages if path not in named]
    alone = all(path == source or str(path) in files for path in around if _is_movie(path))
    candidates = [path for group in (within, named, shared if alone else []) for path in sorted(group, key=_rank)]
    used = candidates[0] if candidates else None
    return Beside(used, tuple(path for path in dict.fromkeys([*within, *named, *shared]) if path != used))


def _whole(source: Path) -> Path:
    """The Zarr folder or zip file that an image or label image is in; any other source as it is."""
    while not source.exists() or kind_of(source.parent) is Kind.OME_ZARR:
        source = source.parent
    return source


def is_lineage(path: Path) -> bool:
    """Whether a path is a track file of the Cell Tracking Challenge, a GEFF graph or a TrackMate file."""
    if path.name.startswith("."):
        return False
    if path.is_dir():
        return is_geff(path)
    if path.suffix.lower() == ".txt":
        return path.name.lower().endswith(LINEAGE_FILES)
    return path.suffix.lower() == ".xml" and is_trackmate(path)


def _rank(path: Path) -> tuple[int, str]:
    return (0 if path.suffix.lower() == ".txt" else 1 if path.is_dir() else 2), path.name


def _subject(path: Path) -> str:
    """The name of a file without the words that programs add for labels and for tracks."""
    return AFFIXES.sub("", path.name.partition(".")[0].lower())


def _is_movie(path: Path) -> bool:
    return kind_of(path) in MOVIES and not is_lineage(path)


def with_lineage_beside(movie: LabelMovie) -> LabelMovie:
    """The movie with the lineage that lies beside it; notices name lineages that are not used.

    Raises InputError as `with_lineage` does.
    """
    if movie.lineage is not None:
        return movie
    beside = lineage_beside(Path(movie.source), movie.files)
    if beside.used is not None:
        found = with_lineage(movie, beside.used)
        movie = replace(found, origin=replace(found.origin, lineage=str(beside.used)))
        reason = f"{beside.used.name} is used; move the other away"
    else:
        reason = "other movies lie there too; give it the name of its movie, or each movie a folder of its own"
    lines = [f"{movie.source}: {path.name} beside it is not read: {reason}" for path in beside.ignored]
    return replace(movie, notices=(*movie.notices, *lines))


def with_lineage(movie: LabelMovie, path: Path) -> LabelMovie:
    """The movie with the tracks of a file: labels become the labels of the tracks.

    Reads the frames if the nodes of a graph have positions and no labels. Raises InputError for a file that cannot be
    read, for contradictory tracks, and for tracks of another movie.
    """
    if path.suffix.lower() == ".txt":
        return replace(movie, lineage=read_lineage(path, values=movie.values))
    reader = read_geff if path.is_dir() else read_trackmate
    graph = reader(path, spacing_zyx_um=movie.spacing_zyx_um)
    if (late := int(graph.frames.max())) >= movie.n_frames:
        raise InputError(
            f"{path}: it runs to frame {late} but {movie.source} has the frames 0 to {movie.n_frames - 1}; give the "
            "whole movie, or move the tracks away"
        )
    return tracked(movie, graph, _node_labels(movie, graph))


def tracked(movie: LabelMovie, graph: TrackGraph, labels: Int[np.ndarray, " nodes"]) -> LabelMovie:
    """The movie with the tracks of a graph; `labels` holds the value of each node in the frames, 0 for none.

    Labels of cells that are in no track stay apart from them: they get numbers above these of the tracks.
    """
    found = tracklets(graph, labels)
    tables: list[dict[int, int]] = [{} for _ in range(movie.n_frames)]
    for frame, label, track, name in zip(graph.frames, labels, found.of_node, graph.names, strict=True):
        if tables[frame].setdefault(int(label), int(track)) != track and label:
            raise InputError(
                f"{graph.source}, frame {frame}: label {label} belongs to two tracks ({name}); correct the tracks"
            )
    for table in tables:
        table.pop(0, None)
    n_tracks = max(track.label for track in found.lineage.tracks)
    n_others = MAX_LABEL - n_tracks
    others = (*movie.values[:n_others], *range(len(movie.values) + 1, n_others + 1))
    return replace(
        movie,
        lineage=found.lineage,
        read=Relabelled(movie.read, tuple(tables), n_tracks),
        values=(*range(1, n_tracks + 1), *others),
    )


@dataclass(frozen=True)
class Relabelled:
    """Reads labels and gives each its number in the table of its frame; a label without one is raised by `above`."""

    labels: Callable[[int], Labels]
    tables: tuple[Mapping[int, int], ...]
    above: int

    def __call__(self, frame: int) -> Labels:
        labels = self.labels(frame)
        table = np.arange(int(labels.max()) + 1) + self.above
        # The few that do not fit become background.
        table[table > MAX_LABEL] = 0
        table[0] = 0
        for value, number in self.tables[frame].items():
            if value < len(table):
                table[value] = number
        return table.astype(np.uint16)[labels]


def _node_labels(movie: LabelMovie, graph: TrackGraph) -> Int[np.ndarray, " nodes"]:
    """The value of every node in the frames: as recorded, or the one at its position."""
    if graph.labels is not None and movie.values:
        numbers = {value: number for number, value in enumerate(movie.values, 1)}
        return np.array([numbers.get(int(value), 0) for value in graph.labels], np.int64)
    if graph.labels is not None:
        return graph.labels
    if graph.points_zyx is None:
        raise InputError(
            f"{graph.source}: its nodes have neither labels nor positions in µm or pixels; write the graph with the "
            "labels of the cells as a property seg_id"
        )
    labels = np.zeros(len(graph.frames), np.int64)
    for frame in np.unique(graph.frames):
        values = movie.read(int(frame))
        for node in np.flatnonzero(graph.frames == frame):
            labels[node] = _label_at(values, graph.points_zyx[node])
    if (astray := np.flatnonzero(labels == 0)).size > MOST_ASTRAY * len(labels):
        node = astray[0]
        raise InputError(
            f"{graph.source}, frame {graph.frames[node]}: {graph.names[node]} and {len(astray) - 1} more of "
            f"{len(labels)} lie in no label of {movie.source}; give tracks of this movie, or move them away"
        )
    return labels


def _label_at(labels: Labels, point_zyx: np.ndarray) -> int:
    """The label at a point, or the nearest within reach; 0 for none."""
    centre = np.rint(np.clip(point_zyx, -1e6, 1e6)).astype(int)
    if not all(-REACH_VOXELS <= at < n + REACH_VOXELS for at, n in zip(centre, labels.shape, strict=True)):
        return 0
    low = np.maximum(centre - REACH_VOXELS, 0)
    box = labels[tuple(slice(a, c + REACH_VOXELS + 1) for a, c in zip(low, centre, strict=True))]
    places = np.argwhere(box > 0)
    if not len(places):
        return 0
    nearest = ((places + low - point_zyx) ** 2).sum(axis=1).argmin()
    return int(box[tuple(places[nearest])])

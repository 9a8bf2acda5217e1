"""The cells of a tracked movie in every frame, real or made, as its masks and tracks show them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float, Integer, Real

from cytoform.errors import InputError
from cytoform.movies.extents import cut_axes, measure
from cytoform.movies.movie import LabelMovie, Labels
from cytoform.movies.pairs.pair_sources import ImageMovie, find_pairs


@dataclass(frozen=True)
class SeenTrack:
    """A track from the first to the last frame in which its cell is seen."""

    label: int
    family: int
    first: int
    last: int
    parent: int
    n_daughters: int
    # Whether the border of the field cuts the cell there.
    begins_cut: bool
    ends_cut: bool


@dataclass(frozen=True)
class CellTable:
    """A row for every cell in every frame, sorted by label and frame; sizes are µm³, in images µm².

    Frames and labels of several movies follow one another, so that none is met twice.
    """

    frame: Integer[np.ndarray, " rows"]
    label: Integer[np.ndarray, " rows"]
    # A founder with all its descendants.
    family: Integer[np.ndarray, " rows"]
    size: Float[np.ndarray, " rows"]
    centroid_um: Float[np.ndarray, "rows dims"]
    # Touches the border of the field, and along which axes (z, y, x).
    cut_axes: Bool[np.ndarray, "rows 3"]
    tracks: tuple[SeenTrack, ...]
    # First and last frame of every movie.
    movies: tuple[tuple[int, int], ...]
    # Of one frame: µm³, in images µm².
    field: float
    time_step_s: float | None
    # Mean grey value of every cell above the median outside all cells; NaN where there is no image.
    brightness: Float[np.ndarray, " rows"]

    @property
    def n_dims(self) -> int:
        """Dimensions of space."""
        return self.centroid_um.shape[1]

    @property
    def n_frames(self) -> int:
        """Frames of all movies together."""
        return sum(last - first + 1 for first, last in self.movies)

    @property
    def is_cut(self) -> Bool[np.ndarray, " rows"]:
        """Whether the border cuts a cell."""
        return np.asarray(self.cut_axes.any(axis=1))

    @property
    def n_first(self) -> int:
        """Cells in the first frames."""
        return int(np.isin(self.frame, [first for first, _ in self.movies]).sum())

    @property
    def steps(self) -> Integer[np.ndarray, "steps 2"]:
        """Rows of a cell in two frames that follow each other, uncut in both."""
        follows = (np.diff(self.label) == 0) & (np.diff(self.frame) == 1) & ~self.is_cut[1:] & ~self.is_cut[:-1]
        before = np.flatnonzero(follows)
        return np.stack([before, before + 1], axis=1)


def read_cells(movies: Sequence[LabelMovie], images: Sequence[ImageMovie] = ()) -> CellTable:
    """Measure all cells that have a track, in all frames of movies with one scale and a lineage. Raises InputError.

    `images` are those of the movies, if there are any (`images_beside`).
    """
    rows: list[tuple[int, int, int, float, tuple[float, ...], tuple[bool, ...], float]] = []
    parents: dict[int, int] = {}
    spans = []
    first_frame = first_label = first_family = 0
    for number, movie in enumerate(movies):
        if movie.lineage is None:
            raise ValueError(f"{movie.name}: no lineage")
        families = movie.lineage.families()
        family_of = {track.label: number for number, each in enumerate(families) for track in each.tracks}
        spacing = np.array(movie.spacing_zyx_um[-movie.n_dims :])
        for frame in range(movie.n_frames):
            labels = movie.read(frame)
            bright = (
                grey_above_background(images[number].read(images[number].frames[frame]), labels) if images else None
            )
            for label, extent in measure(labels).items():
                if label not in family_of:
                    continue
                place = np.array(extent.centroid_voxels[-movie.n_dims :]) * spacing
                cut = cut_axes(extent, movie.shape_zyx)
                rows.append(
                    (
                        first_label + label,
                        first_frame + frame,
                        first_family + family_of[label],
                        extent.n_voxels * float(np.prod(spacing)),
                        tuple(place.tolist()),
                        tuple(axis in cut for axis in range(3)),
                        np.nan if bright is None else float(bright[label]),
                    )
                )
        tracks = movie.lineage.tracks
        parents |= {first_label + t.label: first_label + t.parent if t.parent else 0 for t in tracks}
        spans.append((first_frame, first_frame + movie.n_frames - 1))
        # A frame between two movies keeps their cells apart.
        first_frame += movie.n_frames + 1
        first_label += max(parents, default=0) + 1
        first_family += len(families)
    rows.sort(key=lambda row: row[:2])
    n_dims = movies[0].n_dims
    table = CellTable(
        frame=np.array([row[1] for row in rows], int),
        label=np.array([row[0] for row in rows], int),
        family=np.array([row[2] for row in rows], int),
        size=np.array([row[3] for row in rows], float),
        centroid_um=np.array([row[4] for row in rows], float).reshape(-1, n_dims),
        cut_axes=np.array([row[5] for row in rows], bool).reshape(-1, 3),
        tracks=(),
        movies=tuple(spans),
        field=float(np.prod(np.multiply(movies[0].shape_zyx, movies[0].spacing_zyx_um)[-n_dims:])),
        time_step_s=movies[0].time_step_s,
        brightness=np.array([row[6] for row in rows], float),
    )
    return _with_tracks(table, parents)


def images_beside(source: Path, movies: Sequence[LabelMovie]) -> list[ImageMovie]:
    """The images of a folder's movies, in their order; none if a frame of any movie lacks its image."""
    try:
        found = [pair.images for pair in find_pairs(source)]
    except InputError:
        return []
    sizes = [(image.shape_zyx, len(image.frames)) for image in found]
    return found if sizes == [(movie.shape_zyx, movie.n_frames) for movie in movies] else []


def grey_above_background(image: Real[np.ndarray, "z y x"], labels: Labels) -> Float[np.ndarray, " labels"]:
    """Mean grey value by label above the median outside all cells; NaN for labels that are not there."""
    counts = np.bincount(labels.ravel())
    sums = np.bincount(labels.ravel(), image.ravel().astype(float))
    outside = image[labels == 0]
    with np.errstate(invalid="ignore"):
        return sums / counts - (float(np.median(outside)) if outside.size else np.nan)


def _with_tracks(table: CellTable, parents: dict[int, int]) -> CellTable:
    ends = np.flatnonzero(np.diff(table.label, prepend=-1, append=-1))
    n_daughters: dict[int, int] = {}
    seen = [int(table.label[start]) for start in ends[:-1]]
    for label in seen:
        n_daughters[parents[label]] = n_daughters.get(parents[label], 0) + 1
    tracks = [
        SeenTrack(
            label,
            int(table.family[start]),
            int(table.frame[start]),
            int(table.frame[stop - 1]),
            parents[label],
            n_daughters.get(label, 0),
            bool(table.is_cut[start]),
            bool(table.is_cut[stop - 1]),
        )
        for label, (start, stop) in zip(seen, pairwise(ends.tolist()), strict=True)
    ]
    return replace(table, tracks=tuple(tracks))

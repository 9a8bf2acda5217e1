"""Labels with missing frames and planes, filled by cytoform and put back on their own voxels."""

import re
from dataclasses import dataclass
from math import gcd
from pathlib import Path
from typing import Any

import numpy as np

import cytoform
from cytoform.base.parallel import Progress
from cytoform.errors import InputError
from cytoform.shapes.sequence import ShapeSequence
from cytoform.shapes.store import ShapeStore


@dataclass(frozen=True)
class Planes:
    """Planes along z with labels: every `every`-th, from `first`."""

    first: int
    every: int

    @classmethod
    def of(cls, labels: np.ndarray) -> "Planes":
        """Planes of a movie (t, z, y, x). Raises InputError for a movie without labels."""
        seen = np.flatnonzero(np.any([np.any(frame, axis=(-2, -1)) for frame in labels], axis=0))
        if not len(seen):
            raise InputError(
                "labels: no voxel has a label, so there is nothing to fill from; choose another layer or label"
            )
        every = max(gcd(*(int(step) for step in np.diff(seen))), 1) if len(seen) > 1 else 1
        return cls(int(seen[0]) % every, every)

    def __contains__(self, plane: int) -> bool:
        return plane % self.every == self.first


def fill_labels(
    path: Path,
    axes: str,
    voxel_size_zyx_um: tuple[float, ...],
    folder: Path,
    *,
    grid: int,
    run: str | None,
    workers: int,
    progress: Progress,
) -> dict[str, Any]:
    """Fill a label movie into FOLDER/filled.npy. Each label is a cell; known frames and planes keep their labels.

    Frames are missing where a label has no voxel between two frames with some; planes where only every n-th has labels.
    Raises InputError where nothing is missing.
    """
    stored = np.load(path, mmap_mode="r")
    movie = stored if "T" in axes else stored[None]
    planes = Planes.of(movie) if "Z" in axes else Planes(0, 1)
    missing = missing_frames(movie)
    if planes.every == 1 and not missing:
        raise InputError(
            "labels: no frame is missing between two frames of a label, and no plane between planes; erase wrong frames first"
        )
    known = folder / "known.zarr"
    _prepare(movie, axes, planes, voxel_size_zyx_um, known, grid=grid, workers=workers, progress=progress)
    store, ways = ShapeStore.open(known), {}
    labels = {name: label_of(name, movie) for name in store.names}
    if gaps := [name for name in store.names if labels[name] in missing]:
        filled = folder / "filled.zarr"
        model = cytoform.FittedModel(cytoform.load(run), cytoform.FitSettings(), 0) if run else None
        done = cytoform.fill(known, filled, names=gaps, model=model, workers=workers, progress=progress)
        ways = {each.name: str(each.chosen.choice.mixture) for each in done.sequences}
        store = ShapeStore.open(filled)
    written = np.array(movie)
    with progress("placing cells", len(ShapeStore.open(known))) as advance:
        for name in ShapeStore.open(known).names:
            sequence = store[name] if name in gaps else ShapeStore.open(known)[name]
            _place(sequence, labels[name], movie, written, planes, voxel_size_zyx_um)
            advance(1)
    np.save(folder / "filled.npy", written if "T" in axes else written[0])
    return {
        "labels": str(folder / "filled.npy"),
        "n_frames": sum(len(frames) for frames in missing.values()),
        "every_plane": planes.every,
        "ways": ways,
    }


def missing_frames(movie: np.ndarray) -> dict[int, list[int]]:
    """Frames without a voxel of a label between its first and its last, by label."""
    present = [set(np.unique(frame).tolist()) - {0} for frame in movie]
    found = {}
    for label in sorted(set().union(*present)):
        frames = [t for t, labels in enumerate(present) if label in labels]
        if gaps := sorted(set(range(frames[0], frames[-1])) - set(frames)):
            found[label] = gaps
    return found


def label_of(name: str, movie: np.ndarray) -> int:
    """The label of a cell, by the name of its sequence, which has no number where the movie has a single label."""
    found = re.search(r"_(\d+)$", name)
    return int(found[1]) if found else int(movie.max())


def _prepare(
    movie: np.ndarray,
    axes: str,
    planes: Planes,
    voxel_size_zyx_um: tuple[float, ...],
    known: Path,
    *,
    grid: int,
    workers: int,
    progress: Progress,
) -> None:
    thin = movie[:, planes.first :: planes.every] if "Z" in axes else movie
    z, y, x = voxel_size_zyx_um
    path = known.with_name("cells.npy")
    np.save(path, thin)
    prepared = cytoform.prepare(
        [path],
        known,
        voxel_size_zyx_um=(z * planes.every, y, x),
        axes="TZYX" if "Z" in axes else "TYX",
        grid_size=grid,
        gaps="keep",
        border="keep",
        jumps="keep",
        workers=workers,
        progress=progress,
    )
    if prepared.failures:
        raise InputError(prepared.failures[0].reason)


def _place(
    sequence: ShapeSequence,
    label: int,
    movie: np.ndarray,
    written: np.ndarray,
    planes: Planes,
    voxel_size_zyx_um: tuple[float, ...],
) -> None:
    """Give voxels in missing frames and planes the label of a cell, where no other cell is."""
    n_dims = movie.ndim - 1
    spacing_um = np.array(voxel_size_zyx_um[-n_dims:])
    frames = [t for t, labels in enumerate(movie) if (labels == label).any()]
    # Positions in the movie of the known planes, which is thinner at both ends.
    shift_um = np.zeros(n_dims)
    if n_dims == 3:
        shift_um[0] = (planes.first + 0.5 - planes.every / 2) * spacing_um[0]
    for number, offset_um in enumerate(sequence.info.offsets_zyx_um):
        t = frames[0] + number
        is_known = t in frames
        if is_known and planes.every == 1:
            continue
        where, inside = _seen(sequence, number, np.array(offset_um) + shift_um, spacing_um, movie.shape[1:])
        target: np.ndarray = written[t, *where]
        free = inside & (target == 0)
        if is_known:
            free[[plane in planes for plane in range(where[0].start, where[0].stop)]] = False
        target[free] = label


def _seen(
    sequence: ShapeSequence, number: int, centre_um: np.ndarray, spacing_um: np.ndarray, shape: tuple[int, ...]
) -> tuple[tuple[Any, ...], np.ndarray]:
    """The voxels of the movie inside a frame of a cell, in a box."""
    from scipy.ndimage import map_coordinates

    box, side = sequence.box(number).tight(2), sequence.grid.spacing_um
    if box.is_empty:
        return (slice(0, 0),) * len(shape), np.zeros((0,) * len(shape), bool)
    corner_um = centre_um - sequence.grid.half_extent_um + np.array(box.corner_zyx) * side
    low = np.maximum(np.floor(corner_um / spacing_um), 0).astype(int)
    high = np.minimum(np.ceil((corner_um + np.array(box.box_sdf_um.shape) * side) / spacing_um), shape).astype(int)
    axes = [
        ((np.arange(l, h) + 0.5) * spacing - corner) / side - 0.5
        for l, h, spacing, corner in zip(low, high, spacing_um, corner_um, strict=True)
    ]
    points = np.stack(np.meshgrid(*axes, indexing="ij"))
    distances = map_coordinates(box.box_sdf_um, points, order=1, mode="constant", cval=box.band_um)
    return tuple(slice(int(l), int(max(h, l))) for l, h in zip(low, high, strict=True)), distances <= 0

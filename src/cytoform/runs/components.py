"""Components of distance grids learned in closed form (`[model] kind = "linear"`): no epochs, no samples, no seed.

Every sequence is brought into the frame and to the size that all share (runs/canonical.py). Distances at the nodes of a
coarse grid, cut off near the surface, are reduced to principal components of all frames and their mirror images (as in
Leventon et al. 2000, with symmetric data as in Sirovich and Kirby 1990). Their weights over time are splines.
"""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from cytoform.base.parallel import Progress, run_all
from cytoform.representations.linear.config import LinearConfig
from cytoform.representations.linear.representation import DEGREE, Linear, spline_basis
from cytoform.runs.canonical import Canonical, distances_at_nodes, held_share, measured, shared_volume
from cytoform.runs.config import Config
from cytoform.runs.principal_components import PrincipalComponents, parity_of, principal_components, spline_coefficients
from cytoform.runs.samples import TrainingFrame
from cytoform.shapes.grid import ROOTS, frame_times
from cytoform.shapes.store import ShapeStore

# Grids that are tried by the number of dimensions, the Jaccard index at which one holds the cells, and in how many frames
# that is seen. In images, where nodes are cheap, 32² hold cells too, but make outlines shorter.
NODES, HELD, TRIED_FRAMES = {3: (32, 48, 64), 2: (64, 96)}, 0.98, 12
# The same for numbers of knots in time, and in how many movies that is seen.
KNOTS, HELD_IN_TIME, TRIED_MOVIES = (24, 48, 96, 192), 0.97, 12
MARGIN = 1.05  # width of the grid over that of the largest cell
# Weights of what keeps a spline even where frames leave its knots open, beside those of frames, which count 1: of its
# curvature, and before the first and after the last frame of its change; both for a stretch as long as a knot interval,
# at so many moments in each. Frames decide wherever they can: small weights leave them at 0.9999 of a Jaccard index.
CURVATURE, CHANGE_BEYOND, MOMENTS = 5e-3, 0.1, 4


@dataclass(frozen=True)
class Components:
    """The outcome: a representation, a code and a place for each sequence, and the mean absolute error at the nodes."""

    decoder: Linear
    codes: Float[Tensor, "sequences knots components"]
    rotations: Float[Tensor, "sequences 4"]
    scales: Float[Tensor, "sequences moments"]  # at equal times over the movie
    error: float  # in half extents

    def resolved(self, config: Config) -> Config:
        """The settings with the sizes that the data allowed."""
        knots, components = self.decoder.code_shape
        found = {"nodes": self.decoder.nodes, "components": components, "knots": knots}
        return config.model_copy(update={"model": config.model.model_copy(update=found)})


@dataclass(frozen=True)
class Grids:
    """The grids of a data set: where its frames lie in them, how wide and how fine they are, where they are cut off."""

    store: Path
    places: dict[tuple[str, int], Canonical]
    extent: float
    nodes: int
    cut: float

    def write(self, name: str, frames: list[int], rows: list[int], path: Path) -> None:
        """Write the grids of some frames of a sequence into rows of an array on disk."""
        grids, sequence = np.load(path, mmap_mode="r+"), ShapeStore.open(self.store)[name]
        for frame, row in zip(frames, rows, strict=True):
            place = self.places[name, frame]
            grids[row] = distances_at_nodes(sequence, frame, place, self.nodes, self.extent, self.cut)


@dataclass(frozen=True)
class Placed:
    """The place of every frame in the shared one, half the width of a grid that holds them all there, and their volume."""

    places: dict[tuple[str, int], Canonical]
    extent: float
    volume: float


def place_all(
    store: ShapeStore, frames: Sequence[TrainingFrame], align: str, *, workers: int, progress: Progress
) -> Placed:
    """Bring all frames into principal axes (unless `align` is "none") and to one volume."""
    by_name = _by_sequence(frames)
    with progress("finding axes", len(by_name)) as advance:
        tasks = [(store.path, name, [frames[row].frame for row in rows], align) for name, rows in by_name.items()]
        found = run_all(measured, tasks, workers=workers, done=advance)
    places: dict[tuple[str, int], Canonical] = {}
    reach, volume = 0.0, shared_volume(found)
    for rows, each in zip(by_name.values(), found, strict=True):
        scales = ROOTS[store.grid.n_dims](each.volumes / volume)
        reach = max(reach, float((each.reaches / scales).max()))
        for row, scale in zip(rows, scales.tolist(), strict=True):
            places[frames[row].sequence, frames[row].frame] = Canonical(each.rotation, scale, store.grid.n_dims)
    return Placed(places, MARGIN * reach, volume)


def fewest_nodes(store: ShapeStore, frames: Sequence[TrainingFrame], placed: Placed, cut: float) -> tuple[int, float]:
    """The coarsest of the grids in `NODES` that holds the cells, or the best, and the Jaccard index that it holds them at."""
    tried = [frames[row] for row in np.unique(np.linspace(0, len(frames) - 1, TRIED_FRAMES).astype(int))]
    found: dict[int, float] = {}
    for nodes in NODES[store.grid.n_dims]:
        shares = [
            held_share(store[f.sequence], f.frame, placed.places[f.sequence, f.frame], nodes, placed.extent, cut)
            for f in tried
        ]
        found[nodes] = float(np.mean(shares))
        if found[nodes] >= HELD:
            return nodes, found[nodes]
    best = max(found, key=lambda nodes: found[nodes])
    return best, found[best]


def fewest_knots(
    grids: Float[np.ndarray, "frames ..."],
    sequences: Sequence[list[int]],
    times: Float[np.ndarray, " frames"],
    width: float,
    most: int,
) -> int:
    """The fewest of the numbers `KNOTS` whose splines hold the grids of movies, or `most`, which hold every frame.

    `sequences` are the rows of each movie, `width` is the distance between nodes. Movies hold at the mean Jaccard index of
    `HELD_IN_TIME`, over frames of movies that are longer; outlines that jump from frame to frame need `most`.
    """
    for knots in KNOTS:
        longer = [rows for rows in sequences if len(rows) > knots]
        if not longer:
            break
        shares = [
            _shares_in_time(grids[rows], times[rows], knots, width)
            for rows in longer[:: -(-len(longer) // TRIED_MOVIES)]
        ]
        if np.concatenate(shares).mean() >= HELD_IN_TIME:
            return knots
    return most


def _shares_in_time(
    grids: Float[np.ndarray, "frames ..."], times: Float[np.ndarray, " frames"], knots: int, width: float
) -> Float[np.ndarray, " frames"]:
    """Jaccard index of every frame with the spline in time; nodes near the surface count in part."""
    # A spline through components is the same mixture of frames as one through the grids.
    smoother = spline_basis(times, knots) @ spline_weights(times, np.eye(len(times)), knots)
    shares = []
    for weights, grid in zip(smoother, grids, strict=True):
        splined = np.tensordot(weights, grids, 1)
        known, found = (np.clip(0.5 - each / width, 0, 1) for each in (grid, splined))
        shares.append(np.minimum(known, found).sum() / np.maximum(known, found).sum())
    return np.array(shares)


def learn_components(
    store: ShapeStore,
    frames: Sequence[TrainingFrame],
    config: Config,
    folder: Path,
    *,
    workers: int,
    progress: Progress,
) -> Components:
    """Learn the frames of a store, with room for its grids in `folder`."""
    model = cast(LinearConfig, config.model)
    by_name = _by_sequence(frames)
    placed = place_all(store, frames, config.data.align, workers=workers, progress=progress)
    nodes = model.nodes or fewest_nodes(store, frames, placed, model.cut)[0]
    times = np.array([frame.time for frame in frames])
    # Windows deletes no file that is mapped, as this one is while a fault is on its way.
    with tempfile.TemporaryDirectory(dir=folder, prefix=".grids-", ignore_cleanup_errors=True) as room:
        path = Path(room) / "grids.npy"
        shape = (len(frames), *[nodes] * store.grid.n_dims)
        np.lib.format.open_memmap(path, "w+", np.float32, shape).flush()
        task = Grids(store.path, placed.places, placed.extent, nodes, model.cut)
        with progress("reading distances", len(by_name)) as advance:
            tasks = [(name, [frames[row].frame for row in rows], rows, path) for name, rows in by_name.items()]
            run_all(task.write, tasks, workers=workers, done=advance)
        sequences = list(by_name.values())
        longest = max(store[name].info.n_frames for name in by_name)
        most, width = most_knots(max(map(len, sequences)), longest), 2 * placed.extent / nodes
        n_knots = model.knots or fewest_knots(np.load(path, mmap_mode="r"), sequences, times, width, most)
        n_knots = min(n_knots, most)
        found, codes, error = _decomposed(path, model.components, sequences, times, n_knots)
    decoder = Linear(nodes=nodes, components=len(found.octants), knots=n_knots, cut=model.cut, n_dims=store.grid.n_dims)
    decoder.extent.fill_(placed.extent)
    decoder.volume.fill_(placed.volume)
    decoder.mean.copy_(torch.from_numpy(spline_coefficients(found.mean, (False,) * decoder.n_dims)))
    octants = [
        spline_coefficients(octant, parity_of(odd)) for octant, odd in zip(found.octants, found.odd, strict=True)
    ]
    decoder.components.copy_(torch.from_numpy(np.stack(octants)))
    decoder.odd.copy_(torch.from_numpy(found.odd.astype(np.uint8)))
    scales = _scales_over_time(frames, by_name, placed.places)
    return Components(
        decoder.requires_grad_(False),
        torch.from_numpy(codes.astype(np.float32)),
        torch.stack([placed.places[name, frames[rows[0]].frame].rotation for name, rows in by_name.items()]),
        torch.from_numpy(scales.astype(np.float32)),
        error * float(scales.mean()),
    )


def _decomposed(
    path: Path, most: int, sequences: list[list[int]], times: Float[np.ndarray, " frames"], n_knots: int
) -> tuple[PrincipalComponents, Float[np.ndarray, "sequences knots components"], float]:
    """Components of the grids in a file, the codes of sequences (rows of the file), and the mean error of these."""
    grids = np.load(path, mmap_mode="r")
    found = principal_components(grids, most)
    weights = found.weights_of(grids)
    codes = np.stack([spline_weights(times[rows], weights[rows], n_knots) for rows in sequences])
    splined = np.concatenate(
        [spline_basis(times[rows], n_knots) @ code for rows, code in zip(sequences, codes, strict=True)]
    )
    return found, codes, found.error(grids, splined)


def spline_weights(
    times: Float[np.ndarray, " frames"], weights: Float[np.ndarray, "frames components"], n_knots: int
) -> Float[np.ndarray, "{n_knots} components"]:
    """Knots of a spline through the weights at `times`, by least squares.

    Where frames do not decide it is the least curved one, and beyond the first and the last of them it stays as it is.
    """
    moments = np.linspace(-1, 1, MOMENTS * max(n_knots - DEGREE, 1) + 1)
    change = MOMENTS * np.diff(spline_basis(moments, n_knots), axis=0)
    beyond = (moments[1:] <= times.min()) | (moments[:-1] >= times.max())
    even = [CURVATURE * MOMENTS * np.diff(change, axis=0), CHANGE_BEYOND * change[beyond]]
    rows = np.concatenate([spline_basis(times, n_knots), *even])
    wanted = np.zeros((len(rows), weights.shape[1]))
    wanted[: len(times)] = weights
    return np.asarray(np.linalg.lstsq(rows, wanted, rcond=None)[0])


def most_knots(n_learned: int, n_frames: int) -> int:
    """Knots of a spline in time through all learned frames of a movie, even where some frames between them are not learned.

    Its pieces meet at frames. With as many knots as learned frames they meet between frames, and then the spline swings
    near both ends of the movie.
    """
    pieces = min(n_frames, 2 * n_learned) - 1
    return pieces + DEGREE if pieces >= DEGREE else pieces + 1


def _scales_over_time(
    frames: Sequence[TrainingFrame], by_name: dict[str, list[int]], places: dict[tuple[str, int], Canonical]
) -> Float[np.ndarray, "sequences moments"]:
    """Scales at equal times, as many as the longest sequence has frames; between known ones linearly in the logarithm."""
    moments = frame_times(max(len(rows) for rows in by_name.values()))
    courses = []
    for name, rows in by_name.items():
        known = np.log([places[name, frames[row].frame].scale for row in rows])
        courses.append(np.exp(np.interp(moments, [frames[row].time for row in rows], known)))
    return np.stack(courses)


def _by_sequence(frames: Sequence[TrainingFrame]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for row, frame in enumerate(frames):
        found.setdefault(frame.sequence, []).append(row)
    return found

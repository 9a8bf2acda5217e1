"""Two stores as sets of sequences: MMD, coverage, 1-NNA and novelty (`sets`), with all distances between them."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import combinations_with_replacement
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from cytoform.assess.measures.descriptors import Descriptor
from cytoform.assess.statistics.distributions import summarise
from cytoform.assess.statistics.intervals import UNDEFINED
from cytoform.assess.statistics.sets import Clouds, SetDistances, SetMeasures, compare_sets, novelty, pairwise_um2
from cytoform.base.parallel import run_all
from cytoform.shapes.grid import frame_times
from cytoform.shapes.store import ShapeStore

ACHLIOPTAS = "Achlioptas et al. 2018"
SET_MEASURES = {
    "mmd_um2": Descriptor(
        "Minimum matching distance", "µm²", "mean over references of the distance to the nearest sample", ACHLIOPTAS
    ),
    "coverage": Descriptor("Coverage", "", "share of references that are the nearest one of a sample", ACHLIOPTAS),
    "one_nna": Descriptor(
        "1-NN accuracy",
        "",
        "share of sequences whose nearest other one is of their own set; 0.5: cannot be told apart",
        "Lopez-Paz and Oquab 2017; Yang et al. 2019",
    ),
    "novelty_um2": Descriptor("Novelty", "µm²", "distance of a sample to the nearest reference", "nearest neighbour"),
}
# The work grows with the square of the sequences and with frames and points: what is compared of larger sets.
MOST_SEQUENCES, MOST_FRAMES, N_POINTS = 100, 15, 512
BLOCK = 12


@dataclass(frozen=True)
class NearDuplicates:
    """Similarity of the sequences of two stores; `novelty_um2` and `nearest` are keyed by the sequences of the second."""

    measures: SetMeasures
    novelty_um2: dict[str, float]
    nearest: dict[str, str]
    # Distance of each reference to the nearest other reference: the novelty expected for equal distributions.
    reference_um2: dict[str, float]
    frames: int
    points: int

    def to_json(self) -> dict[str, Any]:
        """The entry `sets` of results.json."""
        sides = {"novelty_um2": self.novelty_um2, "reference_nearest_um2": self.reference_um2}
        found = {
            name: asdict(summarise(np.array(list(values.values())))) | {"per_sequence": values}
            for name, values in sides.items()
        }
        return {**asdict(self.measures), **found, "nearest": self.nearest, "frames": self.frames, "points": self.points}


def find_near_duplicates(
    stores: tuple[Path, Path], names: tuple[Sequence[str], Sequence[str]], *, workers: int, seed: int
) -> NearDuplicates:
    """Compare the named sequences of two stores, at most 100 of each, drawn at random, over at most 15 times.

    Sequences of any lengths are compared at as many times as the shortest has frames, from first to last frame, each
    at its nearest frame. The three measures are NaN where a store gives fewer than two sequences.
    """
    rng = np.random.default_rng(seed)
    chosen = [_drawn(side, rng) for side in names]
    opened = [ShapeStore.open(store) for store in stores]
    lengths = [opened[side][name].info.n_frames for side in (0, 1) for name in chosen[side]]
    n_frames = min(*lengths, MOST_FRAMES)
    tasks = [(stores[side].absolute(), name, n_frames, (seed, side)) for side in (0, 1) for name in chosen[side]]
    distances = _all_distances(run_all(_clouds, tasks, workers=workers), workers)
    n = len(chosen[0])
    found = SetDistances(distances[:n, :n], distances[:n, n:], distances[n:, n:])
    measures = SetMeasures(UNDEFINED, UNDEFINED, UNDEFINED)
    if min(len(side) for side in chosen) >= 2:
        measures = compare_sets(found, rng=rng)
    others = np.where(np.eye(n, dtype=bool), np.inf, found.references)
    return NearDuplicates(
        measures,
        dict(zip(chosen[1], novelty(found.between).tolist(), strict=True)),
        {name: chosen[0][int(i)] for name, i in zip(chosen[1], found.between.argmin(axis=0), strict=True)},
        dict(zip(chosen[0], others.min(axis=1).tolist(), strict=True)),
        n_frames,
        N_POINTS,
    )


def _drawn(names: Sequence[str], rng: np.random.Generator) -> list[str]:
    if len(names) <= MOST_SEQUENCES:
        return list(names)
    return sorted(rng.choice(names, MOST_SEQUENCES, replace=False).tolist())


def _clouds(store: Path, name: str, n_frames: int, seeds: tuple[int, int]) -> Clouds:
    sequence = ShapeStore.open(store)[name]
    shares = (frame_times(n_frames) + 1) / 2
    frames = np.round(shares * (sequence.info.n_frames - 1)).astype(int).tolist()
    rng = np.random.default_rng([*seeds, *name.encode()])  # the same, whoever it is compared with
    return Clouds.on_surface(sequence, N_POINTS, rng, frames=frames)


def _all_distances(clouds: Sequence[Clouds], workers: int) -> Float[np.ndarray, "n n"]:
    """Of all to all, in blocks."""
    starts = range(0, len(clouds), BLOCK)
    blocks = list(combinations_with_replacement(starts, 2))
    tasks = [(clouds[i : i + BLOCK], None if i == j else clouds[j : j + BLOCK]) for i, j in blocks]
    distances = np.zeros((len(clouds), len(clouds)))
    for (i, j), block in zip(blocks, run_all(_block, tasks, workers=workers), strict=True):
        distances[i : i + BLOCK, j : j + BLOCK] = block
        distances[j : j + BLOCK, i : i + BLOCK] = block.T
    return distances


def _block(a: Sequence[Clouds], b: Sequence[Clouds] | None) -> Float[np.ndarray, "a b"]:
    return pairwise_um2(a, a if b is None else b)

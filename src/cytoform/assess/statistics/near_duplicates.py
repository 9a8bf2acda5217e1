"""Two stores as sets of sequences: MMD, coverage, 1-NN accuracy, and which sequences are near-duplicates of others."""

import copy
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from cytoform.assess.measures.descriptors import Descriptor
from cytoform.assess.measures.sequences import MeasuredSequence
from cytoform.assess.statistics.distributions import summarise
from cytoform.assess.statistics.intervals import UNDEFINED
from cytoform.assess.statistics.sets import Clouds, SetDistances, SetMeasures, compare_sets, novelty, pairwise_um2
from cytoform.assess.stores import MeasuredStore
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
    """Similarity of the sequences of two stores, as whole sequences. Distances are in µm², squared."""

    measures: SetMeasures
    # By the names of the other store: distance to the nearest reference, and its name.
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


@dataclass(frozen=True)
class CloudSet:
    """Point clouds of some sequences of a store, and the distances in µm² between all of them."""

    clouds: list[Clouds]
    distances_um2: Float[np.ndarray, "n n"]


class SetReference:
    """A reference store that others are compared with as sets, its point clouds drawn once for all of them.

    At most 100 sequences of a store are compared, drawn at random, at no more than 15 times. Sequences of any lengths
    are compared at as many times as the shortest has frames, from first to last, each at its nearest frame.
    """

    def __init__(self, store: MeasuredStore, *, seed: int, workers: int) -> None:
        self._store, self._seed, self._workers = store, seed, workers
        self._rng = np.random.default_rng(seed)
        self._chosen = _drawn(store.sequences, self._rng)
        self._clouds_at: dict[int, CloudSet] = {}  # by the number of times

    def compare(self, other: MeasuredStore) -> NearDuplicates:
        """Compare another store with the reference. The measures are NaN where either has fewer than two sequences."""
        rng = copy.deepcopy(self._rng)  # a comparison draws as if it were the only one
        chosen = _drawn(other.sequences, rng)
        n_times = min(*(len(each.frames) for each in (*self._chosen, *chosen)), MOST_FRAMES)
        if n_times not in self._clouds_at:
            self._clouds_at[n_times] = self._cloud_set(self._store, self._chosen, n_times, side=0)
        references, samples = self._clouds_at[n_times], self._cloud_set(other, chosen, n_times, side=1)
        between = _distances_um2(references.clouds, samples.clouds, self._workers)
        measures = SetMeasures(UNDEFINED, UNDEFINED, UNDEFINED)
        if min(between.shape) >= 2:
            found = SetDistances(references.distances_um2, between, samples.distances_um2)
            measures = compare_sets(found, rng=rng)
        to_others = np.where(np.eye(len(between), dtype=bool), np.inf, references.distances_um2)
        names, other_names = ([each.name for each in side] for side in (self._chosen, chosen))
        return NearDuplicates(
            measures,
            dict(zip(other_names, novelty(between).tolist(), strict=True)),
            {name: names[int(i)] for name, i in zip(other_names, between.argmin(axis=0), strict=True)},
            dict(zip(names, to_others.min(axis=1).tolist(), strict=True)),
            n_times,
            N_POINTS,
        )

    def _cloud_set(
        self, store: MeasuredStore, sequences: Sequence[MeasuredSequence], n_times: int, *, side: int
    ) -> CloudSet:
        tasks = [(store.path.absolute(), each.name, n_times, (self._seed, side)) for each in sequences]
        clouds = run_all(_clouds, tasks, workers=self._workers)
        return CloudSet(clouds, _distances_um2(clouds, clouds, self._workers))


def _drawn(sequences: Sequence[MeasuredSequence], rng: np.random.Generator) -> list[MeasuredSequence]:
    if len(sequences) <= MOST_SEQUENCES:
        return list(sequences)
    kept = set(rng.choice([each.name for each in sequences], MOST_SEQUENCES, replace=False).tolist())
    return [each for each in sequences if each.name in kept]


def _clouds(store: Path, name: str, n_times: int, seeds: tuple[int, int]) -> Clouds:
    sequence = ShapeStore.open(store)[name]
    shares = (frame_times(n_times) + 1) / 2
    frames = np.round(shares * (sequence.info.n_frames - 1)).astype(int).tolist()
    rng = np.random.default_rng([*seeds, *name.encode()])  # the same, whatever it is compared with
    return Clouds.on_surface(sequence, N_POINTS, rng, frames=frames)


def _distances_um2(a: Sequence[Clouds], b: Sequence[Clouds], workers: int) -> Float[np.ndarray, "a b"]:
    """Distances of all of `a` to all of `b`, in blocks for the workers; of a set to itself only one half is computed."""
    own = a is b
    starts = range(0, len(a), BLOCK), range(0, len(b), BLOCK)
    blocks = [(i, j) for i, j in product(*starts) if j >= i or not own]
    tasks = [(a[i : i + BLOCK], None if own and i == j else b[j : j + BLOCK]) for i, j in blocks]
    distances = np.zeros((len(a), len(b)))
    for (i, j), block in zip(blocks, run_all(_block, tasks, workers=workers), strict=True):
        distances[i : i + BLOCK, j : j + BLOCK] = block
        if own:
            distances[j : j + BLOCK, i : i + BLOCK] = block.T
    return distances


def _block(a: Sequence[Clouds], b: Sequence[Clouds] | None) -> Float[np.ndarray, "a b"]:
    return pairwise_um2(a, a if b is None else b)

"""Stores as sets of point clouds: the clouds of a store are drawn once for all comparisons, distances computed once."""

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np
from jaxtyping import Float

from cytoform.assess.measures.sequences import MeasuredSequence
from cytoform.assess.statistics.sets import Clouds, pairwise_um2
from cytoform.assess.stores import MeasuredStore
from cytoform.base.parallel import run_all
from cytoform.shapes.grid import frame_times
from cytoform.shapes.store import ShapeStore

# The work grows with the square of the sequences and with frames and points: what is compared of larger sets.
MOST_SEQUENCES, MOST_FRAMES, N_POINTS = 100, 15, 512
BLOCK = 12


@dataclass(frozen=True)
class CloudSet:
    """Point clouds of some sequences of a store, and the distances in µm² between all of them."""

    clouds: list[Clouds]
    distances_um2: Float[np.ndarray, "n n"]


class StoreClouds:
    """The sequences of a store as point clouds, at most 100 of them, drawn at random.

    `side` tells the random points of the stores of a comparison apart. With `any_pose` every sequence is turned into its
    principal axes, so that its pose does not matter. Sequences of any lengths are compared at as many
    times as the shortest has frames, from first to last, each at its nearest frame.
    """

    def __init__(
        self,
        store: MeasuredStore,
        *,
        side: int,
        seed: int,
        workers: int,
        any_pose: bool = False,
        rng: np.random.Generator | None = None,
    ) -> None:
        self._any_pose = any_pose
        self._store, self._seeds, self._workers = store, (seed, side), workers
        self.rng = np.random.default_rng(seed) if rng is None else copy.deepcopy(rng)
        self.chosen = _drawn(store.sequences, self.rng)
        self._sets: dict[int, CloudSet] = {}  # by the number of times
        self._distances: dict[tuple[int, int], Float[np.ndarray, "others n"]] = {}

    @property
    def names(self) -> list[str]:
        """Names of the sequences that are compared."""
        return [each.name for each in self.chosen]

    def n_times(self, *others: "StoreClouds") -> int:
        """At how many times this store and the others are compared."""
        every = (each for clouds in (self, *others) for each in clouds.chosen)
        return min(*(len(each.frames) for each in every), MOST_FRAMES)

    def at(self, n_times: int) -> CloudSet:
        """The clouds at so many times."""
        if n_times not in self._sets:
            path = self._store.path.absolute()
            tasks = [(path, name, n_times, self._seeds, self._any_pose) for name in self.names]
            clouds = run_all(_clouds, tasks, workers=self._workers)
            self._sets[n_times] = CloudSet(clouds, _distances_um2(clouds, clouds, self._workers))
        return self._sets[n_times]

    def distances_um2(self, references: "StoreClouds", n_times: int) -> Float[np.ndarray, "references n"]:
        """Distance of each sequence of another store to each of this one, at so many times."""
        key = id(references), n_times
        if key not in self._distances:
            own, theirs = self.at(n_times).clouds, references.at(n_times).clouds
            self._distances[key] = _distances_um2(theirs, own, self._workers)
        return self._distances[key]


def _drawn(sequences: Sequence[MeasuredSequence], rng: np.random.Generator) -> list[MeasuredSequence]:
    if len(sequences) <= MOST_SEQUENCES:
        return list(sequences)
    kept = set(rng.choice([each.name for each in sequences], MOST_SEQUENCES, replace=False).tolist())
    return [each for each in sequences if each.name in kept]


def has_poses(store: MeasuredStore) -> bool:
    """Whether sequences of a store were given poses of their own when they were made."""
    return any(sequence.info.rotation_wxyz is not None for sequence in ShapeStore.open(store.path))


def _clouds(store: Path, name: str, n_times: int, seeds: tuple[int, int], any_pose: bool) -> Clouds:
    sequence = ShapeStore.open(store)[name]
    shares = (frame_times(n_times) + 1) / 2
    frames = np.round(shares * (sequence.info.n_frames - 1)).astype(int).tolist()
    rng = np.random.default_rng([*seeds, *name.encode()])  # the same, whatever it is compared with
    found = Clouds.on_surface(sequence, N_POINTS, rng, frames=frames)
    return found.principal() if any_pose else found


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

"""Two stores as sets of sequences: MMD, coverage, 1-NN accuracy, and which sequences are near-duplicates of others."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from cytoform.assess.measures.descriptors import Descriptor
from cytoform.assess.statistics.cloud_sets import N_POINTS, StoreClouds, has_poses
from cytoform.assess.statistics.distributions import summarise
from cytoform.assess.statistics.held_out_sets import HeldOutSets, compare_held_out, measures_of, set_distances
from cytoform.assess.statistics.intervals import REPLICATES
from cytoform.assess.statistics.sets import SetMeasures, cloud_offset_um2, novelty
from cytoform.assess.stores import MeasuredStore

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
    # Distance of two clouds of points on one surface, of the mean area of the references.
    offset_um2: float
    held_out: HeldOutSets | None = None
    # "principal": every sequence in its principal axes, since the new cells were given poses; "own": as they lie.
    pose: str = "own"

    def to_json(self) -> dict[str, Any]:
        """The entry `sets` of results.json."""
        sides = {"novelty_um2": self.novelty_um2, "reference_nearest_um2": self.reference_um2}
        found = {
            name: asdict(summarise(np.array(list(values.values())))) | {"per_sequence": values}
            for name, values in sides.items()
        }
        return {
            **asdict(self.measures),
            **found,
            "nearest": self.nearest,
            "frames": self.frames,
            "points": self.points,
            "pose": self.pose,
        }


class SetReference:
    """A reference store that others are compared with as sets, its point clouds drawn once for all of them.

    `held_out` holds real cells that were not learned; with it every comparison has `NearDuplicates.held_out`. New cells in
    poses of their own are compared in principal axes, or a copy in another pose would pass for a new cell.
    """

    def __init__(
        self,
        store: MeasuredStore,
        *,
        seed: int,
        workers: int,
        held_out: MeasuredStore | None = None,
        n_replicates: int = REPLICATES,
    ) -> None:
        self._n_replicates = n_replicates
        self._seed, self._workers, self._stores = seed, workers, (store, held_out)
        self._sides: dict[bool, tuple[StoreClouds, StoreClouds | None]] = {}
        self._offset_um2 = cloud_offset_um2(
            np.array([frame.descriptors.extent for each in store.sequences for frame in each.frames]),
            N_POINTS,
            store.grid.n_dims,
        )

    def _clouds_of(self, any_pose: bool) -> tuple[StoreClouds, StoreClouds | None]:
        """The clouds of the reference and of held-out cells."""
        if any_pose not in self._sides:
            how: dict[str, Any] = {"seed": self._seed, "workers": self._workers, "any_pose": any_pose}
            reference, held_out = self._stores
            beside = None if held_out is None else StoreClouds(held_out, side=2, **how)
            self._sides[any_pose] = StoreClouds(reference, side=0, **how), beside
        return self._sides[any_pose]

    def compare(self, other: MeasuredStore) -> NearDuplicates:
        """Compare another store with the reference. The measures are NaN where either has fewer than two sequences."""
        any_pose = has_poses(other)
        clouds, unlearned = self._clouds_of(any_pose)
        # A comparison draws as if it were the only one.
        samples = StoreClouds(other, side=1, seed=self._seed, workers=self._workers, any_pose=any_pose, rng=clouds.rng)
        n_times = clouds.n_times(samples)
        distances = set_distances(clouds, samples, n_times)
        held_out = None
        if unlearned is not None:
            held_out = compare_held_out(
                clouds,
                unlearned,
                samples,
                offset_um2=self._offset_um2,
                seed=self._seed,
                n_replicates=self._n_replicates,
            )
        to_others = np.where(np.eye(len(distances.between), dtype=bool), np.inf, distances.references)
        names = clouds.names
        nearest = distances.between.argmin(axis=0)
        return NearDuplicates(
            measures_of(distances, rng=samples.rng, n_replicates=self._n_replicates),
            dict(zip(samples.names, novelty(distances.between).tolist(), strict=True)),
            {name: names[int(i)] for name, i in zip(samples.names, nearest, strict=True)},
            dict(zip(names, to_others.min(axis=1).tolist(), strict=True)),
            n_times,
            N_POINTS,
            self._offset_um2,
            held_out,
            "principal" if any_pose else "own",
        )

"""Are new cells as new as cells that nobody learned? New and held-out sequences, each against the learned ones."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from cytoform.assess.measures.descriptors import Descriptor
from cytoform.assess.statistics.cloud_sets import StoreClouds
from cytoform.assess.statistics.distributions import Values, summarise
from cytoform.assess.statistics.intervals import REPLICATES, UNDEFINED
from cytoform.assess.statistics.sets import SetDistances, SetMeasures, compare_sets, novelty

HELD_OUT_MEASURES = {
    "novelty_ratio": Descriptor(
        "Novelty over that of held-out cells",
        "",
        "median novelty over that of held-out cells, each less the offset of random points; 1: as new as unseen cells",
        "this project",
    ),
    "memorisation_z": Descriptor(
        "Memorisation z",
        "",
        "Mann-Whitney z of the distances to the nearest learned sequence, new against held-out ones; below 0: too near",
        "Meehan et al. 2020; arXiv 2512.23628",
    ),
    "memorisation_p": Descriptor(
        "Memorisation p", "", "its one-sided p: how likely new cells are to lie so near by chance", "SciPy mannwhitneyu"
    ),
}


@dataclass(frozen=True)
class Memorisation:
    """Mann-Whitney test of the distances to the nearest learned sequence, of new sequences against held-out ones.

    `z` is negative where new sequences lie nearer to learned ones than held-out sequences do; `p` is one-sided, for
    that. Data-copying test of Meehan et al. 2020, for 3D shapes in arXiv 2512.23628.
    """

    z: float
    p: float

    @classmethod
    def of(cls, new: Values, held_out: Values) -> "Memorisation":
        """Of distances to the nearest learned sequence; NaN without any on a side (SciPy)."""
        from scipy.stats import mannwhitneyu, ranksums

        if min(len(new), len(held_out)) == 0:
            return cls(float("nan"), float("nan"))
        # The exact p where sequences are few.
        test = mannwhitneyu(new, held_out, alternative="less")
        return cls(float(ranksums(new, held_out).statistic), float(test.pvalue))


@dataclass(frozen=True)
class HeldOutSets:
    """Learned, held-out and new sequences as three sets, at the same times. Distances are in µm², squared.

    MMD, coverage and 1-NNA depend on the number of sequences; here every set has `n_each`, the number of the smallest, and
    the figures are means over random choices.
    """

    new_held_out: SetMeasures
    new_learned: SetMeasures
    held_out_learned: SetMeasures
    # Distance to the nearest learned sequence, by name.
    new_um2: dict[str, float]
    held_out_um2: dict[str, float]
    memorisation: Memorisation
    offset_um2: float  # distance of two clouds of points on one surface
    n_each: int
    frames: int

    @property
    def novelty_ratio(self) -> float:
        """Median novelty of new sequences over that of held-out ones, both without the offset of random points.

        1: as new as unseen cells; 0: copies. NaN where held-out sequences lie no farther than the offset.
        """
        new, held_out = (median(each.values()) - self.offset_um2 for each in (self.new_um2, self.held_out_um2))
        return max(new, 0.0) / held_out if held_out > 0 else float("nan")

    def to_json(self) -> dict[str, Any]:
        """The entry `sets` in the section `held_out` of results.json."""
        novelties = {"other": self.new_um2, "held_out": self.held_out_um2}
        return {
            "other_to_held_out": asdict(self.new_held_out),
            "other_to_reference": asdict(self.new_learned),
            "held_out_to_reference": asdict(self.held_out_learned),
            "novelty_um2": {
                side: asdict(summarise(np.array(list(values.values())))) | {"per_sequence": values}
                for side, values in novelties.items()
            },
            "novelty_ratio": self.novelty_ratio,
            "novelty_offset_um2": self.offset_um2,
            "memorisation_z": self.memorisation.z,
            "memorisation_p": self.memorisation.p,
            "sequences_each": self.n_each,
            "frames": self.frames,
        }


def compare_held_out(
    learned: StoreClouds,
    held_out: StoreClouds,
    new: StoreClouds,
    *,
    offset_um2: float,
    seed: int,
    n_replicates: int = REPLICATES,
) -> HeldOutSets:
    """Compare three stores as sets; `seed` is the seed of the random choices of equally many sequences."""
    n_times = learned.n_times(held_out, new)
    n_each = min(len(each.chosen) for each in (learned, held_out, new))

    def compared(references: StoreClouds, samples: StoreClouds) -> SetMeasures:
        distances = set_distances(references, samples, n_times)
        return measures_of(distances, rng=np.random.default_rng([seed, 2]), n_each=n_each, n_replicates=n_replicates)

    to_learned = {each: novelty(each.distances_um2(learned, n_times)) for each in (new, held_out)}
    return HeldOutSets(
        new_held_out=compared(held_out, new),
        new_learned=compared(learned, new),
        held_out_learned=compared(learned, held_out),
        new_um2=dict(zip(new.names, to_learned[new].tolist(), strict=True)),
        held_out_um2=dict(zip(held_out.names, to_learned[held_out].tolist(), strict=True)),
        memorisation=Memorisation.of(to_learned[new], to_learned[held_out]),
        offset_um2=offset_um2,
        n_each=n_each,
        frames=n_times,
    )


def set_distances(references: StoreClouds, samples: StoreClouds, n_times: int) -> SetDistances:
    """All distances in and between two stores, at so many times."""
    return SetDistances(
        references.at(n_times).distances_um2,
        samples.distances_um2(references, n_times),
        samples.at(n_times).distances_um2,
    )


def measures_of(
    distances: SetDistances, *, rng: np.random.Generator, n_each: int | None = None, n_replicates: int = REPLICATES
) -> SetMeasures:
    """MMD, coverage and 1-NNA; NaN where either set has fewer than two sequences."""
    if min(*distances.between.shape, *(() if n_each is None else (n_each,))) < 2:
        return SetMeasures(UNDEFINED, UNDEFINED, UNDEFINED)
    return compare_sets(distances, rng=rng, n_each=n_each, n_replicates=n_replicates)


def median(values: Iterable[float]) -> float:
    """Median of the finite ones; NaN without any."""
    return summarise(np.array(list(values))).median

"""`evaluate`: compare shape stores, and the results as dataclasses and as results.json."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np

from cytoform.assess.measures.descriptors import DESCRIPTORS
from cytoform.assess.measures.dynamics import DYNAMICS
from cytoform.assess.measures.masks import TopologyCounts
from cytoform.assess.measures.sequences import PAIR_MEASURES, MeasuredPair
from cytoform.assess.results_json import (
    SEQUENCES,
    contrast_json,
    null_nan,
    pairs_json,
    side_json,
    topology_json,
)
from cytoform.assess.statistics.contrasts import Contrast, Sides, by_sequence, contrasts
from cytoform.assess.statistics.distributions import Summary, Values, summarise
from cytoform.assess.statistics.near_duplicates import SET_MEASURES, NearDuplicates, SetReference
from cytoform.assess.stores import MeasuredStore, Selection, measure_stores, select
from cytoform.base.cluster import local_workers
from cytoform.base.files import write_json
from cytoform.base.provenance import software_versions

Role = Literal["reference", "other"]
ROLES: tuple[Role, Role] = ("reference", "other")
TABLES = {**DESCRIPTORS, **PAIR_MEASURES, **DYNAMICS, **SET_MEASURES}
ESTIMATORS = {
    **{name: f"{measure.definition} ({measure.source})" for name, measure in TABLES.items()},
    "components": "connected components of the mask, 26 neighbours (connected-components-3d)",
    "euler": "components - handles + cavities of the mask, 26 neighbours (scikit-image)",
    "ks_p": "two-sample Kolmogorov-Smirnov test over frames as if they were independent (the paper's figure; SciPy)",
    "ks_p_permuted": (
        "the same statistic, its p from 999 permutations of whole sequences between the sides, since frames of one "
        "sequence depend on each other"
    ),
    "ks_p_permuted_corrected": "ks_p_permuted, Benjamini-Hochberg over the descriptors (SciPy)",
    "ks_p_sequences": "the same over the means of sequences, which unlike frames are independent",
    "ks_p_corrected": "Benjamini-Hochberg over the tests of all descriptors (SciPy)",
    "wasserstein": "Wasserstein-1 distance (SciPy); 95 % intervals: bootstrap over whole sequences",
}


@dataclass(frozen=True)
class Results:
    """Two stores, measured and compared."""

    reference: MeasuredStore
    other: MeasuredStore
    # As sets of whole sequences; None where the stores are paired.
    near_duplicates: NearDuplicates | None = None
    asked: tuple[str, ...] | None = None  # names of sequences that the comparison is limited to
    seed: int = 0

    @property
    def pairs(self) -> dict[str, tuple[MeasuredPair, ...]] | None:
        """Pairs of frames by sequence; None where the two stores hold different cells."""
        return self.other.pairs

    @property
    def provenance(self) -> dict[str, Any]:
        """Versions, stores, parameters and estimators."""
        asked = None if self.asked is None else list(self.asked)
        return {
            "versions": software_versions(),
            "reference": self.reference.to_json(),
            "other": self.other.to_json(),
            "parameters": {"paired": self.pairs is not None, "sequences": asked, "seed": self.seed},
            "estimators": ESTIMATORS,
        }

    def store(self, side: Role) -> MeasuredStore:
        """The store of a side."""
        return self.reference if side == "reference" else self.other

    def descriptor(self, side: Role, name: str) -> list[Values]:
        """Values of one of DESCRIPTORS over the frames of each sequence of a side."""
        return [np.array([getattr(f.descriptors, name) for f in each.frames]) for each in self.store(side).sequences]

    def temporal(self, side: Role, name: str) -> Values:
        """Values of one of DYNAMICS, one for each sequence of a side."""
        return np.array([getattr(sequence.dynamics, name) for sequence in self.store(side).sequences])

    def paired(self, name: str) -> dict[str, Values]:
        """Values of one of PAIR_MEASURES by sequence; empty where the stores are not paired."""
        return {key: np.array([getattr(pair, name) for pair in pairs]) for key, pairs in (self.pairs or {}).items()}

    def pair_summary(self, name: str) -> Summary:
        """Summary of one of PAIR_MEASURES over all frames; the stores are paired."""
        return summarise(np.concatenate(list(self.paired(name).values())))

    def topology(self, side: Role) -> TopologyCounts:
        """Components and Euler numbers over the frames of a side."""
        return TopologyCounts.of([f.topology for sequence in self.store(side).sequences for f in sequence.frames])

    @cached_property
    def over_frames(self) -> dict[str, Contrast]:
        """Contrasts of each descriptor over the frames of both sides."""
        return contrasts(self._descriptors, seed=self.seed, permuted=True)

    @cached_property
    def over_sequences(self) -> dict[str, Contrast]:
        """Contrasts of the means of sequences: of each descriptor, then of each of DYNAMICS."""
        temporal = {name: tuple([v[None] for v in self.temporal(side, name)] for side in ROLES) for name in DYNAMICS}
        return contrasts(by_sequence(self._descriptors) | temporal, seed=self.seed)  # type: ignore[arg-type]

    @cached_property
    def _descriptors(self) -> dict[str, Sides]:
        return {name: (self.descriptor("reference", name), self.descriptor("other", name)) for name in DESCRIPTORS}

    def to_json(self) -> dict[str, Any]:
        """The content of results.json, where NaN is still to become null; parts that a comparison lacks are None."""
        pairs = {name: pairs_json(self.paired(name)) if self.pairs else None for name in PAIR_MEASURES}
        return {
            "jaccard": pairs["jaccard"],
            "dice": pairs["dice"],
            "surface_distance": {name: pairs[name] for name in ("assd_um", "hd95_um")} if self.pairs else None,
            "normal_consistency": pairs["normal_consistency"],
            "descriptors": {name: self._descriptor_json(name) for name in DESCRIPTORS},
            "temporal": {name: self._temporal_json(name) for name in DYNAMICS},
            "topology": {side: topology_json(self.store(side).sequences) for side in ROLES},
            "sets": None if self.near_duplicates is None else self.near_duplicates.to_json(),
            "provenance": self.provenance,
        }

    def _descriptor_json(self, name: str) -> dict[str, Any]:
        sides: dict[str, Any] = {}
        for side in ROLES:
            values = self.descriptor(side, name)
            each = {key: row.tolist() for key, row in zip(self.store(side).names, values, strict=True)}
            sides[side] = side_json(np.concatenate(values), each)
        frames, sequences = contrast_json(self.over_frames[name]), contrast_json(self.over_sequences[name], SEQUENCES)
        return {**sides, **frames, **sequences, "unit": DESCRIPTORS[name].unit}

    def _temporal_json(self, name: str) -> dict[str, Any]:
        sides: dict[str, Any] = {}
        for side in ROLES:
            values = self.temporal(side, name)
            sides[side] = side_json(values, dict(zip(self.store(side).names, values.tolist(), strict=True)))
        return {**sides, **contrast_json(self.over_sequences[name], SEQUENCES), "unit": DYNAMICS[name].unit}

    def write(self, path: Path) -> None:
        """Write results.json; NaN becomes null."""
        write_json(path, null_nan(self.to_json()))


def evaluate(
    reference: Path,
    other: Path,
    *,
    paired: bool,
    sequences: Sequence[str] | None = None,
    workers: int = 1,
    seed: int = 0,
    done: Callable[[], Any] = lambda: None,
) -> Results:
    """Compare two shape stores; `paired` where each sequence of `other` reconstructs the one of the same name.

    `sequences` limits the reference to these names, and a paired store too. `done` is called after each sequence of
    each side (once for a pair). `seed` is the seed of bootstrap draws and of points on surfaces. Raises InputError where
    the stores cannot be compared, before anything is measured, and where a distance is NaN.
    """
    selection = select(reference, [other], paired=[paired], sequences=sequences)
    return evaluate_all(selection, workers=workers, seed=seed, done=done)[0]


def evaluate_all(
    selection: Selection, *, workers: int = 1, seed: int = 0, done: Callable[[], Any] = lambda: None
) -> list[Results]:
    """Compare several stores with one reference, which is measured once; the arguments are those of `evaluate`."""
    with local_workers(min(workers, len(selection.cells))):
        reference, *others = measure_stores(selection, workers=workers, done=done)
        as_set = SetReference(reference, seed=seed, workers=workers)
        sets = [as_set.compare(other) if other.pairs is None else None for other in others]
    return [Results(reference, other, found, selection.asked, seed) for other, found in zip(others, sets, strict=True)]

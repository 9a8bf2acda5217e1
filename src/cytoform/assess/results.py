"""`evaluate`: compare shape stores, and the results as dataclasses and as results.json."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cytoform.assess.held_out import HeldOut, refuse_learned
from cytoform.assess.measures.kinds import Measures
from cytoform.assess.measures.protrusion_tracks import PROTRUSION_MEASURES
from cytoform.assess.measures.sequences import PAIR_MEASURES, MeasuredPair
from cytoform.assess.measures.thin_parts import THIN_MEASURES
from cytoform.assess.results_json import (
    contrasts_json,
    descriptor_json,
    null_nan,
    pairs_json,
    protrusion_json,
    temporal_json,
    topology_json,
)
from cytoform.assess.statistics.distributions import Summary, Values, summarise
from cytoform.assess.statistics.held_out_sets import HELD_OUT_MEASURES
from cytoform.assess.statistics.intervals import REPLICATES
from cytoform.assess.statistics.near_duplicates import SET_MEASURES, NearDuplicates, SetReference
from cytoform.assess.store_contrasts import ROLES, StoreContrasts
from cytoform.assess.stores import MeasuredStore, Selection, measure_stores, select
from cytoform.base.cluster import local_workers
from cytoform.base.files import write_json
from cytoform.base.output import Output
from cytoform.base.provenance import software_versions

TESTS = {
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
    "opening_radius_um": (
        "of the ball whose opening is the body: middle of the range of radii over which least is taken away (granulometry, "
        "Matheron 1975)"
    ),
    "wasserstein": "Wasserstein-1 distance (SciPy); 95 % intervals: bootstrap over whole sequences",
}


def estimators(measures: Measures) -> dict[str, str]:
    """Definition and source of every figure in results.json."""
    tables = {
        **measures.descriptors,
        **PAIR_MEASURES,
        **THIN_MEASURES,
        **measures.dynamics,
        **PROTRUSION_MEASURES,
        **SET_MEASURES,
        **HELD_OUT_MEASURES,
    }
    said = {name: f"{each.definition} ({each.source})" for name, each in tables.items()} | TESTS
    return {name: measures.worded(text) for name, text in said.items()}


@dataclass(frozen=True)
class Results(StoreContrasts):
    """Two stores, measured and compared."""

    # As sets of whole sequences; None where the stores are paired.
    near_duplicates: NearDuplicates | None = None
    asked: tuple[str, ...] | None = None  # names of sequences that the comparison is limited to
    # Real cells that were not learned; None where none were given, and where the stores are paired.
    held_out: HeldOut | None = None

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
            "held_out": None if self.held_out is None else self.held_out.store.to_json(),
            "parameters": {"paired": self.pairs is not None, "sequences": asked, "seed": self.seed},
            "estimators": estimators(self.measures),
        }

    def paired(self, name: str) -> dict[str, Values]:
        """Values of one of PAIR_MEASURES or THIN_MEASURES by sequence; empty where the stores are not paired."""
        return {key: np.array([pair.value(name) for pair in pairs]) for key, pairs in (self.pairs or {}).items()}

    def pair_summary(self, name: str) -> Summary:
        """Summary of one of PAIR_MEASURES or THIN_MEASURES over all frames; the stores are paired."""
        return summarise(np.concatenate(list(self.paired(name).values())))

    def to_json(self) -> dict[str, Any]:
        """The content of results.json, where NaN is still to become null; parts that a comparison lacks are None."""
        found = contrasts_json(self)
        pairs = {
            name: pairs_json(self.paired(name)) if self.pairs else None for name in (*PAIR_MEASURES, *THIN_MEASURES)
        }
        return {
            "jaccard": pairs["jaccard"],
            "dice": pairs["dice"],
            "surface_distance": {name: pairs[name] for name in ("assd_um", "hd95_um")} if self.pairs else None,
            "normal_consistency": pairs["normal_consistency"],
            "thin_parts": {name: pairs[name] for name in THIN_MEASURES} if self.pairs and self.taken_apart else None,
            "descriptors": {
                name: {side: descriptor_json(self, side, name) for side in ROLES}
                | contrast
                | {"unit": self.measures.descriptors[name].unit}
                for name, contrast in found["descriptors"].items()
            },
            "temporal": {
                name: {side: temporal_json(self, side, name) for side in ROLES}
                | contrast
                | {"unit": self.measures.dynamics[name].unit}
                for name, contrast in found["temporal"].items()
            },
            "protrusions": self._protrusions_json(found["protrusions"]),
            "topology": {side: topology_json(self.store(side).sequences) for side in ROLES},
            "sets": None if self.near_duplicates is None else self.near_duplicates.to_json(),
            "held_out": None if self.held_out is None else self.held_out.to_json(),
            "provenance": self.provenance,
        }

    def _protrusions_json(self, contrasts: dict[str, Any] | None) -> dict[str, Any]:
        """The verdict on the reference, and where it applies all measures of protrusions."""
        verdict = self.reference.verdict
        return {
            "verdict": None if verdict is None else verdict.to_json(),
            "measures": contrasts
            and {
                name: {side: protrusion_json(self, side, name) for side in ROLES} | contrast | {"unit": measure.unit}
                for (name, contrast), measure in zip(contrasts.items(), PROTRUSION_MEASURES.values(), strict=True)
            },
        }

    def write(self, path: Path) -> None:
        """Write results.json, also in place of older results; NaN becomes null. Raises InputError for any other file there."""
        Output.at(path, inputs=[], overwrite=True).refuse_existing()
        write_json(path, null_nan(self.to_json()))


def evaluate(
    reference: Path,
    other: Path,
    *,
    paired: bool,
    sequences: Sequence[str] | None = None,
    held_out: Path | None = None,
    workers: int = 1,
    seed: int = 0,
    done: Callable[[], Any] = lambda: None,
) -> Results:
    """Compare two shape stores; `paired` where each sequence of `other` reconstructs the one of the same name.

    `sequences` limits the reference to these names, and a paired store too. `held_out` is a store of real cells that were
    not learned: new cells are judged against them too. `done` is called after each sequence of each side (once for a
    pair). `seed` is the seed of bootstrap draws, of permutations and of points on surfaces. Raises InputError where the
    stores cannot be compared, before anything is measured, where a distance is NaN, and where a held-out cell was learned.
    """
    selection = select(reference, [other], paired=[paired], sequences=sequences, held_out=held_out)
    return evaluate_all(selection, workers=workers, seed=seed, done=done)[0]


def evaluate_all(
    selection: Selection, *, workers: int = 1, seed: int = 0, done: Callable[[], Any] = lambda: None
) -> list[Results]:
    """Compare several stores with one reference, which is measured once; the arguments are those of `evaluate`."""
    with local_workers(min(workers, len(selection.cells))):
        reference, *others = measure_stores(selection, workers=workers, done=done)
        held_out = others.pop() if selection.held_out else None
        return compare_measured(reference, others, held_out=held_out, asked=selection.asked, workers=workers, seed=seed)


def compare_measured(
    reference: MeasuredStore,
    others: Sequence[MeasuredStore],
    *,
    held_out: MeasuredStore | None = None,
    asked: tuple[str, ...] | None = None,
    workers: int = 1,
    seed: int = 0,
    n_replicates: int = REPLICATES,
) -> list[Results]:
    """Compare measured stores with a measured reference; `asked` are names that the reference is limited to.
    Intervals of the measures of sets come from `n_replicates` bootstraps.

    Raises InputError where a held-out cell was learned.
    """
    learned = None
    if held_out is not None:
        refuse_learned(reference, held_out)
        learned = StoreContrasts(reference, held_out, seed=seed)
    as_set = SetReference(reference, seed=seed, workers=workers, held_out=held_out, n_replicates=n_replicates)

    def results(other: MeasuredStore) -> Results:
        if other.pairs is not None:
            return Results(reference, other, asked=asked, seed=seed)
        sets = as_set.compare(other)
        beside = None
        if held_out is not None and learned is not None and sets.held_out is not None:
            beside = HeldOut(StoreContrasts(held_out, other, seed=seed), learned, sets.held_out)
        return Results(reference, other, sets, asked, beside, seed=seed)

    return [results(other) for other in others]

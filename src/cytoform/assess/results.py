"""`evaluate`: compare two shape stores, and the results as dataclasses and as results.json."""

import math
from collections.abc import Callable
from collections.abc import Sequence as Many
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from cytoform.assess.comparable import chosen, refuse_unlike
from cytoform.assess.measures.descriptors import DESCRIPTORS
from cytoform.assess.measures.dynamics import DYNAMICS
from cytoform.assess.measures.sequences import PAIR_MEASURES, Pair, Sequence, measure_pair, measure_sequence
from cytoform.assess.results_json import results_json
from cytoform.assess.statistics.contrasts import Contrast, Sides, by_sequence, contrasts
from cytoform.assess.statistics.distributions import Values
from cytoform.assess.statistics.near_duplicates import SET_MEASURES, NearDuplicates, find_near_duplicates
from cytoform.base.cluster import local_workers
from cytoform.base.digest import folder_sha256
from cytoform.base.files import write_json
from cytoform.base.parallel import run_all
from cytoform.base.provenance import software_versions
from cytoform.shapes.store import ShapeStore

SIDES = ("reference", "other")
TABLES = {**DESCRIPTORS, **PAIR_MEASURES, **DYNAMICS, **SET_MEASURES}
ESTIMATORS = {
    **{name: f"{measure.definition} ({measure.source})" for name, measure in TABLES.items()},
    "components": "connected components of the mask, 26 neighbours (connected-components-3d)",
    "euler": "components - handles + cavities of the mask, 26 neighbours (scikit-image)",
    "ks_p": "two-sample Kolmogorov-Smirnov test over frames (SciPy)",
    "ks_p_sequences": "the same over the means of sequences, which unlike frames are independent",
    "ks_p_corrected": "Benjamini-Hochberg over the tests of all descriptors (SciPy)",
    "wasserstein": "Wasserstein-1 distance (SciPy); 95 % intervals: bootstrap over whole sequences",
}


@dataclass(frozen=True)
class Results:
    """An assessment: what was measured on each frame of both sides, and per pair of frames where they are paired."""

    reference: tuple[Sequence, ...]
    other: tuple[Sequence, ...]
    # By sequence; None where the two sides are different cells.
    pairs: dict[str, tuple[Pair, ...]] | None
    provenance: dict[str, Any]
    # As sets of whole sequences; None where they are paired.
    near_duplicates: NearDuplicates | None = None
    seed: int = 0

    def descriptor(self, side: str, name: str) -> list[Values]:
        """Values of a descriptor on the "reference" or the "other" side, one array a sequence."""
        sequences: tuple[Sequence, ...] = getattr(self, side)
        return [np.array([getattr(f.descriptors, name) for f in sequence.frames]) for sequence in sequences]

    def temporal(self, side: str, name: str) -> Values:
        """Values of one of DYNAMICS on the "reference" or the "other" side, one a sequence."""
        sequences: tuple[Sequence, ...] = getattr(self, side)
        return np.array([getattr(sequence.dynamics, name) for sequence in sequences])

    def paired(self, name: str) -> dict[str, Values]:
        """Values of one of PAIR_MEASURES by sequence; empty when unpaired."""
        return {key: np.array([getattr(pair, name) for pair in pairs]) for key, pairs in (self.pairs or {}).items()}

    @cached_property
    def over_frames(self) -> dict[str, Contrast]:
        """How each descriptor is distributed over the frames of both sides."""
        return contrasts(self._descriptors, seed=self.seed)

    @cached_property
    def over_sequences(self) -> dict[str, Contrast]:
        """The same over the means of sequences, and each of DYNAMICS."""
        temporal = {name: tuple([v[None] for v in self.temporal(side, name)] for side in SIDES) for name in DYNAMICS}
        return contrasts(by_sequence(self._descriptors) | temporal, seed=self.seed)  # type: ignore[arg-type]

    @cached_property
    def _descriptors(self) -> dict[str, Sides]:
        return {name: (self.descriptor("reference", name), self.descriptor("other", name)) for name in DESCRIPTORS}

    def to_json(self) -> dict[str, Any]:
        """The content of results.json."""
        return results_json(self)

    def write(self, path: Path) -> None:
        """Write results.json; NaN becomes null."""
        write_json(path, null_nan(self.to_json()))


def evaluate(
    reference: Path,
    other: Path,
    *,
    paired: bool,
    sequences: Many[str] | None = None,
    workers: int = 1,
    seed: int = 0,
    done: Callable[[], Any] = lambda: None,
) -> Results:
    """Compare two shape stores; `paired` where each sequence of `other` reconstructs the one of the same name.

    `sequences` limits the reference to these names, and its pairs with it; unpaired cells are all taken. `done` is called
    after every sequence of each side (once a pair). `seed` is that of bootstrap draws and of points on surfaces. Raises
    InputError where the stores cannot be compared, before anything is measured, and where a distance is NaN.
    """
    stores = ShapeStore.open(reference), ShapeStore.open(other)
    names = chosen(stores[0], sequences), chosen(stores[1], sequences if paired else None)
    if paired:
        refuse_unlike(*stores, *names)
    provenance = _provenance(*stores, paired=paired, sequences=sequences, seed=seed)
    with local_workers(min(workers, len(names[0]) + len(names[1]))):
        if paired:
            tasks = [(reference.absolute(), other.absolute(), name) for name in names[0]]
            found = run_all(measure_pair, tasks, workers=workers, done=done)
            pairs = {pair.reference.name: pair.pairs for pair in found}
            sides = [tuple(pair.reference for pair in found), tuple(pair.other for pair in found)]
            return Results(sides[0], sides[1], pairs, provenance, seed=seed)
        alone = [(store.path.absolute(), name) for store, side in zip(stores, names, strict=True) for name in side]
        measured = run_all(measure_sequence, alone, workers=workers, done=done)
        sides = [tuple(measured[: len(names[0])]), tuple(measured[len(names[0]) :])]
        alike = find_near_duplicates((reference, other), names, workers=workers, seed=seed)
        return Results(sides[0], sides[1], None, provenance, alike, seed)


def _provenance(
    a: ShapeStore, b: ShapeStore, *, paired: bool, sequences: Many[str] | None, seed: int
) -> dict[str, Any]:
    return {
        "versions": software_versions(),
        "reference": _store_json(a),
        "other": _store_json(b),
        "parameters": {"paired": paired, "sequences": sorted(set(sequences)) if sequences else None, "seed": seed},
        "estimators": ESTIMATORS,
    }


def _store_json(store: ShapeStore) -> dict[str, Any]:
    return {
        "name": store.path.name,
        "sha256": folder_sha256(store.path),
        "sequences": len(store),
        "frames": sum(sequence.info.n_frames for sequence in store),
        "grid": store.grid.size,
        "spacing_um": store.grid.spacing_um,
        "half_extent_um": store.grid.half_extent_um,
    }


def null_nan(value: Any) -> Any:
    """A value for a JSON file, which knows no NaN."""
    if isinstance(value, dict):
        return {key: null_nan(item) for key, item in value.items()}
    if isinstance(value, list):
        return [null_nan(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value

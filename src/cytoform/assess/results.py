"""`evaluate`: compare two shape stores, and the results as dataclasses and as results.json."""

import math
from collections import Counter
from collections.abc import Callable
from collections.abc import Sequence as Many
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cytoform.assess.descriptors import DESCRIPTORS
from cytoform.assess.distributions import Values, kolmogorov_smirnov, sequence_means, summarise
from cytoform.assess.measures import Pair, Sequence, measure_pair, measure_sequence
from cytoform.errors import InputError
from cytoform.files import write_json
from cytoform.parallel import run_all
from cytoform.provenance import software_versions
from cytoform.shapes.digest import folder_sha256
from cytoform.shapes.store import ShapeStore

ESTIMATORS = {
    "size_um3": "DIPlib Size of the mask",
    "surface_um2": "area of the zero level of the distance field (marching cubes)",
    "sphericity": "A^1.5 / (6 sqrt(pi) V) of that zero level",
    "surface_diplib_um2": "DIPlib SurfaceArea of the mask",
    "sphericity_diplib": "DIPlib P2A of the mask",
    "components": "connected components of the mask, 26 neighbours",
    "assd_um": "mean of exact distances between the zero levels, both ways, weighted by area",
    "hd95_um": "larger of the two directed 95th percentiles of these distances",
    "ks_p": "two-sample Kolmogorov-Smirnov test over frames",
    "ks_p_sequences": "the same over the means of sequences, which unlike frames are independent",
}


@dataclass(frozen=True)
class Results:
    """An assessment: what was measured on each frame of both sides, and per pair of frames where they are paired."""

    reference: tuple[Sequence, ...]
    other: tuple[Sequence, ...]
    # By sequence; None where the two sides are different cells.
    pairs: dict[str, tuple[Pair, ...]] | None
    provenance: dict[str, Any]

    def descriptor(self, side: str, name: str) -> list[Values]:
        """Values of a descriptor on the "reference" or the "other" side, one array a sequence."""
        sequences: tuple[Sequence, ...] = getattr(self, side)
        return [np.array([getattr(f.descriptors, name) for f in sequence.frames]) for sequence in sequences]

    def paired(self, name: str) -> dict[str, Values]:
        """Values of a paired measure (jaccard, dice, assd_um, hd95_um) by sequence; empty when unpaired."""
        return {key: np.array([getattr(pair, name) for pair in pairs]) for key, pairs in (self.pairs or {}).items()}

    def to_json(self) -> dict[str, Any]:
        """The content of results.json; NaN becomes null, and so does what a comparison without pairs lacks."""
        return {
            "jaccard": self._paired_json("jaccard"),
            "dice": self._paired_json("dice"),
            "surface_distance": {name: self._paired_json(name) for name in ("assd_um", "hd95_um")}
            if self.pairs
            else None,
            "descriptors": {name: self._descriptor_json(name) for name in DESCRIPTORS},
            "topology": {side: _topology_json(getattr(self, side)) for side in ("reference", "other")},
            "provenance": self.provenance,
        }

    def write(self, path: Path) -> None:
        """Write results.json."""
        write_json(path, null_nan(self.to_json()))

    def _paired_json(self, name: str) -> dict[str, Any] | None:
        if self.pairs is None:
            return None
        by_sequence = self.paired(name)
        whole = np.concatenate(list(by_sequence.values()))
        each = {key: _mean_std(values) | {"per_frame": values.tolist()} for key, values in by_sequence.items()}
        return _mean_std(whole) | {"per_frame": whole.tolist(), "per_sequence": each}

    def _descriptor_json(self, name: str) -> dict[str, Any]:
        reference, other = self.descriptor("reference", name), self.descriptor("other", name)
        frames = kolmogorov_smirnov(np.concatenate(reference), np.concatenate(other))
        sequences = kolmogorov_smirnov(sequence_means(reference), sequence_means(other))
        return {
            "reference": _side_json(self.reference, reference),
            "other": _side_json(self.other, other),
            "ks_statistic": frames.statistic,
            "ks_p": frames.p,
            "ks_statistic_sequences": sequences.statistic,
            "ks_p_sequences": sequences.p,
            "unit": DESCRIPTORS[name].unit,
        }


def evaluate(
    reference: Path,
    other: Path,
    *,
    paired: bool,
    sequences: Many[str] | None = None,
    workers: int = 1,
    done: Callable[[], Any] = lambda: None,
) -> Results:
    """Compare two shape stores; `paired` where each sequence of `other` reconstructs the one of the same name.

    `sequences` limits both sides to these names; `done` is called after every sequence of each side (once a pair).
    Raises InputError where the stores cannot be compared, before anything is measured.
    """
    stores = ShapeStore.open(reference), ShapeStore.open(other)
    names = [_chosen(store, sequences) for store in stores]
    if paired:
        _refuse_unlike(*stores, *names)
        tasks = [(reference.absolute(), other.absolute(), name) for name in names[0]]
        found = run_all(measure_pair, tasks, workers=workers, done=done)
        sides = [tuple(pair.reference for pair in found), tuple(pair.other for pair in found)]
    else:
        alone = [(store.path.absolute(), name) for store, chosen in zip(stores, names, strict=True) for name in chosen]
        measured = run_all(measure_sequence, alone, workers=workers, done=done)
        sides = [tuple(measured[: len(names[0])]), tuple(measured[len(names[0]) :])]
    pairs = {pair.reference.name: pair.pairs for pair in found} if paired else None
    return Results(sides[0], sides[1], pairs, _provenance(*stores, paired=paired, sequences=sequences))


def _chosen(store: ShapeStore, sequences: Many[str] | None) -> list[str]:
    if not store.names:
        raise InputError(f"{store.path}: holds no sequence; make it anew with 'cytoform prepare'")
    for name in sequences or ():
        if name not in store.names:
            raise InputError(f"{store.path}: no sequence {name!r}; it has {', '.join(store.names[:5])} …")
    return sorted(set(sequences)) if sequences else store.names


def _refuse_unlike(a: ShapeStore, b: ShapeStore, names_a: list[str], names_b: list[str]) -> None:
    """Raise InputError unless both stores have the same cube, voxels, sequences and frames."""
    where = f"{b.path} cannot be paired with {a.path}"
    remedy = "or leave out --paired to compare distributions"
    if not math.isclose(a.grid.half_extent_um, b.grid.half_extent_um, rel_tol=1e-6):
        raise InputError(
            f"{where}: half extents are {b.grid.half_extent_um:g} and {a.grid.half_extent_um:g} µm; "
            f"prepare both with the same --half-extent, {remedy}"
        )
    if a.grid.size != b.grid.size:
        raise InputError(
            f"{where}: grids are {b.grid.size}³ and {a.grid.size}³; make {b.path.name} anew with --grid {a.grid.size}, {remedy}"
        )
    lone = sorted(set(names_a) ^ set(names_b))
    if lone:
        side = a.path if lone[0] in names_a else b.path
        raise InputError(
            f"{where}: sequence {lone[0]!r} is only in {side} ({len(lone)} such); "
            f"name those to compare with --sequences, {remedy}"
        )
    for name in names_a:
        n_a, n_b = a[name].info.n_frames, b[name].info.n_frames
        if n_a != n_b:
            raise InputError(
                f"{where}: sequence {name!r} has {n_b} and {n_a} frames; make {b.path.name} anew with --frames {n_a}, {remedy}"
            )


def _side_json(sequences: tuple[Sequence, ...], values: list[Values]) -> dict[str, Any]:
    each = {sequence.name: row.tolist() for sequence, row in zip(sequences, values, strict=True)}
    return asdict(summarise(np.concatenate(values))) | {"per_sequence": each}


def _topology_json(sequences: tuple[Sequence, ...]) -> dict[str, Any]:
    frames = [frame.topology for sequence in sequences for frame in sequence.frames]
    return {
        "components": {str(n): count for n, count in sorted(Counter(f.components for f in frames).items())},
        "euler": {str(n): count for n, count in sorted(Counter(f.euler for f in frames).items())},
        "single_component_share": sum(f.components == 1 for f in frames) / len(frames),
        "per_sequence": {
            s.name: {
                "components": [f.topology.components for f in s.frames],
                "euler": [f.topology.euler for f in s.frames],
            }
            for s in sequences
        },
    }


def _provenance(a: ShapeStore, b: ShapeStore, *, paired: bool, sequences: Many[str] | None) -> dict[str, Any]:
    return {
        "versions": software_versions(),
        "reference": _store_json(a),
        "other": _store_json(b),
        "parameters": {"paired": paired, "sequences": sorted(set(sequences)) if sequences else None},
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


def _mean_std(values: Values) -> dict[str, float]:
    summary = summarise(values)
    return {"mean": summary.mean, "std": summary.std}


def null_nan(value: Any) -> Any:
    """A value for a JSON file, which knows no NaN."""
    if isinstance(value, dict):
        return {key: null_nan(item) for key, item in value.items()}
    if isinstance(value, list):
        return [null_nan(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value

"""What of an assessment is written to results.json."""

from collections import Counter
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

from cytoform.assess.measures.descriptors import DESCRIPTORS
from cytoform.assess.measures.dynamics import DYNAMICS
from cytoform.assess.measures.sequences import Sequence
from cytoform.assess.statistics.contrasts import Contrast
from cytoform.assess.statistics.distributions import Values, summarise

if TYPE_CHECKING:
    from cytoform.assess.results import Results


def results_json(results: "Results") -> dict[str, Any]:
    """The content of results.json, where NaN is still to become null; null, too, for what a comparison has not."""
    paired, near_duplicates = results.pairs is not None, results.near_duplicates
    return {
        "jaccard": _paired(results, "jaccard") if paired else None,
        "dice": _paired(results, "dice") if paired else None,
        "surface_distance": {name: _paired(results, name) for name in ("assd_um", "hd95_um")} if paired else None,
        "normal_consistency": _paired(results, "normal_consistency") if paired else None,
        "descriptors": {name: _descriptor(results, name) for name in DESCRIPTORS},
        "temporal": {name: _temporal(results, name) for name in DYNAMICS},
        "topology": {side: _topology(getattr(results, side)) for side in ("reference", "other")},
        "sets": None if near_duplicates is None else near_duplicates.to_json(),
        "provenance": results.provenance,
    }


def _paired(results: "Results", name: str) -> dict[str, Any]:
    by_sequence = results.paired(name)
    whole = np.concatenate(list(by_sequence.values()))
    each = {key: _mean_std(values) | {"per_frame": values.tolist()} for key, values in by_sequence.items()}
    return _mean_std(whole) | {"per_frame": whole.tolist(), "per_sequence": each}


def _descriptor(results: "Results", name: str) -> dict[str, Any]:
    frames, sequences = results.over_frames[name], results.over_sequences[name]
    sides = {side: _side(getattr(results, side), results.descriptor(side, name)) for side in ("reference", "other")}
    return {**sides, **_contrast(frames, ""), **_contrast(sequences, "_sequences"), "unit": DESCRIPTORS[name].unit}


def _temporal(results: "Results", name: str) -> dict[str, Any]:
    sides = {}
    for side in ("reference", "other"):
        values = results.temporal(side, name)
        names = [sequence.name for sequence in getattr(results, side)]
        sides[side] = asdict(summarise(values)) | {"per_sequence": dict(zip(names, values.tolist(), strict=True))}
    return {**sides, **_contrast(results.over_sequences[name], "_sequences"), "unit": DYNAMICS[name].unit}


def _contrast(contrast: Contrast, key: str) -> dict[str, Any]:
    return {
        f"ks_statistic{key}": contrast.ks.statistic,
        f"ks_p{key}": contrast.ks.p,
        f"ks_p_corrected{key}": contrast.ks_p_corrected,
        f"wasserstein{key}": asdict(contrast.wasserstein),
        f"mean_difference{key}": asdict(contrast.mean_difference),
        f"qq{key}": contrast.qq.tolist(),
    }


def _side(sequences: tuple[Sequence, ...], values: list[Values]) -> dict[str, Any]:
    each = {sequence.name: row.tolist() for sequence, row in zip(sequences, values, strict=True)}
    return asdict(summarise(np.concatenate(values))) | {"per_sequence": each}


def _topology(sequences: tuple[Sequence, ...]) -> dict[str, Any]:
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


def _mean_std(values: Values) -> dict[str, float]:
    summary = summarise(values)
    return {"mean": summary.mean, "std": summary.std}

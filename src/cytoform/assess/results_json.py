"""The parts of results.json, from typed measures; NaN is still to become null."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from cytoform.assess.measures.masks import TopologyCounts
from cytoform.assess.measures.protrusion_tracks import FRAME_PROTRUSIONS, PROTRUSION_MEASURES
from cytoform.assess.measures.sequences import MeasuredSequence
from cytoform.assess.statistics.contrasts import Contrast
from cytoform.assess.statistics.distributions import Values, summarise
from cytoform.assess.store_contrasts import Role, StoreContrasts

SEQUENCES = "_sequences"  # ends the keys of figures over the means of sequences


def pairs_json(by_sequence: Mapping[str, Values]) -> dict[str, Any]:
    """A measure of pairs, over all frames and by sequence."""
    whole = np.concatenate(list(by_sequence.values()))
    each = {key: _values_json(values) for key, values in by_sequence.items()}
    return _values_json(whole) | {"per_sequence": each}


def _values_json(values: Values) -> dict[str, Any]:
    summary = summarise(values)
    return {"mean": summary.mean, "std": summary.std, "per_frame": values.tolist()}


def side_json(values: Values, by_sequence: Mapping[str, Any]) -> dict[str, Any]:
    """A measure on one side: the summary of all values, and the values by sequence."""
    return asdict(summarise(values)) | {"per_sequence": by_sequence}


def contrast_json(contrast: Contrast, ending: str = "") -> dict[str, Any]:
    """Tests, distances and quantiles between two sides; `ending` ends each key."""
    permuted = contrast.permuted
    return {
        f"ks_statistic{ending}": contrast.ks.statistic,
        f"ks_p{ending}": contrast.ks.p,
        f"ks_p_corrected{ending}": contrast.ks_p_corrected,
        f"wasserstein{ending}": asdict(contrast.wasserstein),
        f"mean_difference{ending}": asdict(contrast.mean_difference),
        f"qq{ending}": contrast.qq.tolist(),
        **({} if permuted is None else {"ks_p_permuted": permuted.p, "ks_p_permuted_corrected": permuted.p_corrected}),
    }


def descriptor_json(stores: StoreContrasts, side: Role, name: str) -> dict[str, Any]:
    """A descriptor on one side, over all frames and by sequence."""
    values = stores.descriptor(side, name)
    each = {key: row.tolist() for key, row in zip(stores.store(side).names, values, strict=True)}
    return side_json(np.concatenate(values), each)


def temporal_json(stores: StoreContrasts, side: Role, name: str) -> dict[str, Any]:
    """A measure of changes on one side, over all sequences and by sequence."""
    values = stores.temporal(side, name)
    return side_json(values, dict(zip(stores.store(side).names, values.tolist(), strict=True)))


def protrusion_json(stores: StoreContrasts, side: Role, name: str) -> dict[str, Any]:
    """One of PROTRUSION_MEASURES on one side, over all frames or sequences and by sequence."""
    values = stores.protrusions(side, name)
    each = zip(stores.store(side).names, values, strict=True)
    by_sequence = {key: row.tolist() if name in FRAME_PROTRUSIONS else float(row[0]) for key, row in each}
    return side_json(np.concatenate(values), by_sequence)


def protrusion_contrasts_json(stores: StoreContrasts) -> dict[str, Any] | None:
    """Contrasts of all PROTRUSION_MEASURES, empty for those that are not tested; None where cells are not taken apart."""
    if not stores.taken_apart:
        return None
    frames, sequences = stores.protrusions_over_frames, stores.protrusions_over_sequences
    return {
        name: (contrast_json(frames[name]) if name in frames else {})
        | (contrast_json(sequences[name], SEQUENCES) if name in sequences else {})
        for name in PROTRUSION_MEASURES
    }


def contrasts_json(stores: StoreContrasts) -> dict[str, Any]:
    """All contrasts between two stores, without the values behind them."""
    frames, sequences = stores.over_frames, stores.over_sequences
    return {
        "descriptors": {
            name: contrast_json(frames[name]) | contrast_json(sequences[name], SEQUENCES)
            for name in stores.measures.descriptors
        },
        "temporal": {name: contrast_json(sequences[name], SEQUENCES) for name in stores.measures.dynamics},
        "protrusions": protrusion_contrasts_json(stores),
    }


def topology_json(sequences: Sequence[MeasuredSequence]) -> dict[str, Any]:
    """Components and Euler numbers of the frames of one side."""
    by_sequence = {each.name: [frame.topology for frame in each.frames] for each in sequences}
    counts = TopologyCounts.of([frame for frames in by_sequence.values() for frame in frames])
    return {
        "components": {str(n): count for n, count in counts.components.items()},
        "euler": {str(n): count for n, count in counts.euler.items()},
        "single_component_share": counts.single_component_share,
        "per_sequence": {
            name: {"components": [each.components for each in frames], "euler": [each.euler for each in frames]}
            for name, frames in by_sequence.items()
        },
    }


def null_nan(value: Any) -> Any:
    """A value for a JSON file, which knows no NaN."""
    if isinstance(value, dict):
        return {key: null_nan(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [null_nan(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value

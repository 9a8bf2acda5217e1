"""The tables of a report as CSV files: means, tests, pieces, and every figure of every frame."""

import csv
import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from cytoform.assess.measures.protrusion_tracks import PROTRUSION_MEASURES
from cytoform.assess.measures.sequences import PAIR_MEASURES, MeasuredPair
from cytoform.assess.measures.thin_parts import THIN_MEASURES
from cytoform.assess.results_json import SEQUENCES, contrast_json
from cytoform.assess.statistics.distributions import summarise
from cytoform.assess.statistics.held_out_sets import HeldOutSets
from cytoform.assess.store_contrasts import StoreContrasts
from cytoform.reports.shapes.cells import Cell, Comparison, columns_of


def write_tables(folder: Path, comparisons: Sequence[Comparison], cells: Sequence[Cell]) -> list[Path]:
    """descriptors.csv, tests.csv, frames.csv, overlap.csv where there are pairs and sets.csv where not; return them."""
    folder.mkdir(parents=True, exist_ok=True)
    written = [
        _write(folder / "descriptors.csv", _descriptor_rows(comparisons)),
        _write(folder / "tests.csv", _test_rows(comparisons)),
        _write(folder / "frames.csv", _frame_rows(cells)),
    ]
    if any(comparison.results.near_duplicates for comparison in comparisons):
        written.append(_write(folder / "sets.csv", _set_rows(comparisons)))
    if any(comparison.results.pairs for comparison in comparisons):
        written.append(_write(folder / "overlap.csv", _overlap_rows(comparisons)))
    return written


def _descriptor_rows(comparisons: Sequence[Comparison]) -> Iterable[dict[str, Any]]:
    labels = ["Original", *(comparison.label for comparison in comparisons)]
    for label, stores, role in columns_of(comparisons, labels):
        of_frames = {name: np.concatenate(stores.descriptor(role, name)) for name in stores.measures.descriptors}
        of_sequences = {name: stores.temporal(role, name) for name in stores.measures.dynamics}
        if stores.taken_apart:
            of_sequences |= {name: np.concatenate(stores.protrusions(role, name)) for name in PROTRUSION_MEASURES}
        for name, values in (of_frames | of_sequences).items():
            measure = (stores.measures.all | PROTRUSION_MEASURES)[name]
            named = {"title": measure.title, "unit": measure.unit}
            yield {"cells": label, "measure": name} | named | asdict(summarise(values))


def _test_rows(comparisons: Sequence[Comparison]) -> Iterable[dict[str, Any]]:
    tested: list[tuple[str, StoreContrasts]] = [(comparison.label, comparison.results) for comparison in comparisons]
    beside = [(each.label, each.results.held_out) for each in comparisons if each.results.held_out is not None]
    tested += [(f"{label} against held out", held_out.new) for label, held_out in beside]
    tested += [("Held out", held_out.learned) for _, held_out in beside[:1]]
    for label, stores in tested:
        over_frames = stores.over_frames | stores.protrusions_over_frames
        for name, sequences in (stores.over_sequences | stores.protrusions_over_sequences).items():
            frames = over_frames.get(name)
            found = ({} if frames is None else contrast_json(frames)) | contrast_json(sequences, SEQUENCES)
            figures = {key: value for key, value in found.items() if not key.startswith("qq")}
            yield {"cells": label, "measure": name} | _flat(figures)


def _set_rows(comparisons: Sequence[Comparison]) -> Iterable[dict[str, Any]]:
    for comparison in comparisons:
        sets = comparison.results.near_duplicates
        if sets is not None:
            for name, figure in asdict(sets.measures).items():
                yield {"cells": comparison.label, "measure": name, "sequence": ""} | figure
            for name, novelty in sets.novelty_um2.items():
                nearest = {"value": novelty, "nearest": sets.nearest[name]}
                yield {"cells": comparison.label, "measure": "novelty_um2", "sequence": name} | nearest
            if sets.held_out is not None:
                yield from _held_out_rows(comparison.label, sets.held_out)


def _held_out_rows(label: str, sets: HeldOutSets) -> Iterable[dict[str, Any]]:
    """Sets of equally many sequences, and memorisation; `cells` says which are compared."""
    pairs = {
        f"{label} against held out": sets.new_held_out,
        f"{label} against original, equally many": sets.new_learned,
        "Held out": sets.held_out_learned,
    }
    for pair, measures in pairs.items():
        for name, figure in asdict(measures).items():
            yield {"cells": pair, "measure": name, "sequence": ""} | figure
    for name, novelty in sets.held_out_um2.items():
        yield {"cells": "Held out", "measure": "novelty_um2", "sequence": name, "value": novelty}
    memorised = {"memorisation_z": sets.memorisation.z, "memorisation_p": sets.memorisation.p}
    for name, value in ({"novelty_ratio": sets.novelty_ratio} | memorised).items():
        yield {"cells": label, "measure": name, "sequence": "", "value": value}


def _overlap_rows(comparisons: Sequence[Comparison]) -> Iterable[dict[str, Any]]:
    for comparison in comparisons:
        thin = THIN_MEASURES if comparison.results.taken_apart else {}
        for name in PAIR_MEASURES | thin if comparison.results.pairs else ():
            for sequence, values in comparison.results.paired(name).items():
                summary = summarise(values)
                yield {"cells": comparison.label, "sequence": sequence, "measure": name} | asdict(summary)


def _frame_rows(cells: Sequence[Cell]) -> Iterable[dict[str, Any]]:
    for cell in cells:
        for strand in cell.strands:
            tracked = strand.sequence.protrusions
            for number, frame in enumerate(strand.sequence.frames):
                yield (
                    {"cells": strand.side.label, "sequence": cell.name, "frame": number + 1}
                    | asdict(frame.descriptors)
                    | asdict(frame.topology)
                    | ({} if strand.pairs is None else _pair(strand.pairs[number]))
                    | ({} if tracked is None else asdict(tracked.frames[number]))
                )


def _pair(pair: MeasuredPair) -> dict[str, float]:
    thin = {} if pair.thin is None else THIN_MEASURES
    return {name: pair.value(name) for name in PAIR_MEASURES | thin}


def _flat(values: dict[str, Any], before: str = "") -> dict[str, Any]:
    """Nested figures side by side, named by their path."""
    flat: dict[str, Any] = {}
    for key, value in values.items():
        flat |= _flat(value, f"{before}{key}_") if isinstance(value, dict) else {f"{before}{key}": value}
    return flat


def _write(path: Path, rows: Iterable[dict[str, Any]]) -> Path:
    """A table whose columns are those of all rows; what is not defined stays empty."""
    rows = list(rows)
    columns = list(dict.fromkeys(key for row in rows for key in row))
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows([_text(row.get(column)) for column in columns] for row in rows)
    return path


def _text(cell: object) -> str:
    if cell is None:
        return ""
    if isinstance(cell, float | np.floating):
        return f"{float(cell):.8g}" if math.isfinite(cell) else ""
    return str(cell)

"""The content of a report, before it is written as a page."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cytoform.assess.measures.kinds import Measures
from cytoform.base.parallel import Progress, no_progress, run_all
from cytoform.pictures.figures import COLOURS, Side
from cytoform.pictures.player.element import round_up
from cytoform.reports.shapes.cell_pictures import CellPictures, CellTask, draw_cell
from cytoform.reports.shapes.cells import Cell, Comparison, cells_of
from cytoform.reports.shapes.code_map import CodeMap
from cytoform.reports.shapes.failures import Failure, Norm, failures_of

# For the players of all cells; the rest of a page of a hundred cells takes some eight megabytes.
PLAYERS_BYTES = 15_000_000
PLAYER_BYTES = 900_000  # a larger player would look the same


@dataclass(frozen=True)
class Report:
    """The content of the page."""

    title: str
    reference: Path
    comparisons: tuple[Comparison, ...]
    sides: tuple[Side, ...]  # of the reference and one for each comparison
    cells: tuple[Cell, ...]
    failures: dict[str, tuple[Failure, ...]]  # by the key of their cell
    pictures: dict[str, CellPictures]  # likewise
    error_limit_um: float
    code_map: CodeMap | None
    beside: Path  # the folder around the finished report
    provenance: dict[str, Any]

    @property
    def measures(self) -> Measures:
        """The measures of all stores."""
        return self.comparisons[0].results.measures


def assemble(
    title: str,
    reference: Path,
    comparisons: Sequence[Comparison],
    *,
    provenance: dict[str, Any],
    beside: Path,
    code_map: CodeMap | None = None,
    workers: int = 1,
    progress: Progress = no_progress,
) -> Report:
    """Find the worst frames, and draw every cell."""
    sides = [Side("Original", COLOURS[0])]
    sides += [Side(c.label, COLOURS[1 + i % (len(COLOURS) - 1)]) for i, c in enumerate(comparisons)]
    cells = cells_of(reference, comparisons, sides)
    originals = [cell.strands[0] for cell in cells if cell.original is not None]
    norm = Norm.of(originals, comparisons[0].results.measures)
    failures = {cell.key: failures_of(cell, norm) for cell in cells}
    limit_um = error_limit_um(comparisons)
    tasks = [(CellTask(cell, failures[cell.key], limit_um, _budget_bytes(cell, cells)),) for cell in cells]
    with progress("drawing cells", len(cells)) as advance:
        drawn = run_all(draw_cell, tasks, workers=workers, done=lambda: advance(1))
    pictures = {cell.key: each for cell, each in zip(cells, drawn, strict=True)}
    return Report(
        title=title,
        reference=reference,
        comparisons=tuple(comparisons),
        sides=tuple(sides),
        cells=cells,
        failures=failures,
        pictures=pictures,
        error_limit_um=limit_um,
        code_map=code_map,
        beside=beside,
        provenance=provenance,
    )


def error_limit_um(comparisons: Sequence[Comparison]) -> float:
    """Where the colours of errors end: the mean 95 % Hausdorff distance or a voxel, rounded up to 1, 2, 5, 10, ...

    Errors smaller than a voxel should not look like faults.
    """
    found = [values for comparison in comparisons for values in comparison.results.paired("hd95_um").values()]
    every = np.concatenate(found) if found else np.empty(0)
    every = every[np.isfinite(every)]
    spacing_um = comparisons[0].results.reference.grid.spacing_um
    return round_up(max(float(every.mean()) if len(every) else 0.0, spacing_um))


def _budget_bytes(cell: Cell, cells: Sequence[Cell]) -> int:
    """The cell's share of the budget, by its number of shapes."""
    every = sum(len(strand.sequence.frames) for each in cells for strand in each.strands)
    own = sum(len(strand.sequence.frames) for strand in cell.strands)
    return min(PLAYERS_BYTES * own // every, PLAYER_BYTES)


def lead(report: Report) -> str:
    """One sentence on the compared stores."""
    store = report.comparisons[0].results.reference
    n_frames = sum(len(sequence.frames) for sequence in store.sequences)
    return (
        f"{_count(len(store.sequences), 'original sequence')} with {_count(n_frames, 'frame')} from {store.path.name}, "
        f"on a grid of {store.grid.text}, against "
        + " and ".join(_described(c) for c in report.comparisons)
        + _held_out(report)
        + "."
    )


def _held_out(report: Report) -> str:
    for comparison in report.comparisons:
        if (held_out := comparison.results.held_out) is not None:
            n = len(held_out.store.sequences)
            return f", beside {_count(n, 'held-out sequence')} from {held_out.store.path.name}"
    return ""


def _described(comparison: Comparison) -> str:
    store = comparison.results.other
    kind = "paired frame by frame" if store.pairs else "compared as distributions"
    return f"{_count(len(store.sequences), 'sequence')} from {store.path.name} ({comparison.label.lower()}; {kind})"


def _count(n: int, noun: str) -> str:
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"

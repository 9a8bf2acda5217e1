"""A few cells of every side over time on one sheet."""

from collections.abc import Sequence
from pathlib import Path

from matplotlib.figure import Figure

from cytoform.pictures.figures import Side
from cytoform.pictures.sheets import SheetRow, contact_sheet, meshes_over_time, spread
from cytoform.reports.shapes.cells import Comparison
from cytoform.shapes.store import ShapeStore

SEQUENCES_SHOWN, TIMES_SHOWN = 3, 6


def cells_sheet(reference: Path, comparisons: Sequence[Comparison], sides: Sequence[Side]) -> Figure:
    """Blocks of rows: an original sequence, its reconstruction below it, and a sequence of each unpaired store."""
    original = ShapeStore.open(reference)
    measured = {sequence.name for c in comparisons if c.results.pairs for sequence in c.results.reference}
    names = sorted(measured) or [sequence.name for sequence in comparisons[0].results.reference]
    longest = max(original[name].info.n_frames for name in names)
    shares = [index / max(longest - 1, 1) for index in spread(longest, TIMES_SHOWN)]
    rows = []
    for block, chosen in enumerate(spread(len(names), SEQUENCES_SHOWN)):
        name = names[chosen]
        meshes = meshes_over_time(original[name], shares)
        rows.append(SheetRow(sides[0].label, name, meshes, sides[0].colour, first_of_block=True))
        for comparison, side in zip(comparisons, sides[1:], strict=True):
            store = ShapeStore.open(comparison.store)
            others = [sequence.name for sequence in comparison.results.other]
            if not comparison.results.pairs and block >= len(others):
                continue
            match = name if comparison.results.pairs else others[spread(len(others), SEQUENCES_SHOWN)[block]]
            rows.append(SheetRow(side.label, match, meshes_over_time(store[match], shares), side.colour))
    first = original[names[0]].info
    columns = [_time_title(round(share * (longest - 1)), first.time_step_s) for share in shares]
    return contact_sheet(rows, columns=columns, half_extent_um=original.grid.half_extent_um)


def _time_title(frame: int, time_step_s: float | None) -> str:
    if time_step_s is None:
        return f"frame {frame + 1}"
    seconds = frame * time_step_s
    return f"frame {frame + 1} · " + (f"{seconds / 60:.3g} min" if time_step_s >= 30 else f"{seconds:.3g} s")

"""The report: one HTML file with everything in it; its figures and tables as files beside it.

report.html     the page
results.json    figures of the first comparison; of the others results_LABEL.json
figures/        its figures, PNG and SVG
tables/         its tables, CSV
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cytoform.base.output import Output
from cytoform.base.parallel import Progress, no_progress
from cytoform.errors import InputError
from cytoform.pictures.page import Drawer, page
from cytoform.pictures.player.element import player_head
from cytoform.reports.shapes.cell_page import Nearest, cell_page
from cytoform.reports.shapes.cells import Cell, Comparison
from cytoform.reports.shapes.code_map import CodeMap
from cytoform.reports.shapes.csv_tables import write_tables
from cytoform.reports.shapes.data import Report, assemble, lead
from cytoform.reports.shapes.sections import sections_of

__all__ = ["Comparison", "write_report"]


def write_report(
    folder: Path,
    *,
    title: str,
    reference: Path,
    comparisons: Sequence[Comparison],
    provenance: dict[str, Any] | None = None,
    code_map: CodeMap | None = None,
    beside: Path | None = None,
    workers: int = 1,
    progress: Progress = no_progress,
) -> Path:
    """Write report.html, results.json, figures/ and tables/ into `folder`; return the page.

    All comparisons are with the same `reference` store, which the page calls "Original". `provenance` adds facts that the
    results lack, such as commands and training settings, as values fit for JSON. `beside` is the folder around the report
    when it is finished, in which a studio may lie; by default that around `folder`. Raises InputError if `folder` has other
    files than those of an older report.
    """
    path = folder / "report.html"
    Output.at(path, inputs=[], overwrite=True).refuse_existing()
    if not path.exists() and any(folder.iterdir()):
        raise InputError(f"{folder}: holds other files; give a folder of its own to the report")
    report = assemble(
        title,
        reference,
        comparisons,
        provenance=provenance or {},
        code_map=code_map,
        beside=beside or folder.absolute().parent,
        workers=workers,
        progress=progress,
    )
    text = page(
        report.title,
        lead(report),
        sections_of(report, Drawer(folder / "figures")),
        cells="\n".join(_cell_pages(report)),
        head=player_head(),
    )
    path.write_text(text, "utf-8")
    for number, comparison in enumerate(comparisons):
        comparison.results.write(folder / ("results.json" if number == 0 else f"results_{comparison.stem}.json"))
    write_tables(folder / "tables", comparisons, report.cells)
    return path


def _cell_pages(report: Report) -> list[str]:
    cells = report.cells
    return [
        cell_page(
            cell,
            report.pictures[cell.key],
            report.failures[cell.key],
            before=cells[i - 1] if i else None,
            after=cells[i + 1] if i + 1 < len(cells) else None,
            measures=report.measures,
            nearest=_nearest(cell, report),
        )
        for i, cell in enumerate(cells)
    ]


def _nearest(cell: Cell, report: Report) -> Nearest | None:
    """The original nearest to a cell, where sets were compared."""
    originals = {each.name: each for each in report.cells if each.original is not None}
    for comparison in report.comparisons:
        sets = comparison.results.near_duplicates
        if sets is not None and cell.strands[0].side.label == comparison.label and cell.name in sets.nearest:
            return Nearest(originals[sets.nearest[cell.name]], sets.novelty_um2[cell.name])
    return None

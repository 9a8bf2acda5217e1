"""The report: one HTML file with everything in it; its figures and tables as files beside it.

report.html     the page
results.json    figures of the first comparison; of the others results_LABEL.json
figures/        its figures, PNG and SVG
tables/         its tables, CSV
"""

import html
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Any

import cytoform
from cytoform.base.parallel import Progress, no_progress
from cytoform.pictures.page import Drawer
from cytoform.pictures.player.element import player_head
from cytoform.reports.shapes.cell_page import Nearest, cell_page
from cytoform.reports.shapes.cells import Cell, Comparison
from cytoform.reports.shapes.code_map import CodeMap
from cytoform.reports.shapes.csv_tables import write_tables
from cytoform.reports.shapes.data import Report, assemble, lead
from cytoform.reports.shapes.sections import SECTIONS

__all__ = ["Comparison", "write_report"]


def write_report(
    folder: Path,
    *,
    title: str,
    reference: Path,
    comparisons: Sequence[Comparison],
    provenance: dict[str, Any] | None = None,
    code_map: CodeMap | None = None,
    workers: int = 1,
    progress: Progress = no_progress,
) -> Path:
    """Write report.html, results.json, figures/ and tables/ into `folder`; return the page.

    All comparisons are with the same `reference` store, which the page calls "Original". `provenance` adds what the
    results do not know (commands, training settings); it has to be fit for JSON.
    """
    report = assemble(
        title,
        reference,
        comparisons,
        provenance=provenance or {},
        code_map=code_map,
        workers=workers,
        progress=progress,
    )
    path = folder / "report.html"
    path.write_text(_page(report, Drawer(folder / "figures")), "utf-8")
    for number, comparison in enumerate(comparisons):
        comparison.results.write(folder / ("results.json" if number == 0 else f"results_{comparison.stem}.json"))
    write_tables(folder / "tables", comparisons, report.cells)
    return path


def _page(report: Report, drawer: Drawer) -> str:
    resources = files("cytoform")
    texts = {
        name: resources.joinpath(name).read_text("utf-8")
        for name in (
            "pictures/page.css",
            "reports/shapes/report.html",
            "reports/shapes/report.css",
            "reports/shapes/report.js",
        )
    }
    written = [(section, section.write(report, drawer)) for section in SECTIONS]
    shown = [(section, body) for section, body in written if body]
    links = [f'<li><a href="#{section.id}">{html.escape(section.link)}</a></li>' for section, _ in shown]
    sections = [
        f'<section id="{section.id}"><h2>{html.escape(section.title)}</h2>\n{body}</section>' for section, body in shown
    ]
    return Template(texts["reports/shapes/report.html"]).substitute(
        title=html.escape(report.title),
        style=texts["pictures/page.css"] + texts["reports/shapes/report.css"],
        script=texts["reports/shapes/report.js"],
        player_head=player_head(),
        lead=html.escape(lead(report)),
        links="".join(links),
        sections="\n".join(sections),
        cells="\n".join(_cell_pages(report)),
        version=cytoform.__version__,
    )


def _cell_pages(report: Report) -> list[str]:
    cells = report.cells
    return [
        cell_page(
            cell,
            report.pictures[cell.key],
            report.failures[cell.key],
            before=cells[i - 1] if i else None,
            after=cells[i + 1] if i + 1 < len(cells) else None,
            nearest=_nearest(cell, report),
        )
        for i, cell in enumerate(cells)
    ]


def _nearest(cell: Cell, report: Report) -> Nearest | None:
    """The original most like a cell, where sets were compared."""
    originals = {each.name: each for each in report.cells if each.original is not None}
    for comparison in report.comparisons:
        alike = comparison.results.near_duplicates
        if alike is not None and cell.strands[0].side.label == comparison.label and cell.name in alike.nearest:
            return Nearest(originals[alike.nearest[cell.name]], alike.novelty_um2[cell.name])
    return None

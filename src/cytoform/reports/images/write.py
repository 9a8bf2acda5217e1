"""report.html, its figures and its tables.

report.html     the page
results.json    all figures, with their intervals and for every frame
figures/        the figures of the page, PNG and SVG
tables/         CSV
"""

from pathlib import Path

from cytoform.assess.results_json import null_nan
from cytoform.base.files import write_json
from cytoform.pictures.page import Drawer, page
from cytoform.reports.images.data import ImageReport
from cytoform.reports.images.sections import sections_of
from cytoform.reports.images.tables import write_csv


def write_image_report(folder: Path, report: ImageReport) -> Path:
    """Write the page and the files beside it into `folder`; return the page."""
    path = folder / "report.html"
    sections = sections_of(report, Drawer(folder / "figures"))
    path.write_text(page(report.title, _lead(report), sections), "utf-8")
    write_csv(folder / "tables", report)
    write_json(folder / "results.json", null_nan(report.to_json()))
    return path


def _lead(report: ImageReport) -> str:
    others = " and ".join(f"{len(each.frames)} of {each.label}" for each in report.others)
    shared = [found.label for found in report.found if found.shared_masks]
    masks = f"; on masks of real frames: {', '.join(shared)}" if shared else ""
    return f"{len(report.real.frames)} real images against {others}{masks}."

"""report.html, its figures and its tables.

report.html     the page
results.json    all figures, with their intervals and for every frame
figures/        the figures of the page, PNG and SVG
tables/         CSV
"""

import html
import math
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Any

import cytoform
from cytoform.base.files import write_json
from cytoform.pictures.page import Drawer
from cytoform.reports.images.data import ImageReport
from cytoform.reports.images.sections import SECTIONS
from cytoform.reports.images.tables import write_csv


def write_image_report(folder: Path, report: ImageReport) -> Path:
    """Write all of it into `folder`; return the page."""
    path = folder / "report.html"
    path.write_text(_page(report, Drawer(folder / "figures")), "utf-8")
    write_csv(folder / "tables", report)
    write_json(folder / "results.json", _without_nan(report.to_json()))
    return path


def _page(report: ImageReport, drawer: Drawer) -> str:
    resources = files("cytoform")
    style = ("pictures/page.css", "reports/shapes/report.css", "reports/images/images.css")
    written = [(section, section.write(report, drawer)) for section in SECTIONS]
    shown = [(section, body) for section, body in written if body]
    return Template(resources.joinpath("reports/shapes/report.html").read_text("utf-8")).substitute(
        title=html.escape(report.title),
        style="".join(resources.joinpath(name).read_text("utf-8") for name in style),
        script=resources.joinpath("reports/shapes/report.js").read_text("utf-8"),
        player_head="",
        lead=html.escape(_lead(report)),
        links="".join(f'<li><a href="#{s.id}">{html.escape(s.link)}</a></li>' for s, _ in shown),
        sections="\n".join(
            f'<section id="{s.id}"><h2>{html.escape(s.title)}</h2>\n{body}</section>' for s, body in shown
        ),
        cells="",
        version=cytoform.__version__,
    )


def _lead(report: ImageReport) -> str:
    others = " and ".join(f"{len(each.frames)} of {each.label}" for each in report.others)
    shared = [found.label for found in report.found if found.shared_masks]
    masks = f"; on masks of real frames: {', '.join(shared)}" if shared else ""
    return f"{len(report.real.frames)} real images against {others}{masks}."


def _without_nan(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nan(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value

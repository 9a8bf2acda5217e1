"""The parts of a report's front page, in their order."""

import html
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from cytoform.assess.measures.descriptors import DESCRIPTORS, MAIN_DESCRIPTORS
from cytoform.pictures.figures import Side, descriptor_figure, overlap_figure
from cytoform.pictures.page import Drawer
from cytoform.pictures.slices import css
from cytoform.reports.shapes.cell_page import failure_card, gallery, link_to
from cytoform.reports.shapes.cell_pictures import ERROR_COLOURS
from cytoform.reports.shapes.cells import Comparison
from cytoform.reports.shapes.code_map import map_element, map_figure, sides_by_label
from cytoform.reports.shapes.data import Report
from cytoform.reports.shapes.failures import worst_of_each
from cytoform.reports.shapes.origin import citing, glossary_list, origin
from cytoform.reports.shapes.sheet import cells_sheet
from cytoform.reports.shapes.tables import (
    descriptor_table,
    headline,
    ks_table,
    sets_table,
    temporal_table,
    topology_table,
)
from cytoform.reports.shapes.verdict import RULES, verdict_of
from cytoform.reports.verdicts import Finding

FAILURES_SHOWN = 6


@dataclass(frozen=True)
class Section:
    """A part of the front page; `write` gives its HTML, empty where there is nothing to say."""

    id: str
    title: str
    link: str  # in the bar above
    write: Callable[[Report, Drawer], str]


def note(text: str) -> str:
    """A remark; the text is HTML already."""
    return f'<p class="note">{text}</p>'


def _verdict(report: Report, _drawer: Drawer) -> str:
    parts = []
    for comparison, side in zip(report.comparisons, report.sides[1:], strict=True):
        verdict = verdict_of(comparison)
        links = {c.name: link_to(c) for c in report.cells for s in c.strands if s.side.label == comparison.label}
        items = "".join(_finding(each, links) for each in verdict.findings)
        parts.append(f'<p class="overall">{html.escape(verdict.sentence)}</p><ul class="verdict">{items}</ul>')
        parts.append(headline(comparison, side))
    rules = "".join(f"<li>{html.escape(rule)}</li>" for rule in RULES)
    parts.append(f"<details><summary>The rules behind these sentences</summary><ul>{rules}</ul></details>")
    return "\n".join(parts)


def _finding(finding: Finding, links: dict[str, str]) -> str:
    link = links.get(finding.cell or "")
    more = f' <a href="{link}">Look at it</a>' if link else ""
    grade = f'<span class="grade {finding.grade}">{finding.grade}</span>'
    return f"<li>{grade}<span>{html.escape(finding.text)}{more}</span></li>"


def _failures(report: Report, _drawer: Drawer) -> str:
    parts = []
    for comparison in report.comparisons:
        worst = worst_of_each(report.failures, report.cells, comparison.label, FAILURES_SHOWN)
        if not worst:
            continue
        cards = [
            failure_card(cell, report.failures[cell.key][i], report.pictures[cell.key].failures[i]) for cell, i in worst
        ]
        label = html.escape(comparison.label)
        if comparison.results.pairs:
            parts.append(f"<h3>{label}: the frames least like their originals</h3>")
            parts.append(note(f"The worst frame of each of the worst cells. {_error_key(report.error_limit_um)}"))
        else:
            parts.append(f"<h3>{label}: the frames least like any original</h3>")
            parts.append(
                note(
                    "Frames in more pieces than any original has first, then those farthest from the mean of the originals’ "
                    "size, surface area or sphericity; one a cell."
                )
            )
        parts.append(f'<div class="failures">{"".join(cards)}</div>')
    return "\n".join(parts)


def _error_key(limit_um: float) -> str:
    colours = ",".join(css(colour) for colour in ERROR_COLOURS)
    return (
        f"Colours are signed distances to the original: −{limit_um:g} µm (inside)"
        f'<span class="error-key" style="background:linear-gradient(to right,{colours})"></span>+{limit_um:g} µm (outside). '
        "Outlines: the plane in which most voxels differ, of those well inside the cell; the original’s is solid, the "
        "other’s dashed."
    )


def _gallery(report: Report, drawer: Drawer) -> str:
    parts = [note("Every cell has a page with a 3D player, its figures over time and its worst frames.")]
    sheet = cells_sheet(report.reference, report.comparisons, report.sides)
    originals = [cell for cell in report.cells if cell.original is not None]
    groups = [("Originals" + (" and what is paired with them" if originals[0].rebuilt else ""), originals)]
    for comparison in report.comparisons:
        own = [c for c in report.cells if c.original is None and c.strands[0].side.label == comparison.label]
        groups.append((comparison.label, own))
    for title, cells in groups:
        if cells:
            drawn = [report.pictures[cell.key] for cell in cells]
            parts.append(f"<h3>{html.escape(title)}</h3>{gallery(cells, drawn)}")
    parts += [
        "<h3>Over time</h3>",
        note("One camera and one scale for all; the scale bar is below. Time runs from left to right."),
        _wide(drawer.picture("cells", sheet, "cells over time"), "Cells over time"),
    ]
    return "\n".join(parts)


def _wide(picture: str, name: str) -> str:
    """What a phone shows by scrolling inside."""
    return f'<div class="wide" tabindex="0" role="group" aria-label="{name}">{picture}</div>'


def _descriptors(report: Report, _drawer: Drawer) -> str:
    return (
        note(
            "Mean ± standard deviation over all frames, as in table 1 of the paper. Surface area and sphericity are measured "
            "on the zero level of the distance field, the same way on every side. DIPlib’s estimates from the binary mask "
            "stand beside them for comparison with published tables."
        )
        + descriptor_table(report.comparisons, report.sides)
        + "<h3>Over time</h3>"
        + note("Mean ± standard deviation over sequences.")
        + temporal_table(report.comparisons, report.sides)
        + _sets(report)
        + _tests(report)
    )


def _sets(report: Report) -> str:
    body = sets_table(report.comparisons)
    text = note(
        "Whole sequences, by the Chamfer distance between surfaces at the same times, each about its own centroid; in brackets "
        "intervals of 95 % confidence, and for novelty what it is between originals."
    )
    return f"<h3>As sets of sequences</h3>{text}{body}" if body else ""


def _tests(report: Report) -> str:
    parts = ["<h3>Tests</h3>"]
    parts.append(
        note(
            "Two-sample Kolmogorov-Smirnov tests; corrected p are for so many tests at once, and those of at most 0.05, which "
            "tell the sets apart, bear an asterisk. Frames of one sequence resemble each other, so the tests over sequences "
            "are the fair ones."
        )
    )
    for comparison in report.comparisons:
        parts.append(f"<h4>{html.escape(comparison.label)}</h4>{ks_table(comparison)}")
    return "\n".join(parts)


def _plots(report: Report, drawer: Drawer) -> str:
    parts = []
    for comparison, side in zip(report.comparisons, report.sides[1:], strict=True):
        parts += [f"<h3>{html.escape(comparison.label)} against original</h3>"]
        if comparison.results.pairs:
            figure = overlap_figure(comparison.results, side.colour)
            parts += [
                note(
                    "Jaccard index by frame. Grey: single sequences. Coloured: mean and standard deviation over them."
                ),
                _wide(drawer.plot(f"{comparison.stem}_jaccard", figure, "Jaccard index by frame"), "Jaccard index"),
            ]
        parts += _distributions(comparison, report.sides[0], side, drawer)
    return "\n".join(parts)


def _distributions(comparison: Comparison, reference: Side, side: Side, drawer: Drawer) -> list[str]:
    """The paper's figure as a file; on the page a figure a descriptor, so that they fit a phone."""
    stem = comparison.stem
    drawer.plot(f"{stem}_descriptors", descriptor_figure(comparison.results, reference, side), "")

    def grid(names: Sequence[str]) -> str:
        drawn = []
        for name in names:
            figure = descriptor_figure(comparison.results, reference, side, names=[name])
            what = f"{comparison.label}: QQ plot and box plots of {DESCRIPTORS[name].title}"
            drawn.append(f"<figure>{drawer.plot(f'{stem}_{name}', figure, what)}</figure>")
        return f'<div class="grid3">{"".join(drawn)}</div>'

    others = [name for name in DESCRIPTORS if name not in MAIN_DESCRIPTORS]
    return [
        note(
            "Above: quantiles against quantiles, with the line on which equal distributions lie. Below: whiskers from minimum "
            "to maximum, boxes over the middle half, a mark at the median."
        ),
        grid(MAIN_DESCRIPTORS),
        f"<details><summary>The other descriptors</summary>{grid(others)}</details>",
    ]


def _topology(report: Report, _drawer: Drawer) -> str:
    return topology_table(report.comparisons, report.sides)


def _map(report: Report, drawer: Drawer) -> str:
    chart = report.code_map
    if chart is None:
        return ""
    side_of = sides_by_label(report.sides)
    links = {(strand.side.label, cell.name): link_to(cell) for cell in report.cells for strand in cell.strands}
    drawer.plot("codes", map_figure(chart, side_of), "")
    return note(
        "The codes that the cells were rendered from, along the first two principal components of the learned ones. A point "
        "opens its cell."
    ) + map_element(
        chart, side_of, lambda label, name: links.get((label, name)) or links.get((report.sides[0].label, name))
    )


def _files(_report: Report, _drawer: Drawer) -> str:
    return (
        "<p>Beside this page: all its figures as PNG and SVG in <code>figures/</code>, its tables and the figures of every "
        "frame as CSV in <code>tables/</code>, everything as JSON in <code>results.json</code>.</p>"
    )


SECTIONS = (
    Section("verdict", "Is it good?", "Verdict", _verdict),
    Section("failures", "Where is it worst?", "Worst", _failures),
    Section("cells", "The cells", "Cells", _gallery),
    Section("descriptors", "Shape descriptors", "Descriptors", _descriptors),
    Section("plots", "Distributions", "Plots", _plots),
    Section("topology", "Topology", "Topology", _topology),
    Section("map", "Map of the codes", "Map", _map),
    Section("glossary", "Measures and units", "Measures", lambda _r, _d: glossary_list()),
    Section("origin", "Provenance", "Provenance", lambda report, _d: origin(report)),
    Section("files", "Files", "Files", _files),
    Section("cite", "How to cite", "Cite", lambda _r, _d: citing()),
)

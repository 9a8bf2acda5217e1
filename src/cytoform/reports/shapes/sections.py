"""The sections of a report's front page, in their order."""

import html
from collections.abc import Sequence

from matplotlib.figure import Figure

from cytoform.pictures.figures import Side, descriptor_figure, overlap_figure
from cytoform.pictures.page import Drawer, Section, details, note, note_html
from cytoform.pictures.sheets import SheetRow, contact_sheet, meshes_over_time, spread, time_title
from cytoform.pictures.slices import css
from cytoform.reports.shapes.cell_page import failure_card, gallery, link_to
from cytoform.reports.shapes.cell_pictures import ERROR_COLOURS
from cytoform.reports.shapes.cells import Comparison
from cytoform.reports.shapes.code_map import map_element, map_figure, sides_by_label
from cytoform.reports.shapes.data import Report
from cytoform.reports.shapes.failures import worst_of_each
from cytoform.reports.shapes.filled import filled_parts
from cytoform.reports.shapes.held_out import held_out_parts
from cytoform.reports.shapes.origin import citing, glossary, origin
from cytoform.reports.shapes.painted import painted_sheet
from cytoform.reports.shapes.protrusions import protrusion_parts
from cytoform.reports.shapes.tables import (
    descriptor_table,
    headline,
    ks_table,
    sets_table,
    temporal_table,
    topology_table,
)
from cytoform.reports.shapes.verdict import RULES, verdict_of
from cytoform.reports.studio.link import studio_note
from cytoform.reports.verdicts import rules_html
from cytoform.shapes.store import ShapeStore

FAILURES_SHOWN = 6
SEQUENCES_SHOWN, TIMES_SHOWN = 3, 6
FILES = (
    "<p>Beside this page: all its figures as PNG and SVG in <code>figures/</code>, its tables and the figures of every "
    "frame as CSV in <code>tables/</code>, everything as JSON in <code>results.json</code>.</p>"
)


def sections_of(report: Report, drawer: Drawer) -> list[Section]:
    """All sections; those that have nothing to say are empty."""
    return [
        Section("verdict", "Is it good?", "Verdict", _verdict(report)),
        Section("failures", "Where is it worst?", "Worst", _failures(report)),
        Section("cells", "The cells", "Cells", _gallery(report, drawer)),
        Section("descriptors", "Shape descriptors", "Descriptors", _descriptors(report, drawer)),
        Section("plots", "Distributions", "Plots", _plots(report, drawer)),
        Section("filled", "Filled frames", "Filled", filled_parts(report.comparisons, report.sides[1:], drawer)),
        Section("topology", "Topology", "Topology", topology_table(report.comparisons, report.sides)),
        Section("map", "Map of the codes", "Map", _map(report, drawer)),
        Section("glossary", "Measures and units", "Measures", glossary(report.measures)),
        Section("origin", "Provenance", "Provenance", origin(report)),
        Section("files", "Files", "Files", FILES),
        Section("cite", "How to cite", "Cite", citing()),
    ]


def _verdict(report: Report) -> str:
    parts = []
    for comparison, side in zip(report.comparisons, report.sides[1:], strict=True):
        links = {c.name: link_to(c) for c in report.cells for s in c.strands if s.side.label == comparison.label}
        parts += [verdict_of(comparison).html(links), headline(comparison, side)]
    return "\n".join([*parts, rules_html([report.measures.worded(rule) for rule in RULES])])


def _failures(report: Report) -> str:
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
            parts.append(note_html(f"The worst frame of each of the worst cells. {_error_key(report)}"))
        else:
            parts.append(f"<h3>{label}: the frames least like any original</h3>")
            parts.append(
                note(
                    "Frames in more pieces than any original has first, then those farthest from the mean of the originals’ "
                    f"{_main_titles(report)}; one a cell."
                )
            )
        parts.append(f'<div class="failures">{"".join(cards)}</div>')
    return "\n".join(parts)


def _main_titles(report: Report) -> str:
    """`size, surface area or sphericity`."""
    *first, last = (report.measures.descriptors[name].title.lower() for name in report.measures.main)
    return f"{', '.join(first)} or {last}"


# Lines of slices beside the worst frames.
LINES = {
    3: "the plane in which most voxels differ, of those well inside the cell; the original’s is solid, the other’s dashed",
    2: "the original’s is solid, the other’s dashed",
}


def _error_key(report: Report) -> str:
    limit_um = report.error_limit_um
    colours = ",".join(css(colour) for colour in ERROR_COLOURS)
    return (
        f"Colours are signed distances to the original: −{limit_um:g} µm (inside)"
        f'<span class="error-key" style="background:linear-gradient(to right,{colours})"></span>+{limit_um:g} µm (outside). '
        f"Outlines: {LINES[report.measures.n_dims]}."
    )


def _studio(report: Report) -> list[str]:
    """Where the run whose cells are compared makes more of them; nothing for cells of no run, or of several."""
    told = [ShapeStore.open(comparison.store).attributes for comparison in report.comparisons]
    runs = {(each["run"], each["weights_sha256"]) for each in told if each.get("run") and each.get("weights_sha256")}
    return [studio_note(run, sha256, report.beside) for run, sha256 in runs] if len(runs) == 1 else []


def _gallery(report: Report, drawer: Drawer) -> str:
    parts = [
        note(
            report.measures.worded(
                "Every cell has a page with a 3D player, its figures over time and its worst frames."
            )
        ),
        *_studio(report),
    ]
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
        drawer.picture("cells", cells_sheet(report), "cells over time", wide=True),
    ]
    return "\n".join(parts)


def cells_sheet(report: Report) -> Figure:
    """A few cells over time: an original, its reconstructions below it, and a cell of each unpaired store."""
    original = ShapeStore.open(report.reference)
    paired = {name for comparison in report.comparisons for name in comparison.results.pairs or ()}
    names = sorted(paired) or report.comparisons[0].results.reference.names
    longest = max(original[name].info.n_frames for name in names)
    shares = [index / max(longest - 1, 1) for index in spread(longest, TIMES_SHOWN)]
    rows = []
    for block, chosen in enumerate(spread(len(names), SEQUENCES_SHOWN)):
        name, side = names[chosen], report.sides[0]
        meshes = meshes_over_time(original[name], shares)
        rows.append(SheetRow(side.label, name, meshes, side.colour, first_of_block=True))
        for comparison, side in zip(report.comparisons, report.sides[1:], strict=True):
            others = comparison.results.other.names
            if comparison.results.pairs is None and block >= len(others):
                continue
            match = name if comparison.results.pairs else others[spread(len(others), SEQUENCES_SHOWN)[block]]
            meshes = meshes_over_time(ShapeStore.open(comparison.store)[match], shares)
            rows.append(SheetRow(side.label, match, meshes, side.colour))
    first = original[names[0]].info
    columns = [time_title(round(share * (longest - 1)), first.time_step_s) for share in shares]
    return contact_sheet(
        rows, columns=columns, half_extent_um=original.grid.half_extent_um, n_dims=original.grid.n_dims
    )


SETS = (
    "Whole sequences, by the Chamfer distance between surfaces at the same times, each about its own centroid; in brackets "
    "intervals of 95 % confidence, and for novelty what it is between originals."
)


def _descriptors(report: Report, drawer: Drawer) -> str:
    parts = [
        note(
            "Mean ± standard deviation over all frames, as in table 1 of the paper. What depends on the boundary is measured "
            "on the zero level of the distance field, the same way on every side."
            + " DIPlib’s estimates from the binary mask stand beside it for comparison with published tables."
            * ("surface_diplib_um2" in report.measures.descriptors)
        ),
        descriptor_table(report.comparisons, report.sides),
        "<h3>Over time</h3>",
        note("Mean ± standard deviation over sequences."),
        temporal_table(report.comparisons, report.sides),
        *protrusion_parts(report.comparisons, report.sides),
        *_painted(report, drawer),
    ]
    if sets := sets_table(report.comparisons):
        parts += [
            "<h3>As sets of sequences</h3>",
            note(report.measures.worded(SETS)),
            sets,
        ]
    parts += [
        *held_out_parts(report.comparisons),
        "<h3>Tests</h3>",
        note(
            "Two-sample Kolmogorov-Smirnov tests; corrected p are for so many tests at once, and those of at most 0.05, which "
            "tell the sets apart, bear an asterisk. Frames of one sequence resemble each other, so the paper’s p over frames "
            "is too small. The fair tests are those over sequences, and over frames with whole sequences permuted."
        ),
        *(f"<h4>{html.escape(each.label)}</h4>{ks_table(each.results)}" for each in report.comparisons),
    ]
    return "\n".join(parts)


def _painted(report: Report, drawer: Drawer) -> list[str]:
    """Protrusions in colours, where cells are taken apart."""
    if not report.comparisons[0].results.taken_apart:
        return []
    said = (
        "A protrusion keeps its colour as long as it lasts, a branch has one of its own; the body is grey. Colours repeat. The "
        "players of the cells show every frame so."
    )
    return [note(said), drawer.picture("protrusions", painted_sheet(report), "protrusions over time", wide=True)]


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
                drawer.plot(f"{comparison.stem}_jaccard", figure, "Jaccard index by frame", wide=True),
            ]
        parts += _distributions(comparison, report.sides[0], side, drawer)
    return "\n".join(parts)


def _distributions(comparison: Comparison, reference: Side, side: Side, drawer: Drawer) -> list[str]:
    """The paper's figure as a file; on the page a figure for each descriptor, so that they fit a phone."""
    stem, measures = comparison.stem, comparison.results.measures
    drawer.plot(f"{stem}_descriptors", descriptor_figure(comparison.results, reference, side), "")

    def grid(names: Sequence[str]) -> str:
        drawn = []
        for name in names:
            figure = descriptor_figure(comparison.results, reference, side, names=[name])
            what = f"{comparison.label}: QQ plot and box plots of {measures.descriptors[name].title}"
            drawn.append(f"<figure>{drawer.plot(f'{stem}_{name}', figure, what)}</figure>")
        return f'<div class="grid3">{"".join(drawn)}</div>'

    others = [name for name in measures.descriptors if name not in measures.main]
    return [
        note(
            "Above: quantiles against quantiles, with the line on which equal distributions lie. Below: whiskers from minimum "
            "to maximum, boxes over the middle half, a mark at the median."
        ),
        grid(measures.main),
        details("The other descriptors", grid(others)),
    ]


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

"""The report: one HTML file with everything in it, and its figures as files beside it."""

import html
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Any

import cytoform
from cytoform.assess.figures import COLOURS, Side, descriptor_figure, overlap_figure
from cytoform.assess.page import Drawer
from cytoform.assess.results import Results
from cytoform.assess.sheets import SheetRow, contact_sheet, meshes_over_time, spread
from cytoform.assess.tables import descriptor_table, headline, ks_table, topology_table
from cytoform.shapes.store import ShapeStore

SEQUENCES_SHOWN, TIMES_SHOWN = 3, 6


@dataclass(frozen=True)
class Comparison:
    """A set of cells, named by `label` ("Reconstructed"), and how it compares with the reference."""

    label: str
    store: Path
    results: Results


def write_report(
    folder: Path,
    *,
    title: str,
    reference: Path,
    comparisons: Sequence[Comparison],
    provenance: dict[str, Any] | None = None,
) -> Path:
    """Write report.html and figures/ into `folder`; return the page.

    All comparisons are with the same `reference` store, which the page calls "Original". `provenance` adds what the
    results do not know (commands, training settings); it has to be fit for JSON.
    """
    sides = [Side("Original", COLOURS[0])]
    sides += [Side(c.label, COLOURS[1 + i % (len(COLOURS) - 1)]) for i, c in enumerate(comparisons)]
    drawer = Drawer(folder / "figures")
    page = Template(files("cytoform.assess").joinpath("report_template.html").read_text("utf-8")).substitute(
        title=html.escape(title),
        lead=html.escape(_lead(comparisons)),
        headlines="\n".join(headline(c.results, side) for c, side in zip(comparisons, sides[1:], strict=True)),
        cells=drawer.picture("cells", _cells(reference, comparisons, sides), "cells over time"),
        descriptors=descriptor_table([c.results for c in comparisons], sides),
        comparisons="\n".join(_section(c, side, drawer) for c, side in zip(comparisons, sides[1:], strict=True)),
        provenance=_provenance(comparisons, provenance or {}),
        version=cytoform.__version__,
    )
    path = folder / "report.html"
    path.write_text(page, "utf-8")
    return path


def _lead(comparisons: Sequence[Comparison]) -> str:
    store = comparisons[0].results.provenance["reference"]
    return (
        f"{_count(store['sequences'], 'original sequence')} with {_count(store['frames'], 'frame')} from {store['name']}, "
        f"on a grid of {store['grid']}³ voxels of {store['spacing_um']:.3g} µm, against "
        + " and ".join(_described(c) for c in comparisons)
        + "."
    )


def _described(comparison: Comparison) -> str:
    store = comparison.results.provenance["other"]
    kind = "paired frame by frame" if comparison.results.pairs else "compared as distributions"
    return f"{_count(store['sequences'], 'sequence')} from {store['name']} ({comparison.label.lower()}; {kind})"


def _count(n: int, noun: str) -> str:
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


def _cells(reference: Path, comparisons: Sequence[Comparison], sides: Sequence[Side]) -> Any:
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
        rows.append(SheetRow("Original", name, meshes, sides[0].colour, first_of_block=True))
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


def _section(comparison: Comparison, side: Side, drawer: Drawer) -> str:
    results, label = comparison.results, html.escape(comparison.label)
    stem = "_".join(comparison.label.lower().split())
    reference = Side("Original", COLOURS[0])
    parts = [f"<h2>{label} against original</h2>"]
    if results.pairs:
        parts += [
            "<h3>Overlap over time</h3>",
            '<p class="note">Grey: single sequences. Coloured: mean and standard deviation over sequences.</p>',
            drawer.plot(f"{stem}_jaccard", overlap_figure(results, side.colour), "Jaccard index by frame"),
        ]
    parts += [
        "<h3>Distributions of the descriptors</h3>",
        '<p class="note">Above: quantiles against quantiles, with the line on which equal distributions lie. Below: whiskers '
        "from minimum to maximum, boxes over the middle half, a mark at the median. A Kolmogorov-Smirnov p above 0.05 "
        "means that the test sees no difference. Frames of one sequence resemble each other, so the test over sequences "
        "is the fair one.</p>",
        drawer.plot(f"{stem}_descriptors", descriptor_figure(results, reference, side), "QQ plots and box plots"),
        ks_table(results),
        "<h3>Topology</h3>",
        topology_table(results, side),
    ]
    return "\n".join(parts)


def _provenance(comparisons: Iterable[Comparison], extra: dict[str, Any]) -> str:
    whole = extra | {c.label: c.results.provenance for c in comparisons}
    return f"<pre>{html.escape(json.dumps(whole, indent=2, sort_keys=True, ensure_ascii=False))}</pre>"

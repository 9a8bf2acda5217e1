"""The report: one HTML file with everything in it, and its figures as files beside it."""

import base64
import html
import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Any

import numpy as np

import cytoform
from cytoform.assess.descriptors import DESCRIPTORS
from cytoform.assess.distributions import Summary, summarise
from cytoform.assess.figures import COLOURS, Side, as_png, as_svg, descriptor_figure, overlap_figure, p_text
from cytoform.assess.results import Results
from cytoform.assess.sheets import SheetRow, contact_sheet, meshes_over_time, spread
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
    drawer = _Drawer(folder / "figures")
    page = Template(files("cytoform.assess").joinpath("report_template.html").read_text("utf-8")).substitute(
        title=html.escape(title),
        lead=html.escape(_lead(comparisons)),
        headlines="\n".join(_headline(c, side) for c, side in zip(comparisons, sides[1:], strict=True)),
        cells=drawer.picture("cells", _cells(reference, comparisons, sides), "cells over time"),
        descriptors=_descriptor_table(comparisons, sides),
        comparisons="\n".join(_section(c, side, drawer) for c, side in zip(comparisons, sides[1:], strict=True)),
        provenance=_provenance(comparisons, provenance or {}),
        version=cytoform.__version__,
    )
    path = folder / "report.html"
    path.write_text(page, "utf-8")
    return path


class _Drawer:
    """Writes figures as files and gives them back as pictures inside the page."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder

    def plot(self, name: str, figure: Any, alternative: str) -> str:
        """A plot, sharp at any size."""
        self.picture(name, figure, alternative)
        svg = as_svg(figure)
        (self.folder / f"{name}.svg").write_bytes(svg)
        return _image("svg+xml", svg, alternative)

    def picture(self, name: str, figure: Any, alternative: str) -> str:
        """A figure of pixels."""
        png = as_png(figure)
        (self.folder / f"{name}.png").write_bytes(png)
        return _image("png", png, alternative)


def _image(kind: str, data: bytes, alternative: str) -> str:
    source = f"data:image/{kind};base64,{base64.b64encode(data).decode()}"
    return f'<img alt="{html.escape(alternative)}" src="{source}">'


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


def _headline(comparison: Comparison, side: Side) -> str:
    results = comparison.results.to_json()
    cards = []
    if comparison.results.pairs:
        distance = results["surface_distance"]
        cards += [
            (_pm(results["jaccard"], 3), "Jaccard index"),
            (_pm(results["dice"], 3), "Dice coefficient"),
            (_pm(distance["assd_um"], 3), "µm mean surface distance (ASSD)"),
            (_pm(distance["hd95_um"], 3), "µm 95 % Hausdorff distance"),
        ]
    else:
        for name in ("size_um3", "surface_um2", "sphericity"):
            p = results["descriptors"][name]["ks_p_sequences"]
            cards.append((p_text(p), f"{DESCRIPTORS[name].title}, KS over sequences"))
    cards.append((f"{results['topology']['other']['single_component_share']:.0%}", "frames in one piece"))
    boxes = "".join(f'<div class="card"><b>{value}</b><span>{html.escape(what)}</span></div>' for value, what in cards)
    return f'<div class="group">{_dot(side)}{html.escape(side.label)} against original</div><div class="cards">{boxes}</div>'


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


def _descriptor_table(comparisons: Sequence[Comparison], sides: Sequence[Side]) -> str:
    first = comparisons[0].results
    sets = [(sides[0], first.reference, first, "reference")]
    sets += [(side, c.results.other, c.results, "other") for c, side in zip(comparisons, sides[1:], strict=True)]
    rows = []
    for side, sequences, results, key in sets:
        n_frames = sum(len(sequence.frames) for sequence in sequences)
        summaries = [summarise(np.concatenate(results.descriptor(key, name))) for name in DESCRIPTORS]
        cells = [_mean_and_std(s) for s in summaries]
        rows.append([f"{_dot(side)}{html.escape(side.label)}", f"{len(sequences)} / {n_frames}", *cells])
    titles = [f"{d.title} [{d.unit}]" if d.unit else d.title for d in DESCRIPTORS.values()]
    return _table(["", "Sequences / frames", *titles], rows)


def _section(comparison: Comparison, side: Side, drawer: _Drawer) -> str:
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
        _test_table(results),
        "<h3>Topology</h3>",
        _topology_table(results, side),
    ]
    return "\n".join(parts)


def _test_table(results: Results) -> str:
    rows = []
    for name, values in results.to_json()["descriptors"].items():
        tests = [(values[f"ks_statistic{key}"], values[f"ks_p{key}"]) for key in ("", "_sequences")]
        cells = [
            cell
            for statistic, p in tests
            for cell in (
                f"{statistic:.3f}",
                f'<span class="{"bad" if p <= 0.05 else "good"}">{html.escape(p_text(p))}</span>',
            )
        ]
        rows.append([html.escape(DESCRIPTORS[name].title), *cells])
    head = ["Kolmogorov-Smirnov test", "D over frames", "p over frames", "D over sequences", "p over sequences"]
    return _table(head, rows)


def _topology_table(results: Results, side: Side) -> str:
    rows = []
    for label, topology in zip(("Original", side.label), results.to_json()["topology"].values(), strict=True):
        components, euler = (_counts(topology[key]) for key in ("components", "euler"))
        rows.append([html.escape(label), f"{topology['single_component_share']:.0%}", components, euler])
    note = "Number: frames that have it. The Euler number is components - handles + cavities: 1 for a ball, 2 for two cells."
    head = ["", "Frames in one piece", "Components (26 neighbours)", "Euler number"]
    return _table(head, rows) + f'<p class="note">{note}</p>'


def _counts(counted: dict[str, int]) -> str:
    return ", ".join(f"{value}: {count}" for value, count in counted.items())


def _provenance(comparisons: Iterable[Comparison], extra: dict[str, Any]) -> str:
    whole = extra | {c.label: c.results.provenance for c in comparisons}
    return f"<pre>{html.escape(json.dumps(whole, indent=2, sort_keys=True, ensure_ascii=False))}</pre>"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table of cells that are HTML already."""
    top = "".join(f"<th>{html.escape(cell)}</th>" for cell in head)
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return f'<div class="scroll"><table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>'


def _dot(side: Side) -> str:
    return f'<span class="dot" style="background:rgb({",".join(str(round(255 * c)) for c in side.colour)})"></span>'


def _pm(values: dict[str, Any], digits: int) -> str:
    return f"{values['mean']:.{digits}f} <small>± {values['std']:.{digits}f}</small>"


def _mean_and_std(summary: Summary) -> str:
    """Two digits of the deviation, and the mean to the same place."""
    if summary.n == 0:
        return "–"
    places = 1 - math.floor(math.log10(summary.std)) if summary.std > 0 else 2
    return f"{summary.mean:.{max(places, 0)}f} ± {summary.std:.{max(places, 0)}f}"

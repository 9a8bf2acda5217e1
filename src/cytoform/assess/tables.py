"""Tables and other pieces of the report, as HTML."""

import html
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from cytoform.assess.descriptors import DESCRIPTORS, MAIN_DESCRIPTORS
from cytoform.assess.distributions import Summary, summarise
from cytoform.assess.figures import Side, p_text
from cytoform.assess.page import table
from cytoform.assess.report_cells import Comparison
from cytoform.assess.slices import css
from cytoform.assess.verdict import ALPHA, sequence_p


def headline(comparison: Comparison, side: Side) -> str:
    """The few numbers that one looks for first."""
    results = comparison.found
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
        for name in MAIN_DESCRIPTORS:
            p = sequence_p(results["descriptors"][name])
            cards.append((p_text(p), f"{DESCRIPTORS[name].title}, KS over sequences"))
    cards.append((f"{results['topology']['other']['single_component_share']:.0%}", "frames in one piece"))
    boxes = "".join(f'<div class="card"><b>{value}</b><span>{html.escape(what)}</span></div>' for value, what in cards)
    return f'<div class="group">{dot(side)}{html.escape(side.label)} against original</div><div class="cards">{boxes}</div>'


def descriptor_table(comparisons: Sequence[Comparison], sides: Sequence[Side]) -> str:
    """Means and deviations: a column for the reference and one for each set compared with it (paper table 1)."""
    sets = [(comparisons[0].results, "reference"), *((comparison.results, "other") for comparison in comparisons)]
    counts = [getattr(results, key) for results, key in sets]
    rows = [
        ["Sequences", *(str(len(sequences)) for sequences in counts)],
        ["Frames", *(str(sum(len(sequence.frames) for sequence in sequences)) for sequences in counts)],
    ]
    for name, descriptor in DESCRIPTORS.items():
        title = f"{descriptor.title} [{descriptor.unit}]" if descriptor.unit else descriptor.title
        summaries = [summarise(np.concatenate(results.descriptor(key, name))) for results, key in sets]
        rows.append([html.escape(title), *(_mean_and_std(summary) for summary in summaries)])
    return table(["", *(side.label for side in sides)], rows)


def ks_table(comparison: Comparison) -> str:
    """Kolmogorov-Smirnov tests of all descriptors, over frames and over means of sequences."""
    rows = []
    for name, values in comparison.found["descriptors"].items():
        tests = [
            (values["ks_statistic"], values["ks_p"]),
            (values["ks_statistic_sequences"], values["ks_p_sequences"]),
        ]
        cells = [cell for statistic, p in tests for cell in (f"{statistic:.3f}", _p(p))]
        if "ks_p_sequences_corrected" in values:
            cells.append(_p(sequence_p(values)))
        rows.append([html.escape(DESCRIPTORS[name].title), *cells])
    head = ["Descriptor", "D over frames", "p over frames", "D over sequences", "p over sequences"]
    return table([*head, "corrected"][: len(rows[0])], rows)


def _p(p: float | None) -> str:
    """A p-value; one that tells the sets apart is told by its mark, not by colour alone."""
    value = math.nan if p is None else p
    text = html.escape(p_text(value))
    return f'<span class="bad">{text} ✱</span>' if value <= ALPHA else text


def topology_table(comparisons: Sequence[Comparison], sides: Sequence[Side]) -> str:
    """How many frames have how many components, and which Euler number."""
    found = [comparisons[0].found["topology"]["reference"], *(c.found["topology"]["other"] for c in comparisons)]
    rows = []
    for side, topology in zip(sides, found, strict=True):
        components, euler = (_counts(topology[key]) for key in ("components", "euler"))
        title = f"{dot(side)}{html.escape(side.label)}"
        rows.append([title, f"{topology['single_component_share']:.0%}", components, euler])
    note = "Number: frames that have it. The Euler number is components - handles + cavities: 1 for a ball, 2 for two cells."
    head = ["", "Frames in one piece", "Components (26 neighbours)", "Euler number"]
    return table(head, rows) + f'<p class="note">{note}</p>'


def _counts(counted: dict[str, int]) -> str:
    return ", ".join(f"{value}: {count}" for value, count in counted.items())


def dot(side: Side) -> str:
    """The colour of a side."""
    return f'<span class="dot" style="background:{css(side.colour)}"></span>'


def _pm(values: dict[str, Any], digits: int) -> str:
    if math.isnan(values["mean"]):
        return "not defined"
    return f"{values['mean']:.{digits}f} <small>± {values['std']:.{digits}f}</small>"


def _mean_and_std(summary: Summary) -> str:
    """Two digits of the deviation, and the mean to the same place."""
    if summary.n == 0:
        return "–"
    places = 1 - math.floor(math.log10(summary.std)) if summary.std > 0 else 2
    return f"{summary.mean:.{max(places, 0)}f} ± {summary.std:.{max(places, 0)}f}"

"""Tables and other pieces of the report, as HTML."""

import html
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from cytoform.assess.measures.descriptors import DESCRIPTORS, MAIN_DESCRIPTORS, titled
from cytoform.assess.measures.dynamics import DYNAMICS
from cytoform.assess.statistics.distributions import Summary, summarise
from cytoform.assess.statistics.intervals import Estimate
from cytoform.assess.statistics.near_duplicates import SET_MEASURES, NearDuplicates
from cytoform.pictures.figures import Side, p_text
from cytoform.pictures.page import table
from cytoform.pictures.slices import css
from cytoform.reports.shapes.cells import Comparison
from cytoform.reports.shapes.verdict import ALPHA, MEASURES, TESTED, sequence_p


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
        summaries = [summarise(np.concatenate(results.descriptor(key, name))) for results, key in sets]
        rows.append([html.escape(titled(descriptor)), *(_mean_and_std(summary) for summary in summaries)])
    return table(["", *(side.label for side in sides)], rows)


def temporal_table(comparisons: Sequence[Comparison], sides: Sequence[Side]) -> str:
    """The same of what is said of whole sequences: how they change, split, merge and divide."""
    sets = [(comparisons[0].results, "reference"), *((comparison.results, "other") for comparison in comparisons)]
    rows = [
        [
            html.escape(titled(measure)),
            *(_mean_and_std(summarise(results.temporal(key, name))) for results, key in sets),
        ]
        for name, measure in DYNAMICS.items()
    ]
    return table(["", *(side.label for side in sides)], rows)


def sets_table(comparisons: Sequence[Comparison]) -> str:
    """MMD, coverage and 1-NNA with their intervals, and the median novelty; empty without an unpaired comparison."""
    unpaired = [(c.label, c.results.near_duplicates) for c in comparisons if c.results.near_duplicates is not None]
    if not unpaired:
        return ""
    rows = []
    for name, measure in SET_MEASURES.items():
        cells = []
        for _, alike in unpaired:
            estimate = getattr(alike.measures, name, None)
            cells.append(_novelty(alike) if estimate is None else _interval(estimate))
        rows.append([html.escape(titled(measure)), *cells])
    return table(["", *(label for label, _ in unpaired)], rows)


def _interval(estimate: Estimate) -> str:
    if math.isnan(estimate.value):
        return "–"
    if math.isnan(estimate.low):
        return f"{estimate.value:.3g}"
    return f"{estimate.value:.3g} <small>({estimate.low:.3g} to {estimate.high:.3g})</small>"


def _novelty(alike: NearDuplicates) -> str:
    own, usual = (summarise(np.array(list(v.values()))) for v in (alike.novelty_um2, alike.reference_um2))
    return f"{own.median:.3g} <small>(originals {usual.median:.3g})</small>" if own.n else "–"


def ks_table(comparison: Comparison) -> str:
    """Kolmogorov-Smirnov tests of all descriptors, over frames and over means of sequences."""
    rows = []
    for name, values in (pair for part in TESTED for pair in comparison.found[part].items()):
        cells = [html.escape(MEASURES[name].title)]
        for key in ("", "_sequences"):
            found = [values.get(f"{figure}{key}") for figure in ("ks_statistic", "ks_p", "ks_p_corrected")]
            # Whole sequences have no frames to be tested over.
            cells += ["", "", ""] if found[0] is None else [_number(found[0]), _p(found[1]), _p(found[2], marked=True)]
        rows.append(cells)
    head = [f"{figure} over {what}" for what in ("frames", "sequences") for figure in ("D", "p", "corrected p")]
    return table(["Measure", *head], rows)


def _number(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:.3f}"


def _p(p: float, *, marked: bool = False) -> str:
    """A p-value; one that tells the sets apart may be marked, not by colour alone."""
    text = html.escape(p_text(p)).removeprefix("p = ").removeprefix("p ")
    return f'<span class="bad">{text} ✱</span>' if marked and p <= ALPHA else text


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

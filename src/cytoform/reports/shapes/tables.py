"""The tables of a report and its headline figures, as HTML."""

import html
import math
from collections.abc import Mapping, Sequence

import numpy as np

from cytoform.assess.judgement import ALPHA
from cytoform.assess.measures.descriptors import Descriptor, titled
from cytoform.assess.statistics.contrasts import Contrast
from cytoform.assess.statistics.distributions import Summary, summarise
from cytoform.assess.statistics.near_duplicates import SET_MEASURES, NearDuplicates
from cytoform.assess.store_contrasts import StoreContrasts
from cytoform.pictures.figures import Side, p_text
from cytoform.pictures.page import interval, note, table
from cytoform.pictures.slices import css
from cytoform.reports.shapes.cells import Comparison, columns_of

HEADLINES = {
    "jaccard": "Jaccard index",
    "dice": "Dice coefficient",
    "assd_um": "µm mean surface distance (ASSD)",
    "hd95_um": "µm 95 % Hausdorff distance",
}
THIN_HEADLINES = {
    "thin_jaccard": "Jaccard index of protrusions alone",
    "centre_line_dice": "centre-line Dice of protrusions",
}

FRAME_TEST = (
    "D over frames",
    "p over frames, as in the paper",
    "p over frames, sequences permuted",
    "corrected p, sequences permuted",
)
SEQUENCE_TEST = ("D over sequences", "p over sequences", "corrected p over sequences")


def headline(comparison: Comparison, side: Side) -> str:
    """The main figures of a comparison as cards."""
    results = comparison.results
    if results.pairs:
        shown = HEADLINES | (THIN_HEADLINES if results.taken_apart else {})
        cards = [(_pm(results.pair_summary(name), 3), results.measures.worded(title)) for name, title in shown.items()]
    else:
        cards = [
            (
                p_text(results.over_sequences[name].ks_p_corrected),
                f"{results.measures.descriptors[name].title}, KS over sequences",
            )
            for name in results.measures.main
        ]
    cards.append((f"{results.topology('other').single_component_share:.0%}", "frames in one piece"))
    boxes = "".join(f'<div class="card"><b>{value}</b><span>{html.escape(what)}</span></div>' for value, what in cards)
    return f'<div class="group">{dot(side)}{html.escape(side.label)} against original</div><div class="cards">{boxes}</div>'


def descriptor_table(comparisons: Sequence[Comparison], sides: Sequence[Side]) -> str:
    """Means and deviations: a column for the reference and one for each set compared with it (paper table 1)."""
    columns = columns_of(comparisons, [side.label for side in sides])
    counts = [stores.store(role).sequences for _, stores, role in columns]
    rows = [
        ["Sequences", *(str(len(sequences)) for sequences in counts)],
        ["Frames", *(str(sum(len(sequence.frames) for sequence in sequences)) for sequences in counts)],
    ]
    for name, descriptor in comparisons[0].results.measures.descriptors.items():
        summaries = [summarise(np.concatenate(stores.descriptor(role, name))) for _, stores, role in columns]
        rows.append([html.escape(titled(descriptor)), *(mean_and_std(summary) for summary in summaries)])
    return table(["", *(label for label, _, _ in columns)], rows)


def temporal_table(comparisons: Sequence[Comparison], sides: Sequence[Side]) -> str:
    """Means and deviations of the measures of whole sequences: changes, splits, merges and division."""
    columns = columns_of(comparisons, [side.label for side in sides])
    rows = [
        [
            html.escape(titled(measure)),
            *(mean_and_std(summarise(stores.temporal(role, name))) for _, stores, role in columns),
        ]
        for name, measure in comparisons[0].results.measures.dynamics.items()
    ]
    return table(["", *(label for label, _, _ in columns)], rows)


def sets_table(comparisons: Sequence[Comparison]) -> str:
    """MMD, coverage and 1-NNA with their intervals, and the median novelty; empty without an unpaired comparison."""
    unpaired = [(c.label, c.results.near_duplicates) for c in comparisons if c.results.near_duplicates is not None]
    if not unpaired:
        return ""
    rows = []
    for name, measure in SET_MEASURES.items():
        cells = []
        for _, sets in unpaired:
            estimate = getattr(sets.measures, name, None)
            cells.append(_novelty(sets) if estimate is None else interval(estimate))
        rows.append([html.escape(titled(measure)), *cells])
    return table(["", *(label for label, _ in unpaired)], rows)


def _novelty(sets: NearDuplicates) -> str:
    own, usual = (summarise(np.array(list(v.values()))) for v in (sets.novelty_um2, sets.reference_um2))
    return f"{own.median:.3g} <small>(originals {usual.median:.3g})</small>" if own.n else "–"


def ks_table(stores: StoreContrasts) -> str:
    """Kolmogorov-Smirnov tests of all descriptors, over frames and over means of sequences."""
    return tests_table(stores.measures.all, stores.over_frames, stores.over_sequences)


def tests_table(
    measures: Mapping[str, Descriptor], over_frames: Mapping[str, Contrast], over_sequences: Mapping[str, Contrast]
) -> str:
    """Kolmogorov-Smirnov tests of those measures that are tested over sequences, and over frames where they are."""
    rows = [
        # Measures of whole sequences are not tested over frames.
        [html.escape(measure.title), *_frame_test(over_frames.get(name)), *_sequence_test(over_sequences[name])]
        for name, measure in measures.items()
        if name in over_sequences
    ]
    return table(["Measure", *FRAME_TEST, *SEQUENCE_TEST], rows)


def _frame_test(found: Contrast | None) -> list[str]:
    if found is None or found.permuted is None:
        return [""] * len(FRAME_TEST)
    permuted = found.permuted
    return [_statistic(found), _p(found.ks.p), _p(permuted.p), _p(permuted.p_corrected, marked=True)]


def _sequence_test(found: Contrast) -> list[str]:
    return [_statistic(found), _p(found.ks.p), _p(found.ks_p_corrected, marked=True)]


def _statistic(found: Contrast) -> str:
    return "–" if math.isnan(found.ks.statistic) else f"{found.ks.statistic:.3f}"


def _p(p: float, *, marked: bool = False) -> str:
    """A p-value; `marked`, a significant one has an asterisk as well as a colour."""
    text = html.escape(p_text(p)).removeprefix("p = ").removeprefix("p ")
    return f'<span class="bad">{text} ✱</span>' if marked and p <= ALPHA else text


def topology_table(comparisons: Sequence[Comparison], sides: Sequence[Side]) -> str:
    """How many frames have how many components, and which Euler number."""
    rows = []
    dots = {side.label: dot(side) for side in sides}
    for label, stores, role in columns_of(comparisons, [side.label for side in sides]):
        found = stores.topology(role)
        title = f"{dots.get(label, '')}{html.escape(label)}"
        rows.append([title, f"{found.single_component_share:.0%}", _counts(found.components), _counts(found.euler)])
    worded = comparisons[0].results.measures.worded
    head = ["", "Frames in one piece", worded("Components (26 neighbours)"), "Euler number"]
    return table(head, rows) + note(
        worded(
            "Number: frames that have it. The Euler number is components - handles + cavities: 1 for a ball, 2 for two cells."
        )
    )


def _counts(counted: dict[int, int]) -> str:
    return ", ".join(f"{value}: {count}" for value, count in counted.items())


def dot(side: Side) -> str:
    """A disc in the colour of a side."""
    return f'<span class="dot" style="background:{css(side.colour)}"></span>'


def _pm(summary: Summary, digits: int) -> str:
    if summary.n == 0:
        return "not defined"
    return f"{summary.mean:.{digits}f} <small>± {summary.std:.{digits}f}</small>"


def mean_and_std(summary: Summary) -> str:
    """Two digits of the deviation, and the mean to the same place."""
    if summary.n == 0:
        return "–"
    places = 1 - math.floor(math.log10(summary.std)) if summary.std > 0 else 2
    return f"{summary.mean:.{max(places, 0)}f} ± {summary.std:.{max(places, 0)}f}"

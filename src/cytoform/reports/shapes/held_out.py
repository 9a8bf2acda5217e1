"""The part of a report on held-out cells, as HTML: how learned, held-out and new cells lie to each other."""

import html
import math
from collections.abc import Sequence

from cytoform.assess.held_out import HeldOut
from cytoform.assess.measures.descriptors import titled
from cytoform.assess.results import Results
from cytoform.assess.statistics.held_out_sets import HELD_OUT_MEASURES, median
from cytoform.assess.statistics.near_duplicates import SET_MEASURES
from cytoform.assess.statistics.sets import SetMeasures
from cytoform.pictures.figures import p_text
from cytoform.pictures.page import details, interval, note, table
from cytoform.reports.shapes.cells import Comparison
from cytoform.reports.shapes.tables import ks_table

NOTE = (
    "Held-out cells are real cells that were not learned. Their column is the aim for new cells. Minimum matching distance, "
    "coverage and 1-NN accuracy depend on the number of sequences, so here every set has as many as the smallest; in "
    "brackets intervals of 95 % confidence."
)


def held_out_parts(comparisons: Sequence[Comparison]) -> list[str]:
    """A table and the tests for each set of new cells that is judged with held-out cells; empty without any."""
    found = [(each, each.results.held_out) for each in comparisons if each.results.held_out is not None]
    if not found:
        return []
    parts = ["<h3>Beside held-out cells</h3>", note(NOTE)]
    for comparison, held_out in found:
        parts.append(f"<h4>{html.escape(comparison.label)}</h4>")
        parts.append(_table(comparison.label, comparison.results, held_out))
        parts.append(details(f"Tests: {comparison.label} against held out", ks_table(held_out.new)))
    # The same for all of them.
    return [*parts, details("Tests: held out against original", ks_table(found[0][1].learned))]


def _table(label: str, results: Results, held_out: HeldOut) -> str:
    """A column each for learned, held-out and new cells."""
    sets, z, p = held_out.sets, held_out.sets.memorisation.z, held_out.sets.memorisation.p
    usual = math.nan if results.near_duplicates is None else median(results.near_duplicates.reference_um2.values())
    stores = (results.reference, held_out.store, results.other)
    medians = usual, median(sets.held_out_um2.values()), median(sets.new_um2.values())
    rows = [
        ["Sequences", *(str(len(store.sequences)) for store in stores)],
        [f"{titled(SET_MEASURES['novelty_um2'])}, median", *(_number(value) for value in medians)],
        [titled(HELD_OUT_MEASURES["novelty_ratio"]), "–", "1", _number(sets.novelty_ratio)],
        [titled(HELD_OUT_MEASURES["memorisation_z"]), "–", "0", f"{z:.2f} ({p_text(p)})" if math.isfinite(z) else "–"],
        *_set_rows("learned cells", None, sets.held_out_learned, sets.new_learned),
        *_set_rows("held-out cells", None, None, sets.new_held_out),
    ]
    return table(["", "Learned", "Held out", label], [[html.escape(row[0]), *row[1:]] for row in rows])


def _set_rows(whom: str, *columns: SetMeasures | None) -> list[list[str]]:
    """Rows of the measures of sets against some cells, with a dash where a column has none."""
    return [
        [
            f"{titled(SET_MEASURES[name])}, against {whom}",
            *("–" if each is None else interval(getattr(each, name)) for each in columns),
        ]
        for name in ("one_nna", "mmd_um2", "coverage")
    ]


def _number(value: float) -> str:
    return f"{value:.3g}" if math.isfinite(value) else "–"

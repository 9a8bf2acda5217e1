"""The part of a report on protrusions, as HTML: whether cells have them, how they live, and how well they match alone."""

import html
from collections.abc import Sequence

import numpy as np

from cytoform.assess.measures.descriptors import titled
from cytoform.assess.measures.protrusion_tracks import PROTRUSION_MEASURES
from cytoform.assess.measures.thin_parts import THIN_MEASURES
from cytoform.assess.statistics.distributions import summarise
from cytoform.assess.store_contrasts import StoreContrasts
from cytoform.pictures.figures import Side
from cytoform.pictures.page import details, note, table
from cytoform.reports.shapes.cells import Comparison, columns_of
from cytoform.reports.shapes.tables import mean_and_std, tests_table

NOTE = (
    "Mean ± standard deviation, over all frames for the first six, and over sequences for the others. Protrusions on the body "
    "are followed from frame to frame; lifetimes end where the movie ends."
)
THIN_NOTE = (
    "Over a whole cell the body hides its protrusions. Here only voxels and centre lines outside the original’s body count. "
    "The Jaccard index falls fast where thin protrusions are moved by a voxel; by the centre-line Dice they still match."
)


def protrusion_parts(comparisons: Sequence[Comparison], sides: Sequence[Side]) -> list[str]:
    """The verdict on the originals, and where it applies tables of protrusions; empty without a verdict."""
    results = comparisons[0].results
    verdict = results.reference.verdict
    if verdict is None:
        return []
    parts = ["<h3>Protrusions as objects over time</h3>", note(f"The originals are {verdict.sentence}.")]
    if not results.taken_apart:
        return parts
    columns = columns_of(comparisons, [side.label for side in sides])
    rows = [
        [
            html.escape(results.measures.worded(titled(measure))),
            *(mean_and_std(summarise(np.concatenate(stores.protrusions(role, name)))) for _, stores, role in columns),
        ]
        for name, measure in PROTRUSION_MEASURES.items()
    ]
    parts += [note(NOTE), table(["", *(label for label, _, _ in columns)], rows)]
    tested: list[tuple[str, StoreContrasts]] = [
        (f"{each.label} against original", each.results) for each in comparisons
    ]
    beside = [(each.label, each.results.held_out) for each in comparisons if each.results.held_out is not None]
    tested += [(f"{label} against held out", held_out.new) for label, held_out in beside]
    tested += [("held out against original", held_out.learned) for _, held_out in beside[:1]]
    parts += [details(f"Tests of protrusions: {label}", protrusion_tests_table(stores)) for label, stores in tested]
    return [*parts, *_thin_parts([each for each in comparisons if each.results.pairs])]


def protrusion_tests_table(stores: StoreContrasts) -> str:
    """Kolmogorov-Smirnov tests of protrusions, over frames and over means of sequences."""
    return tests_table(PROTRUSION_MEASURES, stores.protrusions_over_frames, stores.protrusions_over_sequences)


def _thin_parts(paired: Sequence[Comparison]) -> list[str]:
    """A column for each store that is paired with the originals."""
    if not paired:
        return []
    rows = [
        [html.escape(titled(measure)), *(mean_and_std(each.results.pair_summary(name)) for each in paired)]
        for name, measure in THIN_MEASURES.items()
    ]
    return [
        "<h3>Protrusions alone</h3>",
        note(paired[0].results.measures.worded(THIN_NOTE)),
        table(["", *(each.label for each in paired)], rows),
    ]
